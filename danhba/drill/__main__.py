"""The command line; see danhba.drill."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .agent import ask, certify, fetch, health, looked, pack, sweep
from .config import Config
from .machine import NotScratch
from .places import Places


def main(argv: Sequence[str]) -> None:
    places = Places()
    match argv[2:]:
        case ["fetch"]:
            secrets = Path(os.environ["CREDENTIALS_DIRECTORY"], "backup.secret")
            fetch(Config.read(argv[1]), places, secrets)
        case ["look"]:
            looked(Config.read(argv[1]), places)
        case ["sweep"]:
            sweep(places)
        case ["certify"]:
            certify(Config.read(argv[1]), places)
        case ["ask"]:
            print(pack(ask(places, json.load(sys.stdin))), end="")
        case ["health"]:
            with contextlib.suppress(BrokenPipeError):
                print(*health(places), sep="\n")
        case _:
            sys.exit(f"no step of a drill: {argv[2:]}")


if __name__ == "__main__":
    try:
        main(sys.argv)
    except NotScratch as error:
        sys.exit(str(error))
