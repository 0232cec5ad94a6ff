"""On edges and stores: suspensions of misused accounts are carried out (danhba/suspending)."""

from __future__ import annotations

import danhba.suspending
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import table
from deploys.instance import edge
from deploys.program import HOME, as_json, program
from deploys.sessions import reading

_UNIT = "danhba-suspending.service"
_CONFIG = "/etc/danhba/suspending.json"
_NOTICE = "/etc/danhba/incident-notice"
_OFFICERS = "/etc/danhba/officers"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    is_edge = "edge" in host.roles
    config = {
        "host": host.fqdn,
        "programs": reading(host),
        "edge": _edge(directory, host) if is_edge else None,
    }
    return Part(
        name="suspending",
        packages=("python3",),
        files=(
            *program(danhba.suspending),
            File(_CONFIG, as_json(config), effect="restart"),
            File(path, render("suspending/unit.service", config=_CONFIG, home=HOME),
                 effect="restart"),
            *(_letters(directory) if is_edge else ()),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
    )  # fmt: skip


def _edge(directory: Compiled, host: Host) -> dict[str, object]:
    postfix = edge(host).postfix
    letters = {
        "postfix": postfix,
        "text": _NOTICE,
        "officers": _OFFICERS,
        "contact": directory.incident_contact,
        "sender": f"postmaster@{directory.domain}",
        "name": f"Hệ thống thư điện tử {directory.province}",
    }
    return {"postfix": postfix, "letters": letters}


def _letters(directory: Compiled) -> tuple[File, ...]:
    notice = render(
        "notices/incident.txt",
        province=directory.province,
        decision=directory.decision,
        help=directory.incident_contact,
    )
    return File(_NOTICE, notice), File(_OFFICERS, table(officers(directory)), rows=True)


def officers(directory: Compiled) -> dict[str, str]:
    """Account to who is told when it is suspended: its agency's IT officer (Điều 9.2.b), or where
    there is none, and for the officer himself, the agency's keepers."""
    domain, known = directory.domain, dict(directory.officers)
    rows = {}
    for box in directory.mailboxes:
        officer = known.get(box.agency, box.agency)
        told = box.agency if officer == box.address else officer
        rows[f"{box.account}@{domain}"] = f"{told}@{domain}"
    return rows
