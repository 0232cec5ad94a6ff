"""What an engineer reads when hosts cannot be reached (danhba.engine)."""

from __future__ import annotations

import logging

import pytest
from pyinfra.api.exceptions import PyinfraError
from test_relocation import host

from danhba import engine
from danhba.engine import EngineError, session
from danhba.inventory import Environment


@pytest.mark.parametrize(
    ("logged", "told"),
    [
        (
            "[vault1] Could not connect ([Errno None] Unable to connect to port 22 on 192.0.2.9)",
            "vault1 does not answer: see that it runs (Unable to connect to port 22 on 192.0.2.9)",
        ),
        (
            "[vault1] Could not connect (timed out)",
            "vault1 does not answer: see that it runs (timed out)",
        ),
        ("[vault1] SSH host key error (x)", "[vault1] SSH host key error (x)"),
    ],
)
def test_a_host_that_is_off_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, logged: str, told: str
) -> None:
    def connect_all(_: object) -> None:
        logging.getLogger("pyinfra").error(logged)
        raise PyinfraError("No hosts remaining!")

    monkeypatch.setattr(engine, "connect_all", connect_all)
    env = Environment("e", (host("vault1", 9, "vault"),))
    with pytest.raises(EngineError) as refused, session(env, limit="vault1"):
        pass
    assert str(refused.value) == told
