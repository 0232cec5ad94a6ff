"""Mail goes from the archive when its years are over, by the rule that its chain then tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from archives import AN, DAY, HA, LAN, XA, Vault

from danhba.generations.host import expiry as step
from danhba.generations.host.common import Refused
from danhba.journal import entry, expiry
from danhba.journal.expiry import Rules, due, expire, finish, is_unfinished, ranges
from danhba.journal.verify import verify

YEARS = {"": 10, "xa": 5}
KINDS = {"sotaichinh": "so", "myhoa": "xa"}
WORDS: dict[str, Any] = {"timezone": "Asia/Ho_Chi_Minh", "years": YEARS, "holds": []}
FIVE, TEN = date(2031, 11, 27), date(2036, 11, 27)
"""The first days after the years of what passed on 2026-11-26."""


def rules(**other: Any) -> Rules:
    return Rules.of(WORDS | other, KINDS)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """A message of a Sở, one of a commune, one of both, one of nobody's; the next day another."""
    vault = Vault(tmp_path / "journal")
    vault.mail(LAN, AN)
    vault.mail(LAN, XA)
    vault.mail(AN, XA)
    vault.mail("khach@ngoaitinh.test", LAN)
    vault.now += DAY
    vault.mail(LAN, HA)
    yield vault
    vault.archive.close()


def told(vault: Vault, day: date, of: Rules | None = None) -> list[tuple[str, str, int]]:
    found = due(vault.root, of or rules(), day)
    return [(each.segment.name, each.kept_as, len(each.numbers)) for each in found]


FIRST, SECOND = "2026/11/26/0001", "2026/11/27/0001"


def test_what_is_due_is_due_on_the_day_after_its_last(vault: Vault) -> None:
    assert told(vault, date(2031, 11, 26)) == []
    assert told(vault, FIVE) == [(FIRST, "xa", 1)]
    assert told(vault, date(2036, 11, 26)) == [(FIRST, "xa", 1)]
    assert told(vault, TEN) == [(FIRST, "", 1), (FIRST, "so", 2), (FIRST, "xa", 1)]
    assert told(vault, date(2036, 11, 28))[-1] == (FIRST, "xa", 1)
    assert (SECOND, "so", 1) in told(vault, date(2036, 11, 28))


def test_a_message_is_kept_as_long_as_any_party_asks_for_today(vault: Vault) -> None:
    """What was the longest when it passed may not be it any more."""
    longer = rules(years={"": 10, "xa": 20})
    assert told(vault, TEN, longer) == [(FIRST, "", 1), (FIRST, "so", 1)]


def going(vault: Vault, day: date, of: Rules | None = None) -> int:
    wanted = [each.words for each in due(vault.root, of or rules(), day)]
    return expire(vault.root, of or rules(), day, wanted, "an@may", vault.log)


def at(vault: Vault, day: date) -> None:
    vault.now += (day - date(2026, 11, 27)).days * DAY


def test_what_goes_is_gone_and_the_chain_tells_by_which_rule(vault: Vault) -> None:
    at(vault, FIVE)
    assert going(vault, FIVE) == 1
    found = vault.lines()[-1]
    assert found["kind"] == "expired" and found["entries"] == [[2, 2]]
    assert (found["class"], found["years"], found["who"]) == ("xa", 5, "an@may")
    report = verify(vault.root)
    assert report.findings == [] and report.removed == {("xa", 5): 1}
    assert told(vault, FIVE) == []
    assert going(vault, FIVE) == 0


def test_a_segment_of_which_all_is_gone_has_no_contents_any_more(vault: Vault) -> None:
    at(vault, TEN)
    vault.mail()
    assert going(vault, TEN) == 4
    assert not (vault.root / f"{FIRST}.data").exists()
    assert (vault.root / f"{FIRST}.chain").exists() and (vault.root / f"{SECOND}.data").exists()
    assert verify(vault.root).findings == []


def test_nothing_goes_that_was_not_shown(vault: Vault) -> None:
    at(vault, TEN)
    wanted = [{"segment": FIRST, "class": "so"}, {"segment": SECOND, "class": "so"}]
    assert expire(vault.root, rules(), TEN, wanted, "an@may", vault.log) == 2
    assert told(vault, TEN) == [(FIRST, "", 1), (FIRST, "xa", 1)]


def test_a_hold_keeps_what_it_covers_and_lets_go_when_it_ends(vault: Vault) -> None:
    at(vault, TEN)
    hold = {"case": "7/YC-TTr", "addresses": [AN], "first": "2026-11-26", "last": "2026-11-26"}
    held = rules(holds=[hold])
    [of_so] = [each for each in due(vault.root, held, TEN) if each.kept_as == "so"]
    assert (of_so.numbers, of_so.held) == ([], {"7/YC-TTr": 2})
    assert going(vault, TEN, held) == 2
    assert told(vault, TEN, held) == [(FIRST, "so", 0)]
    assert told(vault, TEN) == [(FIRST, "so", 2)]
    for other in ({"last": "2026-11-25"}, {"first": "2026-11-27"}, {"addresses": [HA]}):
        some = rules(holds=[hold | {"last": ""} | other])
        assert told(vault, TEN, some) == [(FIRST, "so", 2)], other


def test_what_was_written_while_the_clock_was_wrong_keeps_its_years(tmp_path: Path) -> None:
    """The vault boots in 2000: such mail is as old as its segment, for holds as well."""
    vault = Vault(tmp_path / "journal")
    vault.mail()
    right = vault.now
    vault.now = entry.seconds("2000-01-01T03:00:00Z")
    vault.mail(LAN, AN)
    vault.now = right + 60
    vault.mail()
    assert told(vault, date(2026, 11, 27)) == []
    assert told(vault, TEN) == [(FIRST, "so", 3)]
    hold = {"case": "7/YC-TTr", "addresses": [AN], "first": "2026-11-26", "last": ""}
    assert told(vault, TEN, rules(holds=[hold])) == [(FIRST, "so", 0)]
    vault.archive.close()


def test_an_expiry_that_trusts_a_wrong_clock_is_found(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "journal")
    vault.mail()
    right = vault.now
    vault.now = entry.seconds("2000-01-01T03:00:00Z")
    vault.mail()
    vault.now = right + 60
    [of] = [each for each in vault.lines() if each["time"] < "2001" and each["kind"] == "mail"]
    vault.log("expired", {
        "who": "an", "segment": FIRST, "class": "so", "years": 10,
        "before": "2016-11-26T00:00:00.000Z", "entries": [[of["n"], of["n"]]], "messages": 1,
    })  # fmt: skip
    expiry.empty(vault.root, expiry.named(FIRST), [(of["at"], of["length"])])
    vault.archive.close()
    assert "too young" in verify(vault.root).findings[0].what


def test_what_stays_keeps_nothing_behind_it_from_going(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "MOST", 1)
    monkeypatch.setattr(expiry, "_PAGE", 1)
    hold = {"case": "7/YC-TTr", "addresses": [AN], "first": "2026-11-26", "last": ""}
    later = date(2036, 11, 28)
    assert told(vault, later, rules(holds=[hold]))[:2] == [(FIRST, "", 1), (FIRST, "so", 0)]
    assert (SECOND, "so", 1) in told(vault, later, rules(holds=[hold]))
    assert told(vault, later)[1:] == [(FIRST, "so", 1), (FIRST, "xa", 1)]


def test_nothing_goes_when_the_chain_takes_no_entry(vault: Vault) -> None:
    def refusing(*_: Any) -> int:
        raise OSError("the journal does not answer")

    before = (vault.root / f"{FIRST}.data").read_bytes()
    wanted = [each.words for each in due(vault.root, rules(), TEN)]
    with pytest.raises(OSError, match="does not answer"):
        expire(vault.root, rules(), TEN, wanted, "an@may", refusing)
    assert (vault.root / f"{FIRST}.data").read_bytes() == before


def test_what_a_cut_leaves_is_ended_by_the_next_run(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(vault, FIVE)
    vault.mail()

    def cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(expiry, "empty", cut)
        with pytest.raises(KeyboardInterrupt):
            going(vault, FIVE)
    assert told(vault, FIVE) == [] and is_unfinished(vault.root)
    assert verify(vault.root).removed == {}
    finish(vault.root)
    assert not is_unfinished(vault.root)
    assert verify(vault.root).removed == {("xa", 5): 1}


def test_a_file_system_without_holes_gets_zeros(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Libc:
        @staticmethod
        def fallocate(*_: Any) -> int:
            return -1

    monkeypatch.setattr(expiry.ctypes, "CDLL", lambda *_, **__: Libc)
    monkeypatch.setattr(expiry.ctypes, "get_errno", lambda: expiry.errno.EOPNOTSUPP)
    at(vault, FIVE)
    assert going(vault, FIVE) == 1
    assert verify(vault.root).removed == {("xa", 5): 1}


def test_an_index_that_lies_lets_nothing_go(vault: Vault) -> None:
    vault.archive.index.db.execute("UPDATE entries SET time = '2001-01-01T00:00:00.000Z'")
    assert told(vault, date(2027, 1, 1)) == []
    vault.archive.index.db.execute("UPDATE entries SET class = 'xa'")
    with pytest.raises(ValueError, match="not as the index has it"):
        due(vault.root, rules(), FIVE)


def test_an_index_made_again_knows_what_is_gone(vault: Vault) -> None:
    at(vault, FIVE)
    going(vault, FIVE)
    vault.archive.close()
    (vault.root / "index.db").unlink()
    vault.__post_init__()
    assert told(vault, FIVE) == []


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [([], []), ([3], [[3, 3]]), ([3, 1, 2, 7, 9, 8], [[1, 3], [7, 9]])],
)
def test_ranges(numbers: list[int], wanted: list[list[int]]) -> None:
    assert ranges(numbers) == wanted


# The step on the host

QUESTION = {"argv": ["false"], "rules": WORDS, "day": "2036-11-27"}


def test_before_the_first_apply_there_is_nothing_to_ask() -> None:
    nothing = {"due": [], "unfinished": False, "error": ""}
    assert step.state(QUESTION, None) == step.state(QUESTION, {"expiry": None}) == nothing


def test_an_archive_that_does_not_answer_keeps_nobody_from_a_plan() -> None:
    said = step.state(QUESTION, {"expiry": {"argv": ["sh", "-c", "echo weg >&2; exit 1"]}})
    assert said["due"] == [] and said["error"].endswith("weg")


def test_a_host_without_an_archive_lets_nothing_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "must_hold", lambda token: None)
    monkeypatch.setattr(step, "manifest_of", lambda digest: {"expiry": None})
    with pytest.raises(Refused, match="no word that it keeps the archive"):
        step.carry_out({"token": "t", "day": "2036-11-27", "who": "an", "expiries": []})
