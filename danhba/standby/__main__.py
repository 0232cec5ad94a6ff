"""The command line; see danhba.standby."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Sequence

from .config import Config
from .copying import Failed, sync_all, sync_named
from .daemon import Daemon
from .former import end_sessions, queued
from .health import health
from .memory import Memory


def main(argv: Sequence[str]) -> int:
    config = Config.read(argv[1])
    if argv[2:] == ["check"]:  # of a generation that is not live: it leaves no trace
        config.standbys()
        return 0
    memory = Memory(config.state)
    match argv[2:]:
        case ["run"]:
            Daemon(config, memory).run()
        case ["all"]:
            return _report(sync_all(config, memory))
        case ["sync", store]:
            return _report(sync_named(config, store, sys.stdin.read().split()))
        case ["end"]:
            end_sessions(config, sys.stdin.read().split())
        case ["queued"]:
            print(*queued(sys.stdin.read().split()), sep="\n")
        case ["health"]:
            with contextlib.suppress(BrokenPipeError):
                print(*health(config, memory, time.time()), sep="\n")
    return 0


def _report(failed: Iterable[Failed]) -> int:
    """Accounts that failed on standard output, reasons on standard error."""
    for each in failed:
        print(*each.accounts, sep="\n")
        print(f"{', '.join(each.accounts[:5])}: {each.why}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
