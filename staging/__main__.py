"""script/staging: builds the staging province on this machine, breaks it, removes it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from danhba.inventory import InventoryError
from staging import dkim_keys, keys, lab, page
from staging.lab import Lab
from staging.shell import LabError, say

_EPILOG = """\
Without a command: boot what is not up, apply directory.yaml, verify. Quick when all is well.
Faults, for trying things out: stop, kill, start, blank, cut, join, latency.

Example: script/staging latency store1 200
"""


def main(argv: Sequence[str]) -> int:
    arguments = _parser().parse_args(argv)
    if os.geteuid():
        say("the lab needs root: run this as root")
        return 1
    try:
        name = arguments.inventory or (lab.running() if arguments.command else "staging")
        _act(Lab.open(name), arguments)
    except (LabError, InventoryError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted; run script/staging again, or script/staging --down")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "script/staging",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--down", action="store_true", help="remove every trace of the lab")
    parser.add_argument(
        "--purge", action="store_true", help="with --down: also image, package cache and keys"
    )
    parser.add_argument(
        "--inventory",
        metavar="NAME",
        help="boot this file of inventory/, say single, in place of what is up (default: staging)",
    )
    parser.add_argument("--fresh", action="store_true", help="wipe what the hosts wrote before")
    parser.add_argument("--boot-only", action="store_true", help="boot, but apply nothing")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, what in (
        ("stop", "shut a host down"),
        ("kill", "cut a host's power"),
        ("start", "boot a stopped host"),
        ("blank", "put a new machine in a host's place: same name, empty disk"),
        ("cut", "unplug a host's network"),
        ("join", "plug it in again"),
        ("shell", "log in to a host as root"),
    ):
        commands.add_parser(name, help=what).add_argument("host")
    slow = commands.add_parser("latency", help="make each round trip to a host longer; 0 ends it")
    slow.add_argument("host")
    slow.add_argument("milliseconds", type=int)
    return parser


def _act(found: Lab, arguments: argparse.Namespace) -> None:
    if arguments.command == "latency":
        found.latency(arguments.host, arguments.milliseconds)
    elif arguments.command == "shell":
        keys.log_in(found.host(arguments.host).ipv4)
    elif arguments.command:
        getattr(found, arguments.command)(arguments.host)
    elif arguments.down:
        found.down(arguments.purge)
    else:
        found.boot(arguments.fresh)
        if not arguments.boot_only:
            page.danhba("apply", found.environment.name, "--yes")
            dkim_keys.publish(found, dkim_keys.records(found))
            page.danhba("verify", found.environment.name)
            page.show(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
