"""Where a line goes, what it brings along, and what is refused because it cannot be placed."""

from __future__ import annotations

from datetime import date

import pytest
from drafts import (
    CANONICAL,
    DAY,
    GOOD,
    agency,
    directory,
    edit,
    edited,
    found,
    is_canonical,
    row_of,
)

from danhba.edit.agencies import Ending, end_agency, rename_agency
from danhba.edit.draft import Draft, EditError
from danhba.edit.people import (
    Basis,
    Newcomer,
    add_people,
    lock,
    rename,
    set_keepers,
    transfer,
)
from danhba.edit.requests import add_request
from danhba.fmt import formatted
from danhba.load import load_text
from danhba.model import Request

DECIDED = Basis(DAY, decision="7/QĐ-STC")
UNTIL = date(2027, 11, 25)
NEW = [Newcomer("N1", "Phan Văn Bảo", "12/CV-STC", DAY)]


def draft_of(text: str) -> Draft:
    return Draft(text, directory(text))


# Sections


@pytest.mark.parametrize(("number", "where", "day"), [
    ("1/CV-CM", "chomoi", date(2026, 1, 1)), ("13/CV-STC", "sotaichinh", date(2026, 12, 1)),
    ("11/CV-STC", "sotaichinh", date(2026, 11, 1)),
])  # fmt: skip
def test_a_request_stands_where_fmt_would_put_it(number: str, where: str, day: date) -> None:
    digest = "35f0" * 16  # begins with a digit, as a number does
    request = Request(number, where, day, "Chánh Văn phòng", digest, 0)
    added = edited(CANONICAL, add_request, request)
    assert is_canonical(added)
    assert next(r for r in directory(added).requests if r.number == number).sha256 == digest
    with pytest.raises(EditError, match="there already"):
        edit(added, add_request, request)


def test_what_a_section_gets_in_one_change_is_in_order() -> None:
    draft = draft_of(CANONICAL)
    for name in ("zz", "aa", "soyte", "sa"):
        draft.add_entry("aliases", name, {"to": "sotaichinh"})
    assert is_canonical(draft.text())
    assert [each.address for each in directory(draft.text()).aliases] == [
        "aa", "postmaster", "sa", "soyte", "taichinh", "zz",
    ]  # fmt: skip


def test_a_section_that_is_not_there_is_opened_where_it_belongs() -> None:
    draft = draft_of(CANONICAL.replace("reserved:", "# giữ lại\n\nreserved:"))
    draft.add_entry("retired", "nvan09", {"was": "Nguyễn Vũ An", "since": "2026-11-20"})
    draft.add_entry("retired", "abc", {"was": "Âu Bá Cư", "since": "2026-11-20"})
    draft.add_entry("aliases", "zz", {"to": "sotaichinh"})
    text = draft.text()
    assert is_canonical(text)
    assert [each.address for each in directory(text).retired] == ["abc", "nvan09"]
    assert "\n# giữ lại\n\nreserved:" in text


def test_an_empty_section_loses_its_braces() -> None:
    text = CANONICAL.replace(
        "aliases:\n  postmaster: {to: taichinh}\n  taichinh: {to: sotaichinh}\n", "aliases: {}\n"
    )
    renamed = edited(text, rename, "nvan", "Lê Văn Cư", "", DECIDED, UNTIL, False)
    assert "aliases:\n  nvan: {to: lvcu, until: 2027-11-25}\n" in renamed
    assert is_canonical(renamed)


def test_a_file_that_does_not_end_its_last_line() -> None:
    head, _, rest = CANONICAL.partition("aliases:\n")
    rows = rest.splitlines()
    text = "\n".join([head.rstrip("\n"), rows[-1], "aliases:", *rows[:-1]])
    renamed = edited(text, rename, "10377", "Vũ An", "", DECIDED, UNTIL, False)
    assert "  taichinh: {to: sotaichinh}\n  ttkngan: {to: van, until: 2027-11-25}\n" in renamed


# Keys of an agency


def test_a_new_key_stands_where_fmt_would_put_it() -> None:
    draft = draft_of(CANONICAL)
    for each in draft.directory.agencies:
        for key, value in (("decision", "9/QĐ"), ("it_officer", "dddat"), ("account", "taichinh")):
            if not (key == "it_officer" and each.it_officer):
                draft.set_agency(each, key, value)
    assert formatted(draft.text().encode(), "x") == draft.text()


def test_a_key_is_set_twice_and_taken_away() -> None:
    draft = draft_of(CANONICAL)
    one = draft.agency("sotaichinh")
    draft.set_agency(one, "decision", "8/QĐ")
    draft.set_agency(one, "it_officer", None)
    draft.set_agency(one, "decision", "9/QĐ")
    assert "    keepers: [nvan]\n    decision: 9/QĐ\n    staff:\n" in draft.text()
    draft.set_agency(one, "it_officer", "nvan")
    assert "    it_officer: nvan\n    decision: 9/QĐ\n    staff:\n" in draft.text()


def test_a_new_key_stands_below_a_value_of_many_lines() -> None:
    for keepers in ("keepers:\n      - nvan\n", "keepers: [\n      nvan]\n"):
        text = GOOD.replace("keepers: [nvan]\n", keepers).replace("    it_officer: ttkngan\n", "")
        draft = draft_of(text)
        draft.set_agency(draft.agency("sotaichinh"), "it_officer", "nvan")
        assert agency(draft.text(), "sotaichinh").it_officer == "nvan"


def test_keys_below_the_staff_are_found() -> None:
    text = GOOD.replace("    keepers: [dddat]\n", "", 1)
    text = text.replace(
        f"{row_of(GOOD, 'dddat')}\n", f"{row_of(GOOD, 'dddat')}\n    keepers: [dddat]\n"
    )
    assert agency(edited(text, set_keepers, "chomoi", []), "chomoi").keepers == ()


def test_a_comment_below_a_key_does_not_belong_to_it() -> None:
    text = GOOD.replace("keepers: [nvan]\n", "keepers: [nvan]\n      # hỏi lại\n")
    changed = edited(text, set_keepers, "sotaichinh", ["ttkngan"])
    assert "    keepers: [ttkngan]\n      # hỏi lại\n    it_officer: ttkngan\n" in changed


def test_an_edit_never_reaches_into_the_next_agency() -> None:
    """Keepers written as a block are not found; those of the agency below must not be taken."""
    text = GOOD.replace("keepers: [nvan]\n", "keepers:\n      - nvan\n")
    with pytest.raises(EditError, match="run danhba fmt"):
        edit(text, set_keepers, "sotaichinh", ["ttkngan"])


# Comments


@pytest.mark.parametrize("blank", ["", "\n"])
def test_a_comment_stays_with_the_entry_below_it(blank: str) -> None:
    line = row_of(GOOD, "ttkngan")
    text = GOOD.replace(line, f"      # phụ trách\n{blank}      # máy tính\n{blank}{line}")
    added = edited(text, add_people, "sotaichinh", NEW)
    assert f"      # phụ trách\n{blank}      # máy tính\n{blank}{line}" in added
    moved = edited(text, transfer, "ttkngan", "chomoi", DECIDED)
    rows = f"      # phụ trách\n{blank}      # máy tính\n{blank}{row_of(moved, 'ttkngan')}\n"
    assert f"{row_of(text, 'dddat')}\n{rows}" in moved
    assert moved.count("máy tính") == 1


def test_a_comment_above_who_comes_next_is_not_his_who_goes() -> None:
    line = row_of(CANONICAL, "ttkngan")
    text = CANONICAL.replace(line, f"      # phụ trách máy tính\n{line}")
    moved = edited(text, transfer, "nvan", "chomoi", DECIDED)
    assert f"    staff:\n      # phụ trách máy tính\n{line}\n" in moved


@pytest.mark.parametrize("margin", ["  ", "        "])
def test_whoever_comes_last_stands_above_the_comment_of_what_follows(margin: str) -> None:
    text = CANONICAL.replace("  chomoi:\n    kind", f"{margin}# huyện\n  chomoi:\n    kind")
    new = [Newcomer("N1", "Vũ Văn Xứng", "12/CV-STC", DAY)]
    added = edited(text, add_people, "sotaichinh", new)
    assert f"{row_of(added, 'vvxung')}\n{margin}# huyện\n  chomoi:\n" in added


def test_whoever_comes_last_stands_below_one_who_is_written_as_a_block() -> None:
    line = row_of(GOOD, "ttkngan")
    block = line.replace("{", "").replace(", ", "\n        ").replace("}", "")
    new = [Newcomer("N1", "Vũ Văn Xứng", "12/CV-STC", DAY)]
    added = edited(GOOD.replace(line, block), add_people, "sotaichinh", new)
    staff = agency(added, "sotaichinh").staff
    assert [each.address for each in staff] == ["nvan", "ttkngan", "vvxung"]


def test_a_blank_line_alone_belongs_to_nobody() -> None:
    line = row_of(GOOD, "ttkngan")
    moved = edited(GOOD.replace(line, f"\n{line}"), transfer, "ttkngan", "chomoi", DECIDED)
    assert f"{row_of(GOOD, 'nvan')}\n\n  chomoi:\n" in moved


# What is not one entry on one line is refused with a remedy, and nothing else is touched


@pytest.mark.parametrize(("old", "new", "change"), [
    (row_of(GOOD, "nvan"), row_of(GOOD, "nvan").replace(", since", ",\n         since"),
     (lock, "nvan", DAY, "lộ mật khẩu", UNTIL)),
    (f"    staff:\n{row_of(GOOD, 'dddat')}", f"    staff: [{row_of(GOOD, 'dddat')[8:]}]",
     (lock, "dddat", DAY, "lộ mật khẩu", UNTIL)),
    (f"    staff:\n{row_of(GOOD, 'dddat')}", f"    staff: [{row_of(GOOD, 'dddat')[8:]}]",
     (transfer, "nvan", "chomoi", DECIDED)),
    ("  taichinh: {to: sotaichinh}", "  taichinh:\n    to: sotaichinh",
     (rename_agency, "sotaichinh", "Sở Kinh tế", "", "3/NQ", UNTIL)),
    ("aliases:\n  postmaster: {to: taichinh}\n  taichinh: {to: sotaichinh}",
     "aliases: {taichinh: {to: sotaichinh}}",
     (rename_agency, "sotaichinh", "Sở Kinh tế", "", "3/NQ", UNTIL)),
    ("aliases:\n  postmaster: {to: taichinh}\n  taichinh: {to: sotaichinh}",
     "aliases: {taichinh: {to: sotaichinh}}",
     (rename, "nvan", "Lê Văn Cư", "", DECIDED, UNTIL, False)),
    ("name: Sở Tài chính", "name: Sở\n      Tài chính",
     (rename_agency, "sotaichinh", "Sở Kinh tế", "", "3/NQ", UNTIL)),
    ("aliases:\n  postmaster: {to: taichinh}\n  taichinh: {to: sotaichinh}",
     "aliases: {taichinh: {to: sotaichinh}}",
     (end_agency, "sotaichinh", Ending(DAY, "3/NQ", ("chomoi",), UNTIL), DAY)),
    ("keepers: [nvan]", "keepers: [\n      nvan]", (set_keepers, "sotaichinh", [])),
    ("keepers: [nvan]", "keepers: [\n    nvan]", (set_keepers, "sotaichinh", [])),
])  # fmt: skip
def test_what_cannot_be_placed_is_refused(old: str, new: str, change: tuple[object, ...]) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(EditError, match="run danhba fmt"):
        edit(GOOD.replace(old, new), *change)  # type: ignore[arg-type]
    edit(GOOD, *change)  # type: ignore[arg-type]


def test_an_end_that_is_written_as_a_block_is_not_half_changed() -> None:
    ending = Ending(date(2026, 12, 1), "3/NQ", ("chomoi",), UNTIL)
    text = edited(CANONICAL, end_agency, "sotaichinh", ending, DAY)
    line = next(row for row in text.splitlines() if row.startswith("    closed: {"))
    block = line.replace("{", "\n      ").replace(", ", "\n      ").replace("}", "")
    text = text.replace(line, block)
    with pytest.raises(EditError, match="run danhba fmt"):
        edit(text, rename_agency, "chomoi", "Huyện Mới", "", "3/NQ", UNTIL)


def test_more_of_a_letter_written_as_a_block() -> None:
    old = "  12/CV-STC: {agency: sotaichinh, date: 2026-11-02, signer: Chánh Văn phòng}\n"
    block = old.replace(" {", "\n    ").replace(", ", "\n    ").replace("}", "")
    text = edited(
        GOOD.replace(old, block), add_request,
        Request("13/CV-STC", "sotaichinh", DAY, "Giám đốc", "", 0),
    )  # fmt: skip
    assert [each.number for each in directory(text).requests] == ["12/CV-STC", "13/CV-STC"]


def test_keepers_of_a_large_agency_are_changed_item_by_item() -> None:
    staff = "".join(
        f'      - {{id: "T{n}", name: Lê Bé, address: lbe{n:02}, since: 2026-11-05, '
        "request: 12/CV-STC}\n"
        for n in range(2, 40)
    )
    text = CANONICAL.replace("    it_officer: ttkngan\n    staff:\n", f"    staff:\n{staff}", 1)
    text = text.replace("lbe02, ", "lbe, ")
    names = [f"lbe{n:02}" for n in range(3, 40)]
    many = edited(text, set_keepers, "sotaichinh", names)
    assert "    keepers: [\n      lbe03,\n" in many
    assert is_canonical(many)
    many = many.replace("      lbe04,\n", "      lbe04, # trực\n      # ca hai\n")
    draft = draft_of(many)
    draft.set_agency(draft.agency("sotaichinh"), "it_officer", "lbe")  # below the bracket
    assert agency(draft.text(), "sotaichinh").it_officer == "lbe"
    fewer = edited(many, set_keepers, "sotaichinh", names[1:])
    assert agency(fewer, "sotaichinh").keepers == tuple(names[1:])
    assert "    ]\n    # trực\n    # ca hai\n    staff:\n" in fewer
    none = edited(many, set_keepers, "sotaichinh", [])
    assert "    keepers: []\n    # trực\n    # ca hai\n    staff:\n" in none


@pytest.mark.parametrize("key", ["decision", "exception"])
def test_a_comment_behind_a_key_that_goes_stays_as_a_line(key: str) -> None:
    line = "    exception: {decision: 7/QĐ-STTTT, reason: tên cũ}"
    text = CANONICAL.replace(line, f"    decision: 7/QĐ # vì sao\n{line} # vì sao")
    draft = draft_of(text)
    draft.set_agency(draft.agency("noivu.chomoi"), key, None)
    assert f"    {key}:" not in draft.text().partition("noivu.chomoi:")[2]
    assert "    # vì sao\n" in draft.text()


@pytest.mark.parametrize(("name", "finding"), [
    ("", "the name of a person is empty"), ("Иван", "CYRILLIC CAPITAL LETTER I"),
    ("---", "HYPHEN-MINUS"), ("An\nBình", "unprintable"), ("An\u202e", "unprintable"),
])  # fmt: skip
def test_a_name_that_load_refuses_is_not_blamed_on_the_form(name: str, finding: str) -> None:
    draft = draft_of(CANONICAL)
    rename(draft, "ttkngan", name, "", DECIDED, UNTIL, keep=False)
    said = [each.message for each in found(draft.text())]
    assert any(finding in each for each in said), said


def test_an_approval_of_many_lines_is_followed_by_the_next() -> None:
    many = ", ".join(f"a{n}: 2" for n in range(40))
    text = CANONICAL.replace("reserved:", f"approve:\n  5/NQ: {{agencies: {{{many}}}}}\nreserved:")
    text = formatted(text.encode(), "x")
    draft = Draft(text, load_text(text.encode(), "x")[0])  # type: ignore[arg-type]
    draft.add_entry("approve", "6/NQ", {"people": "3"})
    draft.add_entry("approve", "4/NQ", {"people": "3"})
    assert [each.decision for each in load_text(draft.text().encode(), "x")[0].approve] == [  # type: ignore[union-attr]
        "4/NQ", "5/NQ", "6/NQ",
    ]  # fmt: skip
