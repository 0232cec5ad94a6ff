"""The command line; see danhba.journal. What a host lacks is not imported there."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import health, lag


def main(argv: Sequence[str]) -> int:
    """CONFIG serve|health|pour|told on the vault, CONFIG lag on an edge."""
    match argv[1:]:
        case [path, "serve"]:
            return _serve(_config(path))
        case [path, "health"]:
            _say(health.health(_config(path), time.time()))
        case [path, "ask" | "pour" | "told" | "sign" as work]:
            return _on_vault(work, _config(path))
        case [path, "roots"]:
            _roots(_config(path))
        case [path, "remember" | "remembered" | "memory" as work]:
            return _on_host(work, _config(path))
        case [path, "anew"]:
            return _anew(_config(path))
        case [path, "lag"]:
            _say(lag.health(_config(path), time.time()))
        case _:
            print(__doc__, file=sys.stderr)
            return 1
    return 0


def _config(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def _serve(config: dict[str, Any]) -> int:
    from . import daemon
    from .chain import JournalError

    try:
        daemon.run(config)
    except (JournalError, OSError) as error:
        print(error, file=sys.stderr)
    return 1


def _on_vault(work: str, config: dict[str, Any]) -> int:
    """Who is asked needs what only the vault has."""
    from . import agent

    return agent.WORK[work](config)


def _anew(config: dict[str, Any]) -> int:
    from .anew import anew

    return _or_say(anew, config)


def _on_host(work: str, config: dict[str, Any]) -> int:
    from . import memory

    return _or_say(memory.WORK[work], config)


def _or_say(work: Callable[[Mapping[str, Any]], Iterable[str]], config: dict[str, Any]) -> int:
    try:
        _say(work(config))
    except (ConnectionError, TimeoutError) as error:
        print(f"{config['vault']}: {error}")
        return os.EX_TEMPFAIL
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _roots(config: dict[str, Any]) -> None:
    from . import roots_door

    roots_door.serve(config)


def _say(lines: Iterable[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(*lines, sep="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
