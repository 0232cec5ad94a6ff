"""Agencies are founded, renamed, merged, split and closed; no address of theirs is ever lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from drafts import (
    CANONICAL,
    DAY,
    GOOD,
    agency,
    comments,
    directory,
    edit,
    edited,
    found,
    is_canonical,
    person,
    row_of,
    with_letter,
)

from danhba.check_naming import holders
from danhba.commands import main
from danhba.edit.agencies import (
    Ending,
    Founding,
    end_agencies,
    end_agency,
    found_agency,
    rename_agency,
)
from danhba.edit.draft import Draft, EditError
from danhba.edit.people import (
    Basis,
    Newcomer,
    add_people,
    reinstate,
    set_keepers,
    transfer,
    withdraw,
)
from danhba.model import Closure
from danhba.naming import KINDS

FIRST, UNTIL = date(2026, 12, 1), date(2027, 12, 1)
DECIDED = Basis(DAY, decision="7/QĐ-STC")


def founded(text: str, name: str, **more: str) -> str:
    return edited(text, found_agency, Founding(name=name, **more))


PROVINCE = founded(CANONICAL, "Sở Khoa học và Công nghệ", kind="so")
PROVINCE = founded(PROVINCE, "Trung tâm Tin học", kind="khac", parent="sotaichinh")
PROVINCE = founded(PROVINCE, "Xã Mỹ An", kind="xa", parent="chomoi")
PROVINCE = edited(PROVINCE, add_people, "sokhcn", [
    Newcomer("30001", "Phan Thị Hoa", "", date(2026, 11, 20), decision="1/QĐ"),
    Newcomer("30002", "Trịnh Văn Út", "", date(2026, 11, 20), decision="1/QĐ"),
])  # fmt: skip
NOTES = PROVINCE.replace(
    row_of(PROVINCE, "nvan"), f"      # đang học\n{row_of(PROVINCE, 'nvan')} # đến 1/3"
).replace("    keepers: [nvan]\n", "    # hỏi lại\n    keepers: [nvan] # theo giấy\n")
"""With comments."""
MERGED = Ending(FIRST, "3/NQ-HĐND", ("sokhcn",), UNTIL)


def aliases(text: str) -> dict[str, tuple[str, date | None]]:
    return {each.address: (each.to, each.until) for each in directory(text).aliases}


def staff(text: str, where: str) -> list[str]:
    return [each.address for each in agency(text, where).staff]


# Founding


@pytest.mark.parametrize(("name", "kind", "parent", "address"), [
    ("Sở Nội vụ", "so", "", "sonoivu"),
    ("Ban Quản lý Khu kinh tế", "ban", "", "banqlkkt"),
    ("Phòng Tài chính - Kế hoạch", "phong", "chomoi", "tckh.chomoi"),
    ("Xã Mỹ An", "xa", "chomoi", "myan"),
    ("Xã Chợ Mới", "xa", "chomoi", "xachomoi"),  # a district has its name
    ("Trung tâm Tin học", "khac", "sotaichinh", "ttth"),
])  # fmt: skip
def test_the_rule_names_a_new_agency(name: str, kind: str, parent: str, address: str) -> None:
    new = Founding(kind, name, parent, decision="2/QĐ-UBND")
    text, given = edit(CANONICAL, found_agency, new)
    assert given == address
    made = agency(text, address)
    assert (made.kind, made.name, made.parent, made.exception) == (kind, name, parent, None)
    assert (made.staff, made.keepers, made.decision) == ((), (), "2/QĐ-UBND")
    assert is_canonical(text)
    assert set(CANONICAL.splitlines()) <= set(text.splitlines())


def test_a_new_agency_stands_below_all_others_and_above_the_comment_of_what_follows() -> None:
    text = CANONICAL.replace("aliases:", "# tên phụ\naliases:")
    rows = founded(text, "Sở Nội vụ", kind="so").splitlines()
    at = rows.index("  sonoivu:")
    assert rows[at - 1] == row_of(text, "nvan02")
    assert rows[rows.index("# tên phụ") + 1] == "aliases:"
    assert at < rows.index("# tên phụ")


def test_an_address_against_the_rule_needs_a_decision() -> None:
    with pytest.raises(EditError, match="the rule gives sonoivu, not noivu: give the --decision"):
        founded(GOOD, "Sở Nội vụ", kind="so", address="noivu")
    text = founded(GOOD, "Sở Nội vụ", kind="so", address="noivu", decision="2/QĐ-STTTT")
    exception = agency(text, "noivu").exception
    assert exception is not None and exception.decision == "2/QĐ-STTTT"


def test_where_the_rule_is_silent_somebody_decides() -> None:
    with pytest.raises(EditError, match="the rule does not say which Xã Mỹ Ân is"):
        founded(PROVINCE, "Xã Mỹ Ân", kind="xa", parent="chomoi")
    more = {"kind": "xa", "parent": "chomoi", "address": "xamyan"}
    with pytest.raises(EditError, match="the rule gives none, not xamyan: give the --decision"):
        founded(PROVINCE, "Xã Mỹ Ân", **more)
    text = founded(PROVINCE, "Xã Mỹ Ân", decision="2/QĐ-STTTT", **more)
    for where in ("xamyan", "myan"):  # the other one of the two keeps its address by it
        exception = agency(text, where).exception
        assert exception is not None and exception.decision == "2/QĐ-STTTT"


def test_an_older_namesake_keeps_its_address_by_the_decision() -> None:
    text = founded(PROVINCE, "Huyện Phú Tân", kind="huyen")
    with pytest.raises(EditError, match="Xã Mỹ An would keep myan by an exception: give the --dec"):
        founded(text, "Xã Mỹ An", kind="xa", parent="phutan")
    text = founded(text, "Xã Mỹ An", kind="xa", parent="phutan", decision="2/NQ")
    assert agency(text, "myan.phutan").exception is None
    kept = agency(text, "myan").exception
    assert kept is not None and (kept.decision, kept.reason) == ("2/NQ", "giữ địa chỉ đã cấp")
    assert is_canonical(text)
    # and the other way round: when one of them ends
    text = founded(text, "Xã Long An", kind="xa", parent="phutan")
    draft = Draft(text, directory(text))
    end_agencies(draft, ["myan"], replace(MERGED, successors=["longan"]), DAY)
    text = draft.text()
    assert agency(text, "myan.phutan").exception is not None
    assert is_canonical(text)


def test_offices_of_communes() -> None:
    """There are no districts any more since 1/7/2025."""
    name = {"name": "Phòng Văn hóa - Xã hội", "kind": "phong"}
    assert agency(founded(PROVINCE, parent="myan", **name), "vhxh.myan").parent == "myan"
    text = founded(PROVINCE, "Xã Vĩnh Bình", kind="xa")  # of no district
    assert agency(founded(text, parent="vinhbinh", **name), "vhxh.vinhbinh").exception is None
    text = founded(text, "Xã Chợ Mới", kind="xa")
    assert agency(text, "xachomoi").parent == ""


def test_an_association_of_a_district() -> None:
    text = founded(PROVINCE, "Hội Nông dân huyện Chợ Mới", kind="hoi", parent="chomoi")
    assert agency(text, "hoinongdan.chomoi").exception is None
    text = founded(text, "Huyện Phú Tân", kind="huyen")
    merged = edited(text, end_agency, "chomoi", replace(MERGED, successors=["phutan"]), DAY)
    assert agency(merged, "hoinongdan.chomoi").parent == "chomoi"  # its address says so


def test_foundings_that_cannot_be() -> None:
    with pytest.raises(EditError, match="sotaichinh is held by Sở Tài chính on line 8"):
        founded(GOOD, "Sở Tài chính", kind="so")
    with pytest.raises(EditError, match="nvan is held by Nguyễn Văn An on line 14"):
        founded(GOOD, "Đoàn kiểm tra", kind="khac", address="nvan")
    with pytest.raises(EditError, match="noc is a name of the mail system"):
        founded(GOOD, "Trung tâm điều hành", kind="khac", address="noc")
    with pytest.raises(EditError, match="no agency sonoivu"):
        founded(GOOD, "Phòng Thanh tra", kind="khac", parent="sonoivu")
    with pytest.raises(EditError, match="Phòng Thanh tra needs the --parent"):
        founded(GOOD, "Phòng Thanh tra", kind="phong")


# Renaming


def test_a_new_name_gives_a_new_address_and_keeps_mailbox_and_staff() -> None:
    renamed, address = edit(
        NOTES, rename_agency, "sotaichinh", "Sở Tài chính Kế hoạch", "", "3/NQ-HĐND", UNTIL
    )
    assert address == "sotckh"
    before, now = agency(NOTES, "sotaichinh"), agency(renamed, "sotckh")
    assert now == replace(
        before, address="sotckh", account="sotaichinh", name="Sở Tài chính Kế hoạch",
        decision="3/NQ-HĐND", line=now.line, staff=now.staff,
    )  # fmt: skip
    assert [each.address for each in now.staff] == [each.address for each in before.staff]
    assert aliases(renamed)["sotaichinh"] == ("sotckh", UNTIL)
    assert is_canonical(renamed)
    assert comments(renamed) == comments(NOTES)


def test_what_belongs_to_it_and_what_leads_to_it_follows() -> None:
    renamed = edited(
        PROVINCE, rename_agency, "sotaichinh", "Sở Tài chính Kế hoạch", "", "3/NQ-HĐND", UNTIL
    )
    assert agency(renamed, "ttth").parent == "sotckh"
    assert aliases(renamed)["taichinh"] == ("sotckh", None)
    assert aliases(renamed)["postmaster"] == ("taichinh", None)


def test_the_letters_of_the_old_address_stay_valid() -> None:
    renamed = edited(
        CANONICAL, rename_agency, "sotaichinh", "Sở Tài chính Kế hoạch", "", "3/NQ-HĐND", UNTIL
    )
    assert directory(renamed).requests[0].agency == "sotaichinh"
    new = [Newcomer("N1", "Phan Văn Bảo", "12/CV-STC", DAY)]
    assert person(edited(renamed, add_people, "sotckh", new), "pvbao").request == "12/CV-STC"


def test_two_new_names_lead_both_old_addresses_to_the_newest() -> None:
    text = CANONICAL
    for name in ("Sở Tài chính Kế hoạch", "Sở Kinh tế"):
        at = next(each.address for each in directory(text).agencies if each.kind == "so")
        text = edited(text, rename_agency, at, name, "", "3/NQ-HĐND", UNTIL)
    assert (agency(text, "sokinhte").account, agency(text, "sokinhte").keepers) == (
        "sotaichinh", ("nvan",),
    )  # fmt: skip
    assert aliases(text)["sotaichinh"] == aliases(text)["sotckh"] == ("sokinhte", UNTIL)
    assert aliases(text)["taichinh"] == ("sokinhte", None)
    assert is_canonical(text)


def test_an_heir_that_is_renamed_stays_the_heir() -> None:
    text = edited(PROVINCE, end_agency, "sotaichinh", MERGED, DAY)
    text = edited(text, rename_agency, "sokhcn", "Sở Kinh tế", "", "4/NQ-HĐND", UNTIL)
    closed = agency(text, "sotaichinh").closed
    assert closed is not None and closed.successors == ("sokinhte",)
    assert is_canonical(text)


def test_a_name_that_gives_the_same_address_changes_nothing_else() -> None:
    for where, name in (("chomoi", "Huyện Chợ mới"), ("myan", "Xã Mỹ Ân")):
        text, address = edit(PROVINCE, rename_agency, where, name, "", "3/NQ-HĐND", UNTIL)
        assert (address, agency(text, where).account) == (where, "")
        assert agency(text, where).name == name
        assert agency(text, where).exception is None
        assert directory(text).aliases == tuple(
            replace(alias, line=alias.line + 1) for alias in directory(PROVINCE).aliases
        )
        assert is_canonical(text)


def test_an_exception_ends_with_the_address_it_was_for() -> None:
    text = edited(PROVINCE, rename_agency, "sokhcn", "Sở KHCN", "khcn", "3/NQ-HĐND", UNTIL)
    exception = agency(text, "khcn").exception
    assert exception is not None and exception.decision == "3/NQ-HĐND"
    text = edited(text, rename_agency, "khcn", "Sở Khoa học", "", "4/NQ-HĐND", UNTIL)
    assert agency(text, "sokhoahoc").exception is None


def test_a_unit_that_the_rule_leaves_free_keeps_its_address_unless_it_asks_for_another() -> None:
    name = "Trung tâm Chuyển đổi số"
    text, address = edit(PROVINCE, rename_agency, "ttth", name, "", "3/QĐ", UNTIL)
    assert (address, agency(text, "ttth").name) == ("ttth", name)
    text, address = edit(PROVINCE, rename_agency, "ttth", name, "chuyendoiso", "3/QĐ", UNTIL)
    assert (address, aliases(text)["ttth"]) == ("chuyendoiso", ("chuyendoiso", UNTIL))
    assert agency(text, "chuyendoiso").exception is None


def test_renamings_that_cannot_be() -> None:
    with pytest.raises(EditError, match="sotaichinh is held by Sở Tài chính"):
        edit(PROVINCE, rename_agency, "sokhcn", "Sở Tài chính", "", "3/QĐ", UNTIL)
    with pytest.raises(EditError, match="noc is held by the mail system"):
        edit(PROVINCE, rename_agency, "sokhcn", "Sở Khác", "noc", "3/QĐ", UNTIL)
    closed = edited(PROVINCE, end_agency, "sotaichinh", MERGED, DAY)
    with pytest.raises(EditError, match="sotaichinh is closed from 2026-12-01 already"):
        edit(closed, rename_agency, "sotaichinh", "Sở Khác", "", "3/QĐ", UNTIL)
    quoted = PROVINCE.replace("  sokhcn:", '  "sokhcn":')
    with pytest.raises(EditError, match="run danhba fmt"):
        edit(quoted, rename_agency, "sokhcn", "Sở Khác", "", "3/QĐ", UNTIL)


def test_a_town_that_becomes_a_ward_is_of_another_kind() -> None:
    """UC14: by the kind word of the name, or as --kind says."""
    text = founded(PROVINCE, "Thị trấn Chợ Mới", kind="thi_tran", parent="chomoi")
    renaming = (rename_agency, "ttchomoi", "Phường Chợ Mới", "", "3/NQ", UNTIL)
    renamed, address = edit(text, *renaming)
    assert (address, agency(renamed, address).kind) == ("p.chomoi", "phuong")
    assert aliases(renamed)["ttchomoi"] == ("p.chomoi", UNTIL)
    assert is_canonical(renamed)
    renaming = (rename_agency, "ttchomoi", "Chợ Mới", "", "3/NQ", UNTIL, "xa")
    renamed, address = edit(text, *renaming)
    assert (address, agency(renamed, address).kind) == ("xachomoi", "xa")


def test_what_names_a_district_in_its_address_keeps_it_when_that_is_renamed() -> None:
    text = founded(PROVINCE, "Phòng Y tế", kind="phong", parent="chomoi")
    text = founded(text, "Phòng Văn hóa", kind="phong", parent="myan")
    text = founded(text, "Hội Nông dân", kind="hoi", parent="chomoi")
    text = founded(text, "Huyện Phú Tân", kind="huyen")
    text = founded(text, "Xã Mỹ An", kind="xa", parent="phutan", decision="2/NQ")
    text = founded(text, "Xã Bình An", kind="xa", parent="phutan")
    renamed = edited(text, rename_agency, "chomoi", "Huyện Chợ Vàm", "", "3/NQ", UNTIL)
    for where, decision in (
        ("yte.chomoi", "3/NQ"), ("hoinongdan.chomoi", "3/NQ"), ("myan", "2/NQ"),
        ("vanhoa.myan", ""), ("binhan", ""), ("chovam", ""),
    ):  # fmt: skip
        exception = agency(renamed, where).exception
        assert (exception.decision if exception else "") == decision, where
    assert agency(renamed, "yte.chomoi").parent == "chovam"
    assert is_canonical(renamed)


# Merging


def test_the_successor_gets_staff_and_mail() -> None:
    merged, lost = edit(PROVINCE, end_agency, "sotaichinh", MERGED, DAY)
    old = agency(merged, "sotaichinh")
    assert (old.staff, old.keepers, old.it_officer) == ((), (), "")
    assert old.closed == Closure(FIRST, "3/NQ-HĐND", ("sokhcn",), UNTIL, old.closed.line)  # type: ignore[union-attr]
    assert lost == ["keeper of sotaichinh: nvan", "IT officer of sotaichinh: ttkngan"]
    for who in ("nvan", "ttkngan"):
        assert person(merged, who) == replace(
            person(PROVINCE, who), agency="sokhcn", decision="3/NQ-HĐND", changed=DAY
        )
    assert set(holders(directory(merged))) == set(holders(directory(PROVINCE)))


def test_the_staff_stands_where_it_belongs_with_its_comments() -> None:
    merged = edited(NOTES, end_agency, "sotaichinh", MERGED, DAY)
    assert staff(merged, "sokhcn") == ["nvan", "pthoa", "ttkngan", "tvut"]
    assert comments(merged) == comments(NOTES)
    rows = merged.splitlines()
    assert "address: nvan," in rows[rows.index("      # đang học") + 1]
    assert row_of(merged, "nvan").endswith("} # đến 1/3")
    assert "    keepers: [] # theo giấy\n" in merged
    assert is_canonical(merged)


def test_what_leads_to_it_for_good_leads_to_the_successor() -> None:
    text, ends = PROVINCE, date(2026, 12, 31)
    for old, name in (("sotaichinh", "Sở Kinh tế"), ("sokinhte", "Sở Kế hoạch")):
        text = edited(text, rename_agency, old, name, "", "2/NQ", ends)
    text = text.replace(
        f"sotaichinh: {{to: sokehoach, until: {ends}}}", "sotaichinh: {to: sokehoach}"
    )
    merged = edited(text, end_agency, "sokehoach", MERGED, DAY)
    assert aliases(merged) == {
        "postmaster": ("taichinh", None),
        "taichinh": ("sokhcn", None),
        "sokinhte": ("sokehoach", ends),  # ends when it would have, wherever its agency went
        "sotaichinh": ("sokehoach", None),  # the mailbox has its name: it leads there
    }
    assert not any("mail for taichinh" in each.message for each in found(merged))


def test_what_belongs_to_it_belongs_to_the_successor() -> None:
    merged = edited(PROVINCE, end_agency, "sotaichinh", MERGED, DAY)
    assert agency(merged, "ttth").parent == "sokhcn"
    letter = with_letter(merged, "40/CV-SOKHCN", "sokhcn")
    new = [Newcomer("N1", "Phan Văn Bảo", "40/CV-SOKHCN", DAY)]
    assert person(edited(letter, add_people, "ttth", new), "pvbao").agency == "ttth"


def test_an_agency_may_become_part_of_what_belonged_to_it() -> None:
    text = founded(PROVINCE, "Tổ giúp việc", kind="khac", parent="ttth")
    for heir in ("ttth", "tgv"):
        merged = edited(text, end_agency, "sotaichinh", replace(MERGED, successors=[heir]), DAY)
        assert agency(merged, "ttth").parent == "sotaichinh"


def test_offices_and_communes_of_a_district_keep_address_and_place() -> None:
    text = founded(PROVINCE, "Huyện Phú Tân", kind="huyen")
    merged = edited(text, end_agency, "chomoi", replace(MERGED, successors=["phutan"]), DAY)
    for where in ("myan", "noivu.chomoi"):
        assert agency(merged, where).parent == "chomoi"


def test_letters_of_a_merged_agency_stay_valid() -> None:
    merged = edited(PROVINCE, end_agency, "sotaichinh", MERGED, DAY)
    new = [Newcomer("N1", "Phan Văn Bảo", "12/CV-STC", DAY)]
    assert person(edited(merged, add_people, "sokhcn", new), "pvbao").request == "12/CV-STC"


def test_two_agencies_are_merged_into_one() -> None:
    draft = Draft(NOTES, directory(NOTES))
    for each in ("sotaichinh", "noivu.chomoi"):
        end_agency(draft, each, MERGED, DAY)
    merged = draft.text()
    assert staff(merged, "sokhcn") == ["nvan", "nvan02", "pthoa", "ttkngan", "tvut"]
    assert is_canonical(merged)
    assert comments(merged) == comments(NOTES)


@pytest.mark.parametrize(("left", "first", "goes"), [
    (date(2026, 11, 30), FIRST, False), (FIRST, FIRST, False), (date(2026, 12, 2), FIRST, True),
    (DAY, date(2026, 11, 20), False), (FIRST, date(2026, 11, 20), True),
])  # fmt: skip
def test_who_has_left_by_the_end_stays_and_who_leaves_later_goes_on(
    left: date, first: date, goes: bool
) -> None:
    text = edited(PROVINCE, withdraw, "ttkngan", left, "nghỉ hưu", DECIDED)
    merged = edited(text, end_agency, "sotaichinh", replace(MERGED, first=first), DAY)
    assert person(merged, "ttkngan").agency == ("sokhcn" if goes else "sotaichinh")
    assert directory(merged, FIRST)


def test_who_comes_back_to_an_agency_that_has_ended_is_transferred_first() -> None:
    text = edited(PROVINCE, withdraw, "nvan", DAY, "biệt phái", DECIDED)
    merged = edited(text, end_agency, "sotaichinh", MERGED, DAY)
    with pytest.raises(EditError, match="sotaichinh of Nguyễn Văn An is closed: transfer him"):
        edit(merged, reinstate, "nvan", DECIDED)
    there = edited(merged, transfer, "nvan", "sokhcn", DECIDED)
    back = person(edited(there, reinstate, "nvan", DECIDED), "nvan")
    assert (back.agency, back.status, back.address) == ("sokhcn", None, "nvan")


# Splitting and closing

SPLIT = Ending(FIRST, "3/NQ-HĐND", ("sokhcn", "chomoi"), UNTIL, {"ttkngan": "chomoi"})


def test_the_first_successor_gets_whoever_is_not_named() -> None:
    text = edited(PROVINCE, end_agency, "sotaichinh", SPLIT, DAY)
    assert (person(text, "nvan").agency, person(text, "ttkngan").agency) == ("sokhcn", "chomoi")
    closed = agency(text, "sotaichinh").closed
    assert closed is not None and closed.successors == ("sokhcn", "chomoi")
    assert aliases(text)["taichinh"] == ("sokhcn", None)
    assert is_canonical(text)


def test_an_agency_without_successor_is_closed_when_it_is_empty() -> None:
    ending = Ending(FIRST, "3/NQ-HĐND")
    with pytest.raises(EditError, match="still has 1 of staff, Ngô Vĩnh An first: transfer or"):
        edit(PROVINCE, end_agency, "noivu.chomoi", ending, DAY)
    text = edited(PROVINCE, withdraw, "nvan02", DAY, "thôi việc", DECIDED)
    text = edited(text, end_agency, "noivu.chomoi", ending, DAY)
    assert staff(text, "noivu.chomoi") == ["nvan02"]
    closed = agency(text, "noivu.chomoi").closed
    assert closed is not None
    assert (closed.successors, closed.until) == ((), None)
    assert is_canonical(text)


def test_who_is_closed_needs_no_keeper() -> None:
    text = edited(PROVINCE, set_keepers, "sokhcn", ["pthoa"])
    text = text.replace("    keepers: [pthoa]\n", "    keepers: [pthoa]\n    it_officer: ttkngan\n")
    draft = Draft(text, directory(text))
    lost = end_agencies(draft, ["sotaichinh", "noivu.chomoi"], MERGED, DAY)
    assert lost == {"sotaichinh": ["IT officer of sokhcn: ttkngan"], "noivu.chomoi": []}


def test_roles_elsewhere_end_too() -> None:
    text = edited(PROVINCE, set_keepers, "sokhcn", ["pthoa"])
    text = text.replace("    keepers: [pthoa]\n", "    keepers: [pthoa]\n    it_officer: ttkngan\n")
    merged, lost = edit(text, end_agency, "sotaichinh", MERGED, DAY)
    assert "IT officer of sokhcn: ttkngan" in lost
    assert (agency(merged, "sokhcn").keepers, agency(merged, "sokhcn").it_officer) == (
        ("pthoa",), "",
    )  # fmt: skip


def test_an_heir_that_ends_hands_on() -> None:
    text = edited(PROVINCE, end_agency, "sotaichinh", MERGED, DAY)
    text = edited(text, end_agency, "sokhcn", replace(MERGED, successors=["chomoi"]), DAY)
    assert staff(text, "chomoi") == ["dddat", "nvan", "pthoa", "ttkngan", "tvut"]
    assert aliases(text)["taichinh"] == ("chomoi", None)
    ends = "the successor sokhcn of sotaichinh is closed itself"
    assert not any(ends in each.message for each in found(text))  # it has one in turn


@pytest.mark.parametrize(("ending", "message"), [
    (replace(MERGED, successors=["sotaichinh"]), "sotaichinh cannot succeed itself"),
    (replace(MERGED, successors=["sonoivu"]), "no agency sonoivu"),
    (replace(MERGED, staff={"dddat": "sokhcn"}), "dddat is not of the staff of sotaichinh"),
    (replace(MERGED, staff={"nvan": "chomoi"}), "chomoi is no successor of sotaichinh"),
])  # fmt: skip
def test_ends_that_cannot_be(ending: Ending, message: str) -> None:
    with pytest.raises(EditError, match=message):
        edit(PROVINCE, end_agency, "sotaichinh", ending, DAY)


def test_nothing_ends_twice_and_nobody_goes_to_what_has_ended() -> None:
    text = edited(PROVINCE, end_agency, "sotaichinh", MERGED, DAY)
    with pytest.raises(EditError, match="sotaichinh is closed from 2026-12-01 already"):
        edit(text, end_agency, "sotaichinh", MERGED, DAY)
    with pytest.raises(EditError, match="sotaichinh is closed from 2026-12-01 already"):
        edit(text, end_agency, "chomoi", replace(MERGED, successors=["sotaichinh"]), DAY)
    with pytest.raises(EditError, match="sotaichinh is closed from 2026-12-01"):
        edit(text, transfer, "dddat", "sotaichinh", DECIDED)


def test_the_address_of_an_agency_that_has_ended_is_not_given_again() -> None:
    text = edited(PROVINCE, end_agency, "sotaichinh", MERGED, DAY)
    with pytest.raises(EditError, match="held by Sở Tài chính, closed from 2026-12-01 on line 11"):
        founded(text, "Sở Tài chính", kind="so")
    # but an agency of its name may come, by another address
    again = {"kind": "so", "address": "sotaichinhmoi", "decision": "9/NQ-HĐND"}
    assert agency(founded(text, "Sở Tài chính", **again), "sotaichinhmoi").closed is None


# The commands


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    path = tmp_path / "directory.yaml"
    path.write_text(PROVINCE, encoding="utf-8")

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--directory", str(path), *arguments])

    return command


def test_founding_rests_on_a_decision_and_help_knows_the_kinds(run: Callable[..., Result]) -> None:
    done = run("agency", "add", "Sở Nội vụ", "--kind", "so")
    assert (done.exit_code, "Missing option '--decision'" in done.stderr) == (2, True)
    for argv in (("agency", "add", "--help"), ("reform", "--help")):
        said = " ".join(run(*argv).stdout.split())
        for kind, rule in KINDS.items():
            assert f"{kind} ({rule.word or 'any other'})" in said


def test_a_kind_may_be_given_with_the_new_name(run: Callable[..., Result]) -> None:
    done = run(
        "agency", "rename", "myan", "--name", "Mỹ An", "--kind", "phuong", "--decision", "3/NQ"
    )
    assert (done.exit_code, done.stdout) == (0, "myan@angiang.gov.vn\n")
    assert "no word of the name" in run(
        "add", "Lê Thị Bé", "--given-name", "Lan", "--agency", "chomoi", "--id", "N1",
        "--decision", "3/QĐ",
    ).stderr  # fmt: skip


@pytest.mark.parametrize("argv", [
    ("rename", "sokhcn", "--name", "Sở Kinh tế", "--until", "2020-01-31"),
    ("merge", "sokhcn", "--into", "chomoi", "--until", "2020-01-31"),
    ("merge", "sokhcn", "--into", "chomoi", "--from", "2019-01-31"),
    ("split", "sokhcn", "--into", "chomoi", "--into", "sotaichinh", "--until", "2020-01-31"),
])  # fmt: skip
def test_an_old_address_that_would_never_receive(
    run: Callable[..., Result], argv: tuple[str, ...]
) -> None:
    done = run("agency", *argv, "--decision", "3/NQ")
    assert (done.exit_code, "has passed, and nobody was told: give --until" in done.stderr) == (
        1,
        True,
    )
