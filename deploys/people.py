"""OpenLDAP: the address book (Điều 3.2 names LDAPv3) and the credentials, in one tree.

Passwords belong to their users: nothing that is written here has one, and no account of an
administrator exists that could be guessed. Who is root on the host manages the tree, over ldapi.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from danhba.compiled import Compiled, Mailbox
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service, Tree
from deploys.common import CA, CERTIFICATE, KEY, TREE, addresses, suffix
from deploys.password_check import module

_LOG = "/var/lib/ldap/log"
_LOG_PLACE = ("install", "-d", "-o", "openldap", "-g", "openldap", "-m", "0700", _LOG)
"""slaptest demands the directory of every database; it is empty until slapd runs."""
_CONFIG = "/etc/ldap/slapd.conf"
_KEY = "/run/credentials/slapd.service/host.key"
_STAMPS = "/usr/local/lib/danhba/people/stamps"
_STAMPS_CONFIG = "/etc/ldap/stamps.conf"
_ROOM = 4 * 1024**3
"""Bytes for 100,000 entries and their indexes; the file grows only as it fills."""
_DROP_IN = "/etc/systemd/system/slapd.service.d/danhba.conf"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    hosts = env.having("people")
    peers = [peer for peer in hosts if peer != host]
    config = render(
        "people/slapd.conf",
        suffix=suffix(directory),
        hosts=hosts,
        peers=peers,
        server_id=host.number,
        replicator=f"cn=replicator,{suffix(directory)}",
        policy=f"cn=policy,{suffix(directory)}",
        asking=addresses(tuple(dict.fromkeys(env.having("edge") + env.having("store")))),
        password_module=module(),
        maxsize=_ROOM,
        certificate=CERTIFICATE,
        key=_KEY,
        ca=CA,
    )
    unit = render("people/slapd.service.conf", config=_CONFIG, key=KEY, stamps=_STAMPS)
    stamps = render(
        "people/stamps.sh",
        config=_CONFIG,
        plain=_STAMPS_CONFIG,
        suffix=suffix(directory),
        own=f"{host.number:03x}",
    )
    plain = render("people/stamps.conf", suffix=suffix(directory), maxsize=_ROOM)
    return Part(
        name="people",
        packages=("slapd", "ldap-utils"),
        # Else the package makes a tree with an administrator's password in it.
        debconf=("slapd slapd/no_configuration boolean true",),
        files=(
            File(_CONFIG, config, effect="restart"),
            File(_DROP_IN, unit, effect="restart"),
            File(_STAMPS, stamps, mode="0755"),
            File(_STAMPS_CONFIG, plain),
            File(TREE, tree(directory), mode="0640"),
        ),
        services=(Service("slapd.service", answers=(Probe(636, tls=True),)),),
        validate=(_LOG_PLACE, ("slaptest", "-u", "-f", _CONFIG)),
        tree=Tree(
            TREE,
            base=suffix(directory),
            top=f"ou=people,{suffix(directory)}",
            peers=tuple(peer.fqdn for peer in peers),
        ),
    )


def tree(directory: Compiled) -> bytes:
    """Every entry that LDAP must hold, one JSON object a line, parents first, then by name."""
    lines = [json.dumps(entry, ensure_ascii=False) for entry in entries(directory)]
    return "".join(f"{line}\n" for line in lines).encode()


def entries(directory: Compiled) -> Iterator[dict[str, object]]:
    root = suffix(directory)
    yield _entry(
        root,
        objectClass=["dcObject", "organization"],
        dc=[directory.domain.split(".")[0]],
        o=[directory.province],
    )
    yield _entry(f"ou=people,{root}", objectClass=["organizationalUnit"], ou=["people"])
    yield _policy(root)
    for mailbox in sorted(directory.mailboxes, key=lambda each: each.account):
        yield _mailbox(mailbox, directory)


def _policy(root: str) -> dict[str, object]:
    """What slapd asks of a password that a user chooses (ppolicy); deploys/password_check.py judges
    it, its length too: a number here would refuse without a word of why."""
    return _entry(
        f"cn=policy,{root}",
        objectClass=["device", "pwdPolicy", "pwdPolicyChecker"],
        cn=["policy"],
        pwdAttribute=["userPassword"],
        pwdMustChange=["TRUE"],
        # Else the first password could be "changed" to itself.
        pwdInHistory=["1"],
        pwdCheckQuality=["2"],
        pwdUseCheckModule=["TRUE"],
    )


def _mailbox(mailbox: Mailbox, directory: Compiled) -> dict[str, object]:
    """An inetOrgPerson, agencies too: their mailboxes are looked up, logged into and locked alike.

    sn is mandatory (RFC 4519 2.32): a Vietnamese family name comes first.
    """
    family = mailbox.name.split()[0] if mailbox.kind == "person" else mailbox.name
    # No word for active: most entries stay as they are, whatever becomes of the others.
    status = "" if mailbox.state == "active" else mailbox.state
    optional = {"title": mailbox.title, "employeeNumber": mailbox.id, "employeeType": status}
    return _entry(
        f"uid={mailbox.account},ou=people,{suffix(directory)}",
        objectClass=["inetOrgPerson"],
        uid=[mailbox.account],
        cn=[mailbox.name],
        sn=[family],
        mail=[f"{mailbox.address}@{directory.domain}"],
        o=[mailbox.agency_name],
        departmentNumber=[mailbox.agency],
        **{key: [value] for key, value in optional.items() if value},
    )


def _entry(dn: str, **attrs: list[str]) -> dict[str, object]:
    return {"dn": dn, "attrs": attrs}
