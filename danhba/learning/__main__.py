"""The command line; see danhba.learning."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .beginning import Beginning
from .carrier import Carrier
from .door import serve
from .limit import Limit
from .spool import Spool
from .tls import towards_edges, towards_stores

_PAUSE = 0.5
"""Seconds between two looks into the spool."""


def main(argv: Sequence[str]) -> int:
    config: dict[str, Any] = json.loads(Path(argv[1]).read_text(encoding="utf-8"))
    match argv[2:]:
        case ["carry"]:
            _carry(config)
        case ["health"]:
            with contextlib.suppress(BrokenPipeError):
                print(*_spool(config).health(time.time()), sep="\n")
        case ["door"]:
            begins = Beginning(config["valkey"], config["peers"])
            threading.Thread(target=begins.run, daemon=True).start()
            serve(config["port"], towards_stores(config), config["stores"], config["controller"])
    return 0


def _spool(config: dict[str, Any]) -> Spool:
    return Spool(Path(config["spool"]), tuple(config["edges"]))


def _carry(config: dict[str, Any]) -> None:
    """For ever. Every edge has a thread of its own: a dead one keeps no other waiting."""
    spool, limit = _spool(config), Limit(Path(config["state"], "today"))
    spool.prepare()
    tls = towards_edges(config)
    for name, fqdn in config["edges"].items():
        carrier = Carrier(spool, name, fqdn, config["port"], tls)
        threading.Thread(target=carrier.run, daemon=True).start()
    while True:
        spool.sort(time.time(), limit.allows)
        time.sleep(_PAUSE)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
