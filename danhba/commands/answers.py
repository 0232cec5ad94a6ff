"""What hosts answer to a question of the command line, and why others do not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from pyinfra.api.host import Host

from danhba.commands.common import tell
from danhba.engine import EngineError, Session, session
from danhba.inventory import Environment

Request = Mapping[str, Any]


def ask(
    env: Environment, step: str, request: Callable[[str], Request]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """By host, what its step answers, and why the others are silent: somebody waits, and one dead
    host, or one dead daemon, is no reason to leave the others unasked. request: by name of host."""
    with session(env, partly=True) as hosts:
        found = hosts.each(lambda host: _answer(hosts, host, step, request(host.name)))
        silent = dict.fromkeys(hosts.absent, "does not answer")
    silent |= {name: said for name, said in found.items() if isinstance(said, str)}
    return {name: said for name, said in found.items() if not isinstance(said, str)}, silent


def _answer(hosts: Session, host: Host, step: str, request: Request) -> dict[str, Any] | str:
    try:
        return hosts.step(host, step, request)
    except EngineError as error:
        return str(error)


def tell_silent(silent: Mapping[str, str], meaning: str) -> None:
    """Which hosts were not asked, and what that means; if any, the exit status is 1."""
    for name, reason in silent.items():
        tell(f"{name}: {reason}: {meaning}")
    if silent:
        sys.exit(1)
