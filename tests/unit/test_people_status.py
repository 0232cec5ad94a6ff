"""What danhba status says of people hosts, from what they answered."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from danhba.commands.people_status import troubles
from danhba.generations.host import peers
from danhba.generations.host.common import Refused

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
    def search(
        *arguments: str, peer: str = "", limit: float = 0
    ) -> subprocess.CompletedProcess[bytes]:
        silent = "cn=Monitor" in arguments[1] and peer == ""
        said = b"" if silent else f"dn: x\nmonitorTimestamp: 20261125210923Z\ncontextCSN: {ONE}\n"
        return subprocess.CompletedProcess([], 0, said if silent else said.encode(), b"")

    monkeypatch.setattr(peers, "search", search)
    assert peers.ask("dc=x", "store2") == {
        "stamps": {}, "clock": 0, "error": "slapd does not say what time it is"
    }  # fmt: skip
    # A blank machine has no slapd that could say it, and may be filled when the other one answers.
    peers.must_not_be_elsewhere({"base": "dc=x", "peers": ["store2"], "here": []})


class Clock:
    """Time that passes by waiting; slapd is asked, and restarted, without a host."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *standings: peers.Standing) -> None:
        self.now, self.ran, self.standings = 0.0, [], list(standings)
        monkeypatch.setattr(peers.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(peers.time, "sleep", self.sleep)
        monkeypatch.setattr(peers, "run", self.run)
        monkeypatch.setattr(peers.Standing, "of", lambda tree: self.standings[0])

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self, argv: list[str]) -> None:
        self.ran.append((round(self.now), argv))
        self.standings = self.standings[1:] or self.standings


def standing(own: dict[str, Any], behind: bool, silent: str = "") -> peers.Standing:
    others = {"store2": silent} if silent else {}
    return peers.Standing(own, {}, ["store2"] if behind else [], others, own["stamps"])


HERE: dict[str, Any] = {"base": "dc=x", "peers": ["store2"], "here": ["store2"]}


def test_a_slapd_that_stands_still_is_restarted_once_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, standing(answer(ONE), True), standing(answer(ONE, TWO), False))
    told = peers.catch_up(HERE)
    assert clock.ran == [(peers.STILL, ["systemctl", "restart", "slapd.service"])]
    assert told == ["slapd did not take what store2 has; it was restarted after 15 s"]


def test_what_does_not_come_after_a_restart_either_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, standing(answer(ONE), True))
    with pytest.raises(Refused, match="lacks changes of store2, and did not get them"):
        peers.catch_up(HERE)
    assert len(clock.ran) == 1
    assert clock.now < peers.STILL + peers.CLOSED + 2


def test_a_slapd_here_that_says_nothing_is_named_for_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Clock(monkeypatch, standing(answer(error="Can't contact LDAP server"), False))
    with pytest.raises(Refused, match=r"LDAP here does not answer \(Can't contact LDAP server\)"):
        peers.catch_up({**HERE, "peers": [], "here": []})


def test_who_has_all_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for own in (standing(answer(ONE), False, "dead"), standing(answer(), False)):
        clock = Clock(monkeypatch, own)
        assert peers.catch_up({**HERE, "here": []}) == []
        assert clock.now == 0


def test_an_empty_tree_beside_a_silent_host_of_another_run_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, standing(answer(), False, "no route"))
    with pytest.raises(Refused, match=r"LDAP here is empty.*\(store2: no route\)"):
        peers.catch_up({**HERE, "here": []})
    assert clock.now == 0
    with pytest.raises(Refused, match="LDAP here is empty"):
        peers.catch_up(HERE)  # its slapd is being started by the same run
    assert clock.now > peers.STILL
    assert not clock.ran


def test_a_clock_may_differ_a_little() -> None:
    assert told(answer(ONE), answer(ONE, clock=-5)) == []
    assert "the clock of store2 differs by -6 s" in told(answer(ONE), answer(ONE, clock=-6))[0]
