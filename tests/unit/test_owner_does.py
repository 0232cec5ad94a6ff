"""The record names what a command does, where it does several things."""

from __future__ import annotations

from danhba.owner import does, me


def test_what_is_done_is_said_meanwhile() -> None:
    with does("failover"):
        assert me()["does"] == "failover"
    assert "does" not in me()
    assert me()["token"] == me()["token"]
