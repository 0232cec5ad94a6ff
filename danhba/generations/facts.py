"""The pyinfra fact: all about a host in one remote command."""

from __future__ import annotations

from typing import Any

from pyinfra.api.facts import FactBase

from danhba.generations.remote import COMMAND, answer


class Report(FactBase[dict[str, Any]]):
    """What a host is. Ask with `_stdin=remote.stdin("report", generation.question())`.

    Answers the dictionary of host/report.py; raises pyinfra's FactError when the host has no
    python3 or the question fails.
    """

    def command(self) -> str:  # type: ignore[override, unused-ignore]
        return COMMAND

    def process(self, output: list[str]) -> dict[str, Any]:
        return answer(output)
