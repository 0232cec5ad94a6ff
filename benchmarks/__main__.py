"""script/benchmark: measures every size, prints the tables, writes benchmarks/results.md.

--only logins, standby, search, filters, journal, restore, people (several of them on one boot of
the lab): 30,000 officials when no --people say otherwise; of 30,000 each writes a page of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import filters, journal, logins, restore, results, search, standby
from benchmarks import people as ldap
from benchmarks.added import added
from benchmarks.ansible import install
from benchmarks.applied import applied
from benchmarks.check import check, table
from benchmarks.nothing import ADDED, Size, size
from benchmarks.timing import Failed
from staging.shell import LabError, say

SIZES = [1_000, results.MIDDLE, 100_000]
PAGES = {
    "logins": logins,
    "standby": standby,
    "search": search,
    "filters": filters,
    "journal": journal,
    "restore": restore,
    "people": ldap,
}
"""In this order: the last one takes away the passwords that the first one sets."""
PARTS = ("hosts", "check")


def main() -> int:
    options = _parser().parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="danhba-bench-") as name:
            folder = Path(name)
            if pages := [page for page in PAGES if page in options.only]:
                _pages(pages, options, folder)
            if any(part in options.only for part in PARTS):
                _results(options, folder)
    except (Failed, LabError) as error:
        say(str(error))
        return 1
    return 0


def _pages(pages: Sequence[str], options: argparse.Namespace, folder: Path) -> None:
    for count in options.people or [results.MIDDLE]:
        say(f"{count:,} officials ...")
        on = applied(count, folder, options.boot)
        for page in pages:
            module = PAGES[page]
            more = {"messages": options.messages} if page == "search" else {}
            tables = module.measured(on, options.runs, **more)
            print(tables, flush=True)
            if count == results.MIDDLE:
                results.write_page(module.PATH, module.HEAD, tables)
        on.apply()  # else the lab might be left without people


def _results(options: argparse.Namespace, folder: Path) -> None:
    install()
    options.people = options.people or SIZES
    checks = _checks(options, folder) if "check" in options.only else ""
    hosts = _hosts(options, folder) if "hosts" in options.only else ""
    print(f"{hosts}\n{checks}")
    if options.people == SIZES:
        results.write(hosts, checks)


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
    parser = argparse.ArgumentParser(
        "script/benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--people", type=int, nargs="+", metavar="N",
        help=f"sizes; results.md is written only when all of {SIZES} are measured",
    )  # fmt: skip
    parser.add_argument(
        "--only", choices=(*PARTS, *PAGES), nargs="+", default=PARTS, metavar="WHAT",
        help="hosts: plan and apply, on the lab; check: danhba check, without it; logins: of users "
        "through an edge, and memory; standby: copies beside deliveries; search: in a folder of "
        "--messages; filters: mail through them; journal: mail with and without; "
        "restore: of a mailbox; people: LDAP; default: hosts check",
    )  # fmt: skip
    parser.add_argument("--messages", type=int, default=search.MESSAGES, metavar="N")
    parser.add_argument("--runs", type=int, default=5, help="of everything but Ansible")
    parser.add_argument("--ansible-runs", type=int, default=5)
    parser.add_argument(
        "--no-boot", dest="boot", action="store_false", help="measure on the hosts as they are"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
