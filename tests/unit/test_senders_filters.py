"""What filters send: by the header and the envelope that Dovecot gives a message."""

from __future__ import annotations

import pytest

from danhba.senders.filters import Verdict, kind, verdict
from danhba.senders.rule import Wrong

DOMAIN = "angiang.gov.vn"
ME, OLD, NEW, AGENCY, OTHER = (
    f"{name}@{DOMAIN}" for name in ("nvan", "lttha", "ltnha", "sotaichinh", "ttkngan")
)
ABROAD = "lan@ngoaitinh.test"
OWNERS = {
    ME: frozenset([ME]),
    NEW: frozenset([OLD]),
    AGENCY: frozenset([AGENCY, ME]),
    OTHER: frozenset([OTHER]),
}
SIEVE = ("x-sieve", b" Pigeonhole Sieve")
REDIRECTED = (SIEVE, ("x-sieve-redirected-from", ME.encode()))


def _judge(sender: str, to: str, *fields: tuple[str, bytes]) -> Verdict:
    return verdict(sender, [to], fields, DOMAIN, lambda name: OWNERS.get(name, frozenset()))


def _answer(sender: str, name: str, *more: tuple[str, bytes]) -> Verdict:
    fields = (SIEVE, ("message-id", b" <x@y>"), ("from", f" {name}".encode()), *more)
    return _judge(sender, ABROAD, *fields)


@pytest.mark.parametrize("sender", ["", ME, ABROAD])
def test_a_redirect_goes_to_whoever_is_inside(sender: str) -> None:
    fields = (*REDIRECTED, ("from", ABROAD.encode()))
    assert _judge(sender, OTHER, *fields) is None
    assert _judge(sender, OTHER.upper(), *fields) is None
    assert _judge(sender, ABROAD, *fields) == "leaves"


@pytest.mark.parametrize(
    "to",
    [
        f"lan%ngoaitinh.test@{DOMAIN}",
        f"ngoaitinh.test!lan@{DOMAIN}",
        f'"lan@ngoaitinh.test"@{DOMAIN}',
        f"@{DOMAIN}:lan@ngoaitinh.test",
        f"nvan@mail.{DOMAIN}",
        "nvan@angiangxgov.vn",
        "nvan",
        "",
    ],
)
def test_ways_round_are_outside(to: str) -> None:
    assert _judge("", to, *REDIRECTED) == "leaves"


def test_one_recipient_outside_is_enough() -> None:
    assert verdict("", [OTHER, ABROAD], REDIRECTED, DOMAIN, OWNERS.__getitem__) == "leaves"


@pytest.mark.parametrize(
    ("sender", "name"), [(ME, ME), (ME, AGENCY), (NEW, NEW), (OLD, NEW), (AGENCY, AGENCY)]
)
def test_an_answer_in_ones_own_name_goes_without_sender(sender: str, name: str) -> None:
    assert _answer(sender, name) is None


@pytest.mark.parametrize(
    ("sender", "name"),
    [(ME, OTHER), (ME, ABROAD), (ME, NEW), (AGENCY, ME), (NEW, OLD), (ABROAD, ABROAD), (ME, "x")],
)
def test_an_answer_in_anothers_name_is_refused(sender: str, name: str) -> None:
    found = _answer(sender, name)
    assert isinstance(found, Wrong) and found.field == "From"


def test_a_part_of_mime_is_no_way_round() -> None:
    assert _answer(ME, ME, ("from", OTHER.encode())) == Wrong("From", "several")
    as_if = (("x-sieve", b"x"), ("x-sieve-redirected-from", b"x"))
    assert _answer(ME, OTHER, *as_if) == Wrong("From", "foreign")


def test_a_rejection_is_the_postmasters() -> None:
    own = ("from", f" Postmaster <postmaster@{DOMAIN}>".encode())
    assert _judge("", ABROAD, ("message-id", b" <x@y>"), own) is None
    assert _judge("", ABROAD, ("message-id", b" <x@y>"), ("from", ME.encode())) == Wrong(
        "From", "foreign"
    )


def test_what_has_no_header_is_refused() -> None:
    assert _judge("", ABROAD) == Wrong("From", "missing")


@pytest.mark.parametrize(
    ("sender", "first", "what"),
    [
        (ME, REDIRECTED, "redirect"),
        ("", REDIRECTED, "redirect"),
        (ME, (SIEVE,), "answer"),
        (ME, REDIRECTED[::-1], "answer"),
        ("", (SIEVE,), "rejection"),
    ],
)
def test_what_it_is_that_a_filter_sends(
    sender: str, first: tuple[tuple[str, bytes], ...], what: str
) -> None:
    assert kind(sender, (*first, ("message-id", b" <x@y>"))) == what
