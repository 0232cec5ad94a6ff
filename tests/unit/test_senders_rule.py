"""Header fields that say who sent a message: whose they may be."""

from __future__ import annotations

import os
import re
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import getaddresses
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba.senders.refusal import UNABLE, refusal
from danhba.senders.rule import Field, Why, Wrong, wrong
from danhba.senders.table import Table

ME, AGENCY, OTHER = "nvan@angiang.gov.vn", "sotaichinh@angiang.gov.vn", "ttkngan@angiang.gov.vn"


def _own(address: str) -> bool:
    return address in (ME, AGENCY, "ha@kiengiang.gov.vn")


def _judge(*fields: str | bytes | tuple[str, str | bytes]) -> Wrong | None:
    """Of From fields, or of named ones, as a milter is given them."""
    named = [each if isinstance(each, tuple) else ("from", each) for each in fields]
    return wrong([(k, v.encode() if isinstance(v, str) else v) for k, v in named], _own)


OWN = {
    "bare": f" {ME}",
    "name": f" Nguyen Van An <{ME}>",
    "agency": f' "STC" <{AGENCY}>',
    "capitals": " <NVAN@AnGiang.GOV.VN>",
    "utf-8": f" Nguyễn Văn An <{ME}>",
    "utf-8, decomposed": f" Nguye\u0302\u0303n Va\u0306n An <{ME}>",
    "another code page": " Nguy\xean <nvan@angiang.gov.vn>".encode("latin-1"),
    "encoded": f" =?UTF-8?B?Tmd1eeG7hW4gVsSDbiBBbg==?= <{ME}>",
    "encoded and folded": f"\n =?utf-8?q?Nguy=E1=BB=85n?=\n =?utf-8?q?_V=C4=83n_An?=\r\n <{ME}>",
    "encoded in quotation marks": f' "=?utf-8?q?Nguy=E1=BB=85n?=" <{ME}>',
    "comma": f' "An, Nguyen Van" <{ME}>',
    "dots": f" Nguyen V. An <{ME}>",
    "comment": f" {ME} (Nguyễn Văn An (STC))",
    "own address as name": f' "{ME}" <{ME}>',
    "a sign": f' "An @ STC." <{ME}>',
    "two of one's own": f" {ME}, STC <{AGENCY}>",
    "group": f" Phong: {ME}, {AGENCY};",
    "no blank": f" =?utf-8?q?Nguy=E1=BB=85n?=<{ME}>",
    "unknown code page": f" =?vni?q?Nguye=E3n?= <{ME}>",
}


@pytest.mark.parametrize("value", OWN.values(), ids=OWN)
def test_what_names_the_sender_passes(value: str | bytes) -> None:
    assert _judge(value) is None


FOREIGN = {
    "colleague": f" {OTHER}",
    "outside": " lan@ngoaitinh.test",
    "another's name": f" Nguyễn Văn An <{OTHER}>",
    "one of two": f" {ME}, {OTHER}",
    "in a group": f" Phong: {ME}, {OTHER};",
    "name of a group": f' "{OTHER}": {ME};',
    "sub-address": " <nvan+a@angiang.gov.vn>",
    "sub-domain": " <nvan@mx1.angiang.gov.vn>",
    "longer domain": " <nvan@angiang.gov.vn.ngoaitinh.test>",
    "no domain": " nvan",
    "percent hack": " <ttkngan%angiang.gov.vn@ngoaitinh.test>",
    "address as name": f' "{OTHER}" <{ME}>',
    "address as bare name": f" =?utf-8?q?ttkngan=40angiang=2Egov=2Evn?= <{ME}>",
    "address encoded in quotation marks": f' "=?utf-8?b?dHRrbmdhbkBhbmdpYW5nLmdvdi52bg==?=" <{ME}>',
    "address in UTF-7": f" =?utf-7?q?ttkngan+AEA-angiang.gov.vn?= <{ME}>",
    "address in a comment": f" {ME} ({OTHER})",
    "address in letters of full width": f' "ｔｔｋｎｇａｎ＠ａｎｇｉａｎｇ．ｇｏｖ．ｖｎ" <{ME}>',
    "address with blanks": f' "ttkngan @ angiang.gov.vn" <{ME}>',
    "address in Cyrillic": f' "nv\u0430n@angiang.gov.vn" <{ME}>',
    "Kelvin": " <ha@\u212aiengiang.gov.vn>",
    "Cyrillic": " <nv\u0430n@angiang.gov.vn>",
    "UTF-8": " <thảo@angiang.gov.vn>",
    "IDN": " <nvan@angiang.gov.việt>",
    "IDN in ASCII": " <nvan@angiang.gov.xn--vit-8za>",
    "quoted": f' "tt kngan"@angiang.gov.vn, {ME}',
    "encoded address": " <=?utf-8?q?ttkngan?=@angiang.gov.vn>",
    "own name encoded as an address": " =?utf-8?q?nvan=40angiang.gov.vn?=",
    "literal": " <nvan@[198.18.0.11]>",
}


@pytest.mark.parametrize("value", FOREIGN.values(), ids=FOREIGN)
def test_what_names_somebody_else_is_refused(value: str) -> None:
    found = _judge(value)
    assert found is not None and found.why in ("foreign", "unreadable")


BROKEN = {
    "empty": "",
    "blank": "  ",
    "no address": " Nguyễn Văn An",
    "empty group": " undisclosed-recipients:;",
    "null": " <>",
    "two in one": f" {ME} <{ME}",
    "unquoted": f" {OTHER} <{ME}>",
    "behind it": f" <{ME}> {OTHER}",
    "twice in brackets": f" <{OTHER}> <{ME}>",
    "route": f" <@ngoaitinh.test:{ME}>",
    "no end of a comment": f" {ME} ({OTHER}",
    "no end of a quotation": f' "An <{ME}>',
    "NUL": f" <{OTHER}\0{ME}>",
    "carriage return": f" {ME}\rFrom: {OTHER}",
    "line feed in an encoded word": f" =?utf-8?q?An=0AFrom:_a?= <{ME}>",
    "turned round": f' "\u202env.vog.gnaigna@nagnktt" <{ME}>',
    "turned round in an encoded word": f" =?utf-8?q?=E2=80=AEnv.vog.gnaigna=40nagnktt?= <{ME}>",
    "long": f" {'a' * 3000} <{ME}>",
    "deep": f" {'(' * 900}{')' * 900} {ME}",
    "many": f" {', '.join([ME] * 200)}",
}


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN)
def test_what_no_two_programs_read_alike_is_refused(value: str) -> None:
    assert _judge(value) is not None


PIECES = st.sampled_from(
    (ME, OTHER, "<", ">", ",", ";", ":", "(", ")", '"', "\\", " ", "@", "An", "\n ", "a.vn",
     "=?utf-8?q?ttkngan=40angiang.gov.vn?=", "ttkngan", "angiang.gov.vn")
)  # fmt: skip


@settings(max_examples=2000, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=8))
def test_no_other_parser_finds_somebody_else_in_what_passes(pieces: list[str]) -> None:
    value = "".join(pieces)
    if _judge(value) is None:
        found = {address for _, address in getaddresses([value.replace("\n", "")])}
        found |= set(re.findall(r"[^\s<>(),;:\"]+@[^\s<>(),;:\"]+", value))
        assert all(_own(each.lower().strip(".\\")) for each in found if "@" in each), found


def test_there_is_exactly_one_from() -> None:
    assert _judge() == Wrong("From", "missing")
    assert _judge(("sender", ME)) == Wrong("From", "missing")
    assert _judge(f" {ME}", f" {ME}") == Wrong("From", "several")
    assert _judge(f" {ME}", ("sender", ME), ("sender", ME)) == Wrong("Sender", "several")


@pytest.mark.parametrize("field", ["sender", "resent-from", "resent-sender"])
def test_whoever_else_is_named_as_a_sender_is_the_same(field: str) -> None:
    assert _judge(f" {ME}", (field, AGENCY)) is None
    found = _judge(f" {ME}", (field, OTHER))
    assert found is not None and (found.field.lower(), found.why) == (field, "foreign")


def test_a_message_may_be_sent_again_some_times() -> None:
    again = [("resent-from", ME)]
    assert _judge(ME, *again * 20) is None
    assert _judge(ME, *again * 21) == Wrong("Resent-From", "several")
    assert _judge(ME, *again, ("resent-from", OTHER)) == Wrong("Resent-From", "foreign")


def test_answers_may_go_elsewhere() -> None:
    assert _judge(ME, ("reply-to", OTHER)) is None


@pytest.mark.parametrize("policy", [SMTP, SMTPUTF8], ids=["ascii", "utf-8"])
@pytest.mark.parametrize("name", ["Nguyễn Thị Thu Hà", "Sở Tài chính (STC), An Giang", 'A "B" C'])
def test_what_programs_write_passes(name: str, policy: object) -> None:
    message = EmailMessage(policy=policy)  # type: ignore[arg-type]
    message["From"] = f'"{name.replace(chr(34), chr(92) + chr(34))}" <{ME}>'
    head = message.as_bytes().partition(b"\r\n\r\n")[0].removeprefix(b"From:")
    assert _judge(head) is None


# What senders are told


@pytest.mark.parametrize("field", get_args(Field))
@pytest.mark.parametrize("why", get_args(Why))
def test_the_refusal_is_one_line_of_ascii_in_both_languages(field: Field, why: Why) -> None:
    said = refusal(Wrong(field, why))
    assert said.isascii() and "%" not in said and "\n" not in said
    assert len(f"550 5.7.1 {said}\r\n") <= 512
    assert said.count(field) == 2 and " / " in said
    assert UNABLE.isascii()


# The table


def _write(path: Path, text: str) -> None:
    """As an apply does: another file takes the place."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def test_a_changed_table_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "senders"
    _write(path, f"{ME} {ME}\n{AGENCY} {ME},{AGENCY}\n")
    table = Table(path)
    assert table.owners() == {ME: {ME}, AGENCY: {ME, AGENCY}}
    _write(path, f"{ME} {ME}\n")
    assert table.owners() == {ME: {ME}}


def test_the_same_table_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "senders"
    _write(path, f"{ME} {ME}\n")
    table = Table(path)
    assert table.owners() is table.owners()


@pytest.mark.parametrize("text", [f"{ME}\n", f"{ME} {ME} {ME}\n", "nvân a\n", f"{ME} {ME}\nsot"])
def test_half_a_table_is_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "senders"
    path.write_text(text)
    with pytest.raises(ValueError):
        Table(path).owners()


def test_a_table_that_has_gone_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "senders"
    _write(path, f"{ME} {ME}\n")
    table = Table(path)
    table.owners()
    path.unlink()
    with pytest.raises(OSError, match="senders"):
        table.owners()
