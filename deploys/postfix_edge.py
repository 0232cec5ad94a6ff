"""Postfix of an edge: mail from the Internet, mail from officials, replies from the stores."""

from __future__ import annotations

import re

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.journal import tag
from danhba.render import render
from danhba.service import File, Part, Probe
from deploys import free_mail, journal
from deploys.common import (
    ABUSE_SOCKET,
    CA,
    CERTIFICATE,
    DANE_SOCKET,
    FILTER_SOCKET,
    JOURNAL_WAY,
    KEY,
    MARKS_SOCKET,
    QUOTA_PORT,
    REPLY_PORT,
    REPORTS_PORT,
    SASL_SOCKET,
    SENDERS_SOCKET,
    STS_SOCKET,
    addresses,
    home,
    networks,
    way,
)
from deploys.instance import Instance, edge
from deploys.postfix import postfix
from deploys.tunnel import entrance

ROOMS = "/etc/danhba/rooms"
HELO = "/etc/danhba/helo"
OUT_HEADERS = "/etc/danhba/out-headers"
OUT_BODY = "/etc/danhba/out-body"
FREE_MAIL = "/etc/danhba/free-mail"
_SERVERS = 600
"""Of each port that the Internet reaches, 2.2 MB each: 500 slow clients leave others a hundred."""
_WAITING = 1000
"""Connections of port 25 for which there is no server yet."""


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    instance = edge(host)
    main = render(
        "postfix_edge/main.cf",
        host=host,
        instance=instance,
        domain=directory.domain,
        tables=instance.tables,
        certificate=CERTIFICATE,
        key=KEY,
        size_within=size_within(directory.message_mb),
        filter_socket=FILTER_SOCKET,
        dane_socket=DANE_SOCKET,
        sts_socket=STS_SOCKET,
        rooms=ROOMS,
        sasl_socket=SASL_SOCKET,
        stores=[entrance(env, store) for store in env.having("store")],
        quota_port=QUOTA_PORT,
        recipients=directory.message_recipients,
        own=[f"{{{each} permit}}" for each in (*addresses((host,)), *directory.own_networks)],
        block_lists=[f"{domain}={LISTED}" for domain in directory.block_lists],
        waiting=_WAITING,
        journal=_journal(env),
    )
    master = render(
        "postfix_edge/master.cf",
        ca=CA,
        reply_port=REPLY_PORT,
        stores=networks(env.having("store")),
        size_outside=size_outside(directory.message_mb),
        marks_socket=MARKS_SOCKET,
        senders_socket=SENDERS_SOCKET,
        abuse_socket=ABUSE_SOCKET,
        block_lists=directory.block_lists,
        helo=HELO,
        out_headers=OUT_HEADERS,
        out_body=OUT_BODY,
        filter_socket=FILTER_SOCKET,
        free_mail=FREE_MAIL if directory.free_refused else "",
        reports=directory.dmarc_reports,
        reports_port=REPORTS_PORT,
        servers=_SERVERS,
        journal=_journal(env),
    )
    out_headers = render("postfix_edge/out-headers", host=host)
    return postfix(
        "postfix_edge",
        instance,
        files=(
            File(f"{instance.postfix}/main.cf", main, effect="reload"),
            File(f"{instance.postfix}/master.cf", master, effect="reload"),
            File(ROOMS, rooms(env), effect="reload"),
            File(HELO, helo(directory, env), effect="reload"),
            File(OUT_HEADERS, out_headers, effect="reload"),
            File(OUT_BODY, render("postfix_edge/out-body"), effect="reload"),
            *_queue(instance),
            *_free_mail(directory),
        ),
        tables={
            "homes": homes(directory, env),
            "aliases": aliases(directory),
        },
        others={"senders": senders(directory), "refused": refused(directory)},
        answers=(
            # The first question of every sender: a full disk or a wrong size limit answers 452.
            Probe(25, "220 ", talk=(("HELO localhost", "250"), ("MAIL FROM:<>", "250"))),
            Probe(465, "220 ", tls=True),
            Probe(587, "220 "),
            Probe(REPLY_PORT, "220 "),
        ),
    )


LISTED = "127.0.0.[2..255]"
"""What a block list answers for an address that is on it (RFC 5782 2.1, 2.3), as postscreen has
it."""


def _journal(env: Environment) -> dict[str, object] | None:
    """What main.cf has to know of the archive. None without a vault."""
    return {"bcc": journal.BCC, "domain": tag.DOMAIN, "way": JOURNAL_WAY} if env.vault else None


def _queue(instance: Instance) -> tuple[File, ...]:
    """A second Postfix does not start without its; the usual one comes with the package."""
    line = f"d {instance.queue} 0755 root root\n"
    path = f"/etc/tmpfiles.d/{instance.beside('danhba-queue')}.conf"
    return (File(path, line.encode()),) if instance.name else ()


def _free_mail(directory: Compiled) -> tuple[File, ...]:
    """Only where policy refuses such mail."""
    found = File(FREE_MAIL, free_mail.refused(directory), effect="reload")
    return (found,) if directory.free_refused else ()


def size_outside(megabytes: int) -> int:
    """Bytes of the largest message that comes in: base64 makes 78 bytes of 57 (RFC 2045 6.8), so
    that 30 MB hold attachments of 21 MB."""
    return megabytes * 1024 * 1024


def size_within(megabytes: int) -> int:
    """Once in, a message grows by the headers of every hop: none may be too large for the next, or
    what was accepted would bounce."""
    return size_outside(megabytes) + 1024 * 1024


def size_filtered(megabytes: int) -> int:
    """What a filter gets of it, where the end of each line has two bytes (RFC 5321 2.3.8)."""
    return 2 * size_within(megabytes)


def homes(directory: Compiled, env: Environment) -> dict[str, str]:
    """Mailbox to where it is delivered; that it is listed also makes it a known recipient."""
    return {
        f"{mailbox.account}@{directory.domain}": way(home(mailbox, env))
        for mailbox in directory.mailboxes
    }


def rooms(env: Environment) -> bytes:
    """Where a mailbox is delivered, as in `homes`, to the restrictions of main.cf that ask it."""
    lines = (
        f"/^store:\\[{store.fqdn.replace('.', '[.]')}\\]:/ room{number}\n"
        for number, store in enumerate(env.having("store"), 1)
    )
    return "".join(lines).encode()


def helo(directory: Compiled, env: Environment) -> bytes:
    """Names that nobody who comes from outside has, and what he is told who says one of them."""
    edges = env.having("edge")
    names = [directory.domain, *(edge.fqdn for edge in edges)]
    names += [f"[{edge.ipv4}]" for edge in edges] + [f"[IPv6:{edge.ipv6}]" for edge in edges]
    told = (
        "550 5.7.1 May chu cua ban xung ten cua may chu nay"
        " / Your server greets with a name or address of this one: have it say its own"
    )
    return "".join(f"/^{_literally(name)}$/ {told}\n" for name in names).encode()


def _literally(text: str) -> str:
    """As a regular expression of POSIX that matches nothing else."""
    return re.sub(r"[][.]", r"\\\g<0>", text)


def aliases(directory: Compiled) -> dict[str, str]:
    return {
        f"{name.address}@{directory.domain}": f"{name.account}@{directory.domain}"
        for name in directory.names
    }


def refused(directory: Compiled) -> dict[str, str]:
    """Addresses that receive no more, and what a sender is told (RFC 3463: 5.2.1, disabled).

    Vietnamese first, without its marks: a reply is ASCII unless the client has asked for more
    (RFC 6531 3.5), and most servers show it to their sender as it came. One line of at most 512
    octets (RFC 5321 4.5.3.1.5), because an access table has no second one (access(5)).
    """
    domain = directory.domain
    rows = {}
    for gone in directory.refused:
        there = f"{gone.instead}@{domain}"
        vietnamese = f", xin gui den {there}" if gone.instead else ""
        english = f"; write to {there}" if gone.instead else ""
        rows[f"{gone.address}@{domain}"] = (
            f"550 5.2.1 Hop thu nay khong con su dung{vietnamese}"
            f" / This mailbox is no longer in use{english}"
        )
    return rows


def senders(directory: Compiled) -> dict[str, str]:
    """Address to the accounts that may send as it. Who owns a mailbox owns its aliases."""
    domain = directory.domain
    owners = {
        mailbox.account: ",".join(f"{owner}@{domain}" for owner in mailbox.owners)
        for mailbox in directory.mailboxes
        if mailbox.owners
    }
    own = {box.address: box.account for box in directory.mailboxes if box.account in owners}
    further = {name.address: name.account for name in directory.names if name.sends}
    names = {**own, **further}
    return {f"{name}@{domain}": owners[account] for name, account in names.items()}
