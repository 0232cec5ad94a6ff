"""The daemon: python3 -m lockout CONFIGURATION, with the directories that systemd gives it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from .control import Control
from .desk import Desk
from .door import Door, aliases, key_at, marks
from .figures import Figures, Limits
from .gate import Gate, Slapd
from .gate import contexts as gate_contexts
from .incidents import Incidents
from .misuse import Misuse
from .peers import Peers, contexts
from .rules import Rules, opened

_FORGETS = 60
"""Seconds."""
_JUDGES = 1
"""Seconds."""
_SAYS_SO = 2
"""Seconds; WatchdogSec of its unit is much longer."""


async def main(config: dict[str, Any]) -> None:
    """Serve until killed: every change is in the table at once."""
    state, run = Path(os.environ["STATE_DIRECTORY"]), Path(os.environ["RUNTIME_DIRECTORY"])
    table = opened(state / "table")
    rules = Rules(table, Figures(**config["figures"]), own=config["own"])
    incidents = Incidents(rules, state / "incidents", config["host"])
    misuse = None
    if sending := config["sending"]:
        limits = Limits(**sending["limits"])
        keepers = frozenset(sending["keepers"])
        misuse = Misuse(rules, table, incidents, limits, keepers, sending["junk"])
        await _shared(Desk(misuse), run / "sending")
    key = f"{os.environ['CREDENTIALS_DIRECTORY']}/host.key"
    tls = (config["certificate"], key, config["authority"])
    peers = Peers(rules, config["peers"], config["port"], contexts(*tls))
    logins = Path(config["logins"]) if config["logins"] else None
    mark = marks(key_at(run / "key"))
    door = Door(rules, mark, aliases(logins, config["domain"]))
    await asyncio.start_server(door.serve, "127.0.0.1", config["policy_port"])
    if ldap := config["ldap"]:
        gate = Gate(rules, mark, Slapd(**ldap["slapd"]), gate_contexts(*tls))
        await asyncio.start_server(
            gate.serve, port=ldap["port"], ssl=gate.server_tls, ssl_handshake_timeout=10
        )
    control = Control(rules, peers, incidents, misuse)
    await asyncio.start_unix_server(control.serve, run / "control")
    await asyncio.gather(peers.run(), _forget(rules, misuse), _judge(misuse), _alive())


async def _shared(desk: Desk, place: Path) -> None:
    """A socket for this daemon's group, beside root's own."""
    await asyncio.start_unix_server(desk.serve, place)
    place.chmod(0o660)


async def _forget(rules: Rules, misuse: Misuse | None) -> None:
    while True:
        rules.forget()
        if misuse:
            misuse.forget()
        await asyncio.sleep(_FORGETS)


async def _judge(misuse: Misuse | None) -> None:
    while misuse:
        misuse.judge_again()
        await asyncio.sleep(_JUDGES)


async def _alive() -> None:
    """systemd ends a daemon that hangs: whoever is suspended would get in meanwhile."""
    place = os.environ.get("NOTIFY_SOCKET")
    while place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.sendto(b"WATCHDOG=1", place.replace("@", "\0", 1))
        await asyncio.sleep(_SAYS_SO)


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
