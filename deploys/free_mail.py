"""Mail to and from free-mail services (Điều 4.2): counted on edges by agency, refused on wish."""

from __future__ import annotations

import re
from pathlib import Path

from danhba.compiled import Compiled
from danhba.free_mail import records
from danhba.free_mail.report import PROGRAM
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import table
from deploys.instance import edge
from deploys.program import as_json

AGENCIES = "/etc/danhba/agencies"
_UNITS = "/etc/systemd/system"
_TIMER = f"{_UNITS}/danhba-free-mail.timer"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    tables = records.TABLES.parent
    months = directory.usage_months
    return Part(
        name="free_mail",
        packages=("python3",),
        files=(
            File(PROGRAM, Path(records.__file__).read_bytes(), mode="0755"),
            File(str(records.CONFIG), _config(directory, host)),
            File(AGENCIES, table(agencies(directory)), rows=True),
            File("/etc/tmpfiles.d/danhba-free-mail.conf",
                 render("free_mail/tmpfiles.conf", tables=tables)),
            File(f"{_UNITS}/danhba-free-mail.service",
                 render("free_mail/fold.service", program=PROGRAM, months=months)),
            File(_TIMER, render("free_mail/fold.timer"), effect="restart"),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"{_UNITS}/timers.target.wants/danhba-free-mail.timer": _TIMER},
        services=(Service("danhba-free-mail.timer"),),
    )  # fmt: skip


def _config(directory: Compiled, host: Host) -> bytes:
    postfix = edge(host).beside("postfix")
    config = {
        "agencies": AGENCIES,
        "domains": sorted(directory.free_domains),
        # Postfix's names in the journal (master.cf): of who has the queue, and who empties it.
        "identifiers": [
            f"{postfix}/qmgr",
            f"{postfix}/smtp",
            "postfix/store/smtp",
            # Who takes messages out of the queue (postsuper -d) says so himself.
            f"{postfix}/postsuper",
        ],
    }
    return as_json(config)


def agencies(directory: Compiled) -> dict[str, str]:
    """Every address that has a mailbox to the account of its agency, which stays when agencies are
    renamed."""
    domain = directory.domain
    kept = {box.address: box.account for box in directory.mailboxes if box.kind == "agency"}
    of = {box.account: kept.get(box.agency, box.agency) for box in directory.mailboxes}
    rows = {f"{box.address}@{domain}": of[box.account] for box in directory.mailboxes}
    rows |= {f"{account}@{domain}": agency for account, agency in of.items()}
    names = (name for name in directory.names if name.account in of)
    return rows | {f"{name.address}@{domain}": of[name.account] for name in names}


def refused(directory: Compiled) -> bytes:
    """For Postfix: what an official is told who writes to a free-mail service."""
    domains = "|".join(re.escape(domain) for domain in sorted(directory.free_domains))
    told = (
        "550 5.7.1 Khong gui thu cong vu den hop thu mien phi (Dieu 4.2)"
        " / Official mail is not sent to free-mail services"
    )
    return f"/@({domains})$/ {told}\n".encode()
