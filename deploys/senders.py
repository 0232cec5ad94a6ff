"""What is sent under another's name is refused (danhba/senders): on edges what somebody submits, on
stores what his filter sends, which does not leave the province either unless it is an answer."""

from __future__ import annotations

import danhba.senders
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import DESK_SOCKET, FILTERS_SOCKET, SENDERS_SOCKET, held, table
from deploys.instance import edge
from deploys.postfix_edge import senders
from deploys.program import HOME, as_json, program

_UNITS = "/etc/systemd/system"
_OWN = "/etc/danhba/filters"
"""On stores: who may send as whom, of those whose mail is there."""


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    files: list[File] = []
    units: list[str] = []
    if "edge" in host.roles:
        # The text from which Postfix's own table is built: the daemon sees when it changes.
        config = {"socket": SENDERS_SOCKET, "table": f"{edge(host).tables}/senders"}
        files += _daemon("danhba-senders", "senders", config)
        units.append("danhba-senders.service")
    if "store" in host.roles:
        config = {
            "domain": directory.domain,
            "socket": FILTERS_SOCKET,
            "table": _OWN,
            "desk": DESK_SOCKET,
        }
        files += _daemon("danhba-filters", "senders.dovecot", config)
        files.append(File(_OWN, table(own(directory, env, host)), rows=True))
        units.append("danhba-filters.service")
    return Part(
        name="senders",
        packages=("python3", "python3-milter"),
        files=(
            *program(danhba.senders),
            *files,
            File("/etc/sysusers.d/danhba-senders.conf", render("senders/sysusers.conf")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"{_UNITS}/multi-user.target.wants/{unit}": f"{_UNITS}/{unit}" for unit in units},
        services=tuple(Service(unit) for unit in units),
    )


_DESCRIPTIONS = {
    "danhba-senders": "Refuses mail under the name of somebody else",
    "danhba-filters": "Refuses what filters send under another name or to the outside",
}


def _daemon(name: str, module: str, config: dict[str, str]) -> tuple[File, File]:
    path = f"/etc/danhba/{name.removeprefix('danhba-')}.json"
    unit = render(
        "senders/unit.service",
        name=name,
        description=_DESCRIPTIONS[name],
        module=module,
        config=path,
        home=HOME,
        socket=config["socket"],
        asks="desk" in config,
    )
    return (
        File(path, as_json(config), effect="restart"),
        File(f"{_UNITS}/{name}.service", unit, effect="restart"),
    )


def own(directory: Compiled, env: Environment, host: Host) -> dict[str, str]:
    """Of the table of edges what concerns mailboxes that the store has."""
    here = {f"{box.account}@{directory.domain}" for box in held(directory, env, host)}
    return {
        address: owners
        for address, owners in senders(directory).items()
        if here.intersection(owners.split(","))
    }
