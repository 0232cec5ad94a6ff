"""script/benchmark: measures every size, prints the tables, writes benchmarks/results.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import results
from benchmarks.added import added
from benchmarks.ansible import install
from benchmarks.nothing import ADDED, Size, size
from benchmarks.timing import Failed
from staging.shell import LabError, say

SIZES = [1_000, results.MIDDLE, 100_000]


def main() -> int:
    options = _parser().parse_args()
    measured: dict[int, Size] = {}
    try:
        install()
        with tempfile.TemporaryDirectory(prefix="danhba-bench-") as name:
            for people in options.people:
                say(f"{people:,} officials ...")
                found = size(people, Path(name), options.runs, options.ansible_runs, options.boot)
                if people == results.MIDDLE:
                    added(found.sample(ADDED), Path(name) / f"{people}.yaml", options.runs)
                measured[people] = found
                say("\n".join(results.table({people: found})))
    except (Failed, LabError) as error:
        say(str(error))
        return 1
    text = results.text(measured)
    print(text)
    if options.people == SIZES:
        results.PATH.write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("script/benchmark", description=__doc__)
    parser.add_argument(
        "--people", type=int, nargs="+", default=SIZES, metavar="N",
        help="sizes; results.md is written only when all of %(default)s are measured",
    )  # fmt: skip
    parser.add_argument("--runs", type=int, default=5, help="of everything but Ansible")
    parser.add_argument("--ansible-runs", type=int, default=5)
    parser.add_argument(
        "--no-boot", dest="boot", action="store_false", help="measure on the hosts as they are"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
