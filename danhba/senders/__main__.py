"""The daemon: python3 -m senders CONFIGURATION."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .milter import serve
from .table import Table

if __name__ == "__main__":
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    serve(config["socket"], Table(Path(config["table"])))
