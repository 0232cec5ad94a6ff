"""Room for mail: notices when it runs out, and the store's own word at RCPT when it has.

The edges ask the store that holds a mailbox, over TLS, before they accept mail for it; a store that
is dead, slow or out of order has no word, and mail for it is accepted and waits (deploys/
postfix_edge.py).
"""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import CERTIFICATE, FOLDERS, KEY, NOTICE, QUOTA_PORT, WARNINGS

_TEXTS = "/etc/danhba/notices"
_SEEN = "/var/lib/danhba-quota"
_UNIT = "stunnel@danhba-quota.service"


def store(directory: Compiled, env: Environment, host: Host) -> Part:
    marks = [*map(str, WARNINGS), "under"]
    sender = f"postmaster@{directory.domain}"
    script = render(
        "notices/quota", marks=marks, texts=_TEXTS, seen=_SEEN, sender=sender,
        domain=directory.domain, sender_name=f"Hệ thống thư điện tử {directory.province}",
    )  # fmt: skip
    entrance = render(
        "quota/stunnel.conf", address=host.ipv4, port=QUOTA_PORT, certificate=CERTIFICATE
    )
    return Part(
        name="quota",
        packages=("stunnel4",),
        files=(
            File(NOTICE, script, mode="0755"),
            *(File(f"{_TEXTS}/{mark}", notice(directory, mark)) for mark in marks),
            File("/etc/tmpfiles.d/danhba-quota.conf", f"d {_SEEN} 0700 root root\n".encode()),
            File("/etc/stunnel/danhba-quota.conf", entrance, effect="restart"),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf",
                 render("quota/unit.conf", key=KEY), effect="restart"),
        ),
        services=(Service(_UNIT, answers=(Probe(QUOTA_PORT, tls=True),)),),
    )  # fmt: skip


def notice(directory: Compiled, mark: str) -> bytes:
    """The text for a mark: its subject, then the body."""
    return render(
        "notices/quota.txt",
        percent=mark,
        lowest=min(WARNINGS),
        highest=str(max(WARNINGS)),
        folders=FOLDERS,
        help=f"postmaster@{directory.domain}",
        province=directory.province,
        decision=directory.decision,
    )
