"""The daemon: python3 -m abuse CONFIGURATION."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Thread

from .alive import say_so
from .bounces import follow
from .desk import Desk
from .milter import serve

if __name__ == "__main__":
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    desk = Desk(config["desk"])
    Thread(target=follow, args=(desk,), daemon=True).start()
    Thread(target=say_so, daemon=True).start()
    serve(config["socket"], desk, config["domain"], config["header"])
