"""What danhba status says of people hosts, from what they answered."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from danhba.commands.people_status import troubles
from danhba.generations.host import peers

ONE = "20261125210923.000000Z#000000#015#000000"
TWO = "20261125210935.500000Z#000000#016#000000"


def answer(*stamps: str, clock: int = 0, error: str = "") -> dict[str, Any]:
    held = {stamp.split("#")[2]: stamp for stamp in stamps}
    return {"stamps": held, "clock": clock, "error": error}


def told(own: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return list(troubles({"own": own, "peers": {"store2": other}}, "staging"))


def test_hosts_that_agree_and_hosts_without_people_say_nothing() -> None:
    assert told(answer(ONE, TWO), answer(TWO, ONE)) == []
    assert list(troubles(None, "staging")) == []


def test_who_has_more_than_the_other_is_not_the_one_that_lacks() -> None:
    assert told(answer(ONE, TWO), answer(ONE)) == []
    assert told(answer(ONE), answer(ONE, TWO)) == [
        "LDAP lacks changes that store2 has, the last of them 12 s newer than the last one here"
    ]


def test_an_empty_host_lacks_everything() -> None:
    assert told(answer(), answer(ONE)) == ["LDAP lacks changes that store2 has, all of them"]


def test_a_host_that_does_not_answer_is_named() -> None:
    assert "danhba apply staging" in told(answer(error="refused"), answer(ONE))[0]
    assert told(answer(ONE), answer(error="no route")) == [
        "LDAP of store2 cannot be asked from here: no route"
    ]


def test_a_clock_that_nobody_tells_is_not_that_of_1970(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*arguments: str, peer: str = "") -> subprocess.CompletedProcess[bytes]:
        silent = "cn=Monitor" in arguments[1] and peer == ""
        said = b"" if silent else f"dn: x\nmonitorTimestamp: 20261125210923Z\ncontextCSN: {ONE}\n"
        return subprocess.CompletedProcess([], 0, said if silent else said.encode(), b"")

    monkeypatch.setattr(peers, "search", search)
    assert peers.ask("dc=x", "store2") == {
        "stamps": {}, "clock": 0, "error": "slapd does not say what time it is"
    }  # fmt: skip


def test_a_clock_may_differ_a_little() -> None:
    assert told(answer(ONE), answer(ONE, clock=-5)) == []
    assert "the clock of store2 differs by -6 s" in told(answer(ONE), answer(ONE, clock=-6))[0]
