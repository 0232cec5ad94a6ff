"""Which mail is refused for a secrecy mark, over a corpus of hits and near-misses (Điều 4.4)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from marked import mail

from danhba.marks.message import Mark, look

CORPUS = Path(__file__).parent / "secrecy_marks.yaml"
REFUSED = {"hits": True, "missed": True, "passes": False, "false_alarms": False}
"""What ought to be done with each sort."""
WRONG = ("missed", "false_alarms")
HIT_RATE, FALSE_ALARM_RATE = 0.95, 0.02
"""At least, at most."""


@dataclass(frozen=True)
class Case:
    place: str
    sort: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}, {self.sort}: {self.text!r}"

    @property
    def is_refused(self) -> bool:
        message = mail(self.place, self.text)
        return any(isinstance(found, Mark) for found in look(message.as_bytes()))


def _cases() -> Iterator[Case]:
    for group in yaml.safe_load(CORPUS.read_text(encoding="utf-8")):
        for sort in REFUSED.keys() & group.keys():
            yield from (Case(group["place"], sort, text) for text in group[sort])


CASES = sorted(_cases(), key=str)


def test_rates_over_the_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    to_refuse = [case for case in CASES if REFUSED[case.sort]]
    to_pass = [case for case in CASES if not REFUSED[case.sort]]
    refused = {case for case in CASES if case.is_refused}
    hits, alarms = len(refused.intersection(to_refuse)), len(refused.intersection(to_pass))
    with capsys.disabled():
        print(
            f"\nsecrecy marks: {hits} of {len(to_refuse)} refused ({hits / len(to_refuse):.1%}), "
            f"{alarms} false alarms of {len(to_pass)} ({alarms / len(to_pass):.1%})"
        )
    wrong = [case for case in CASES if (case in refused) != REFUSED[case.sort]]
    assert [case for case in wrong if case.sort not in WRONG] == []
    assert [case for case in CASES if case.sort in WRONG and case not in wrong] == []
    assert len(CASES) >= 120 and min(len(to_refuse), len(to_pass)) >= 60
    assert hits / len(to_refuse) >= HIT_RATE
    assert alarms / len(to_pass) <= FALSE_ALARM_RATE


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_how_letters_are_composed_changes_nothing(form: str) -> None:
    for case in CASES:
        if case.place in ("subject", "text", "file name"):
            other = Case(case.place, case.sort, unicodedata.normalize(form, case.text))
            assert other.is_refused == case.is_refused, case


def test_a_quoted_text_is_judged_as_before() -> None:
    for case in CASES:
        if case.place == "text":
            quoted = "".join(f"> {line}\n" for line in case.text.splitlines())
            assert Case("text", case.sort, quoted).is_refused == case.is_refused, case
