"""Postfix of a store: takes mail from the edges, hands it to Dovecot, sends Sieve's replies out."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.journal.ids import STORE
from danhba.render import render
from danhba.service import File, Part, Probe
from deploys.common import (
    CA,
    CERTIFICATE,
    FILTERS_SOCKET,
    KEY,
    LOCAL_PORT,
    QUOTA_PORT,
    REPLY_PORT,
    SINK_PORT,
    STORE_PORT,
    held,
    networks,
)
from deploys.instance import USUAL
from deploys.postfix import postfix
from deploys.postfix_edge import refused, size_within


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    main = render(
        "postfix_store/main.cf",
        host=host,
        domain=directory.domain,
        mail_name=STORE,
        tables=USUAL.tables,
        ca=CA,
        certificate=CERTIFICATE,
        key=KEY,
        edges=env.having("edge"),
        reply_port=REPLY_PORT,
        size_within=size_within(directory.message_mb),
    )
    master = render(
        "postfix_store/master.cf",
        tables=USUAL.tables,
        store_port=STORE_PORT,
        quota_port=QUOTA_PORT,
        local_port=LOCAL_PORT,
        sink_port=SINK_PORT,
        filters_socket=FILTERS_SOCKET,
        edges=env.having("edge"),
        networks=networks(env.having("edge")),
        reply_port=REPLY_PORT,
    )
    commands = render("postfix_store/commands")
    return postfix(
        "postfix_store",
        USUAL,
        files=(
            File("/etc/postfix/main.cf", main, effect="reload"),
            File("/etc/postfix/master.cf", master, effect="reload"),
            File("/etc/danhba/commands", commands, effect="reload"),
        ),
        tables={"mailboxes": mailboxes(directory, env, host)},
        others={"refused": refused(directory)},
        answers=(Probe(STORE_PORT, "220 "),),
    )


def mailboxes(directory: Compiled, env: Environment, host: Host) -> dict[str, str]:
    """The mailboxes this store knows, and how they are delivered: everything else is an edge's.

    Of a standby copy too: what an edge sent just before the routes changed is not sent back.
    """
    return {
        f"{mailbox.account}@{directory.domain}": "lmtp:unix:/run/dovecot/lmtp"
        for mailbox in held(directory, env, host)
    }
