"""A people host to work with: the first one that answers."""

from __future__ import annotations

from collections.abc import Callable

from danhba.engine import EngineError, session
from danhba.inventory import Environment, Host


def answering(env: Environment, base: str, tell: Callable[[str], None]) -> Host:
    """The first people host whose LDAP answers; what is wrong with those before it is told.

    base: suffix of the tree. Raises EngineError when none does.
    """
    for host in env.having("people"):
        try:
            if not (error := _error(env, host, base)):
                return host
        except EngineError as failure:
            error = str(failure)
        tell(f"{host.name}: {error}")
    raise EngineError("no people host answers; nothing was changed")


def _error(env: Environment, host: Host, base: str) -> str:
    with session(env, host.name) as hosts:
        answers = hosts.each(lambda each: hosts.step(each, "answers", {"base": base}))
    return str(answers[host.name]["error"])
