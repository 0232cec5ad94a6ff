"""What the programs on hosts share: queues of Postfix, and the time in their names."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
"""Of a long queue id, whose first characters are the time (postconf(5), enable_long_queue_ids)."""
_MICROSECONDS = 4
"""Characters; those before them are the seconds since 1970, six of them until the year 2596."""


def arrived(identity: str) -> int | None:
    """When an edge accepted the message of a journal id, in seconds since 1970; None for a queue
    id that does not say."""
    time, mark, inode = identity.rpartition("/")[2].rpartition("z")
    digits = time[:-_MICROSECONDS]
    if not mark or not inode or len(digits) < 6 or not set(time) <= set(_DIGITS):
        return None
    second = 0
    for digit in digits:
        second = second * len(_DIGITS) + _DIGITS.index(digit)
    return second


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
