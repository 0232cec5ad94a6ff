"""What the programs on hosts share: queues of Postfix."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any


def queue(config: str) -> Iterator[dict[str, Any]]:
    """The messages in a queue of Postfix. config: its directory. Raises CalledProcessError."""
    argv = ["postqueue", "-c", config, "-j"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for row in process.stdout:
            yield json.loads(row)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv)


def recipients(message: dict[str, Any]) -> list[str]:
    """Those that it has not been delivered to, in small letters."""
    return [each["address"].lower() for each in message["recipients"]]


def flush(configs: Sequence[str]) -> None:
    """What is in queues is tried again now."""
    for config in configs:
        subprocess.run(["postqueue", "-c", config, "-f"], check=True)
