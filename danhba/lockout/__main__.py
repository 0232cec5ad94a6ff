"""The daemon: python3 -m lockout CONFIGURATION, with the directories that systemd gives it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from .control import Control
from .door import Door, aliases, key_at, marks
from .figures import Figures
from .gate import Gate, Slapd
from .gate import contexts as gate_contexts
from .peers import Peers, contexts
from .rules import Rules, opened

_FORGETS = 60
"""Seconds."""


async def main(config: dict[str, Any]) -> None:
    """Serve until killed: every change is in the table at once."""
    state, run = Path(os.environ["STATE_DIRECTORY"]), Path(os.environ["RUNTIME_DIRECTORY"])
    figures = Figures(**config["figures"])
    rules = Rules(opened(state / "table"), figures, own=config["own"])
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
    await asyncio.start_unix_server(Control(rules, peers).serve, run / "control")
    await asyncio.gather(peers.run(), _forget(rules))


async def _forget(rules: Rules) -> None:
    while True:
        rules.forget()
        await asyncio.sleep(_FORGETS)


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
