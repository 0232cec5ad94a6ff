"""python3 -m signing CONFIGURATION first|show|rotate|again|health: JSON, of health lines."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from . import rotation
from .pairs import Home


def main(config: str, word: str) -> None:
    found = json.loads(Path(config).read_text(encoding="utf-8"))
    home = Home(Path(found["place"]), found["host"], found["domain"], found["user"])
    with home.locked():
        if word == "first":
            rotation.first(home)
        elif word == "health":
            print("\n".join(rotation.troubles(home, home.read())))
        else:
            done = [] if word == "show" else rotation.rotate(home, word == "again")
            keys = home.read()
            view = rotation.look(home, keys)
            pairs = rotation.state(home, keys, view, time.time())
            print(json.dumps({"done": done, "trouble": view.trouble, "pairs": pairs}))


if __name__ == "__main__":
    main(*sys.argv[1:])
