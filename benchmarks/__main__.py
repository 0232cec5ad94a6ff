"""script/benchmark: measures every size, prints the tables, writes benchmarks/results.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import logins, results
from benchmarks.added import added
from benchmarks.ansible import install
from benchmarks.check import check, table
from benchmarks.nothing import ADDED, Size, size
from benchmarks.timing import Failed
from staging.shell import LabError, say

SIZES = [1_000, results.MIDDLE, 100_000]


def main() -> int:
    options = _parser().parse_args()
    try:
        install()
        with tempfile.TemporaryDirectory(prefix="danhba-bench-") as name:
            folder = Path(name)
            if options.only == "logins":
                return _logins(options, folder)
            checks = "" if options.only == "hosts" else _checks(options, folder)
            hosts = "" if options.only == "check" else _hosts(options, folder)
    except (Failed, LabError) as error:
        say(str(error))
        return 1
    print(f"{hosts}\n{checks}")
    if options.people == SIZES:
        results.write(hosts, checks)
    return 0


def _logins(options: argparse.Namespace, folder: Path) -> int:
    for people in options.people:
        found = logins.logins(people, folder, options.runs, options.boot)
        print(logins.tables(found))
        if people == results.MIDDLE:
            logins.write(found, results.where())
    return 0


def _checks(options: argparse.Namespace, folder: Path) -> str:
    measured: dict[int, Size] = {}
    for people in options.people:
        say(f"checks of {people:,} officials ...")
        measured[people] = check(people, folder, options.runs)
        say("\n".join(table({people: measured[people]})))
    return results.of_checks(measured)


def _hosts(options: argparse.Namespace, folder: Path) -> str:
    measured: dict[int, Size] = {}
    for people in options.people:
        say(f"{people:,} officials ...")
        found = size(people, folder, options.runs, options.ansible_runs, options.boot)
        if people == results.MIDDLE:
            added(found.sample(ADDED), folder / f"{people}.yaml", options.runs)
        measured[people] = found
        say("\n".join(results.table({people: found})))
    return results.text(measured)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("script/benchmark", description=__doc__)
    parser.add_argument(
        "--people", type=int, nargs="+", default=SIZES, metavar="N",
        help="sizes; results.md is written only when all of %(default)s are measured",
    )  # fmt: skip
    parser.add_argument(
        "--only", choices=("hosts", "check", "logins"),
        help="hosts: plan and apply, on the lab; check: danhba check, without it; "
        "logins: of users through an edge, and memory: benchmarks/logins.md",
    )  # fmt: skip
    parser.add_argument("--runs", type=int, default=5, help="of everything but Ansible")
    parser.add_argument("--ansible-runs", type=int, default=5)
    parser.add_argument(
        "--no-boot", dest="boot", action="store_false", help="measure on the hosts as they are"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
