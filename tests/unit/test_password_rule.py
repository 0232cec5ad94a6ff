"""The rule for passwords: what tests/mail/test_mail_passwords.py asks slapd again."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passwords import ABOUT, BAD, GOOD, KNOWN

from danhba import passphrase, password_rule
from danhba.password_rule import MOST_BYTES, Rule, fold, words

RULE = Rule(12, KNOWN)


@pytest.mark.parametrize("password", GOOD)
def test_a_good_one_passes(password: str) -> None:
    assert RULE.objection(password, ABOUT) == ""


@pytest.mark.parametrize(("password", "reason"), BAD.items())
def test_a_bad_one_is_refused_for_its_reason(password: str, reason: str) -> None:
    assert reason in RULE.objection(password, ABOUT)


def test_what_is_one_persons_name_may_be_anothers_word() -> None:
    assert RULE.objection("Dương Thị Bích Thủy 1990", ["Dương Thị Bích Thủy"])
    assert not RULE.objection("Dương Thị Bích Thủy 1990", ["Lê Văn Tám"])


def test_the_length_is_that_of_policy_and_counts_letters_not_bytes() -> None:
    letters = "ửợậễỡữẵẩýọề"
    assert "ngắn" in RULE.objection(letters)
    assert Rule(len(letters)).objection(letters) == ""


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="abcdeghiklmnopqrstuvxyăâđêôơưáàảãạ ", max_size=30), max_size=4))
def test_whatever_is_generated_passes_whoever_it_is_for(about: list[str]) -> None:
    plain, _ = passphrase.issue(Rule(18, KNOWN), about)
    assert Rule(18, KNOWN).objection(plain, about) == ""


def test_hardly_any_passphrase_has_to_be_drawn_again() -> None:
    drawn = [passphrase.new() for _ in range(100)]
    assert [plain for plain in drawn if Rule(18, KNOWN).objection(plain, ABOUT)] == []


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_no_text_makes_the_rule_fail(text: str) -> None:
    said = RULE.objection(text, [text])
    assert said == "" or (said.startswith("Mật khẩu ") and said.endswith("."))


def test_the_longest_is_judged_and_more_is_refused() -> None:
    longest = "thốt nốt " * 40
    fits = longest.encode()[:MOST_BYTES].decode(errors="ignore").strip()
    assert "dài" not in RULE.objection(fits)
    assert "dài" in RULE.objection(longest.strip())


def test_no_more_is_looked_at_than_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def estimate(password: str, user_inputs: list[str]) -> dict[str, int]:
        seen.append(password)
        return {"guesses": 10**20}

    monkeypatch.setattr(password_rule, "zxcvbn", estimate)
    RULE.objection("4@8({[<369&#!0$5+7%2" * 10, ABOUT)
    assert {len(each) for each in seen} == {32}


def test_the_list_is_written_as_passwords_are_looked_at() -> None:
    """What is written otherwise, or longer, never matches."""
    rows = password_rule.common()
    assert [row for row in rows if not re.fullmatch("[a-z0-9]+", row)] == []
    assert max(map(len, rows)) <= password_rule.LOOKED_AT
    assert len(set(rows)) == len(rows)


def test_reasons_never_have_the_password_in_them() -> None:
    for password in BAD:
        assert password not in RULE.objection(password, ABOUT)


def test_names_are_known_in_every_way_people_write_them() -> None:
    found = words(["Nguyễn Văn Đức"])
    assert {"nguyenvanduc", "vanduc", "duc", "nvd", "nguyen van duc"} <= set(found)
    assert fold(unicodedata.normalize("NFD", "Đặng Ửng")) == "dang ung"
