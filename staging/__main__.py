"""script/staging: see --help."""

from __future__ import annotations

import argparse
import sys

from staging.lab import Lab
from staging.shell import LabError


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--down", action="store_true")
    parser.add_argument("--purge", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--boot-only", action="store_true")
    args = parser.parse_args()
    try:
        lab = Lab.open()
        if args.down:
            lab.down(args.purge)
        else:
            lab.boot(args.fresh)
    except LabError as error:
        print(f"[staging] {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
