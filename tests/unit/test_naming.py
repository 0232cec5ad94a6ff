"""The naming rule of Điều 5.3 against worked cases and the whole province of 2009."""

import csv
import unicodedata
from pathlib import Path

import pytest
from drafts import CANONICAL, DAY, directory, edit, edited
from hypothesis import given
from hypothesis import strategies as st

from danhba import generate, naming
from danhba.check import check_text
from danhba.edit.agencies import Founding, found_agency, rename_agency
from danhba.names import LOCAL_PART

with (Path(__file__).parent / "naming_examples.csv").open(encoding="utf-8", newline="") as lines:
    EXAMPLES = list(csv.DictReader(lines))

COMMUNES = ("xa", "phuong", "thi_tran")
AGENCIES = [row for row in EXAMPLES if row["kind"] not in (*COMMUNES, "khac", "canhan")]
OFFICES = [row for row in generate.rows("agencies.csv") if row["kind"] != "khac"]
PROVINCE_OF_2009 = generate.generate(400, 3)
BY_HAND = """\
  myan:
    kind: xa
    name: Xã Mỹ An
    parent: chomoi
    keepers: []
    staff: []
  vhxh.myan:
    kind: phong
    name: Phòng Văn hóa - Xã hội
    parent: myan
    keepers: []
    staff: []
"""


def name_of(row: dict[str, str]) -> str:
    return row["name"]


@pytest.mark.parametrize("row", AGENCIES, ids=name_of)
def test_agency(row: dict[str, str]) -> None:
    assert naming.agency(row["kind"], row["name"], row["parent"]) == row["local_part"]


@pytest.mark.parametrize("row", OFFICES, ids=lambda row: row["local_part"])
def test_agency_of_2009(row: dict[str, str]) -> None:
    assert naming.agency(row["kind"], row["name"], row["district"]) == row["local_part"]


def test_other_units_are_free_but_something_is_proposed() -> None:
    for row in EXAMPLES:
        if row["kind"] == "khac":
            assert naming.agency("khac", row["name"]) is None
            assert naming.proposal(row["name"]) == row["local_part"]


def province_of_2009() -> dict[tuple[str, str], str | None]:
    units = generate.rows("units.csv")
    communes = [
        naming.Commune(row["kind"], row["name"], row["district"])
        for row in units
        if row["district"]
    ]
    districts = [row["name"] for row in units if not row["district"]]
    assert (len(districts), len(communes)) == (11, 156)
    found = naming.communes(communes, districts)
    return {
        (f"{c.kind} {c.name}", c.district): part for c, part in zip(communes, found, strict=True)
    }


def test_communes_of_2009() -> None:
    found = province_of_2009()
    cases = [row for row in EXAMPLES if row["kind"] in COMMUNES and "2023" not in row["why"]]
    assert len(cases) == 9
    for row in cases:
        name = naming.plain_name(row["kind"], row["name"])
        assert found[f"{row['kind']} {name}", row["parent"]] == row["local_part"], row["why"]


def test_rule_is_silent_only_on_the_pair_in_phu_tan() -> None:
    found = province_of_2009()
    silent = [key for key, part in found.items() if part is None]
    assert silent == [("xa Phú Thạnh", "Phú Tân"), ("xa Phú Thành", "Phú Tân")]
    parts = [part for part in found.values() if part]
    assert len(set(parts)) == len(parts)


def test_phuong_named_like_its_district_keeps_the_dot() -> None:
    # Tịnh Biên became a thị xã in 2023.
    unit = naming.Commune("phuong", "Phường Tịnh Biên", "Tịnh Biên")
    assert naming.communes([unit], ["Tịnh Biên"]) == ["p.tinhbien"]


def test_one_name_for_two_kinds_in_one_district() -> None:
    units = [naming.Commune(kind, "Long Bình", "An Phú") for kind in ("xa", "thi_tran")]
    assert naming.communes(units, ["An Phú"]) == ["xalongbinh", "ttlongbinh"]


def test_people_in_order_of_registration() -> None:
    held = {"nvan", "tadanh", "noc"}  # a colleague, a commune, a name of RFC 2142
    for row in EXAMPLES:
        if row["kind"] == "canhan":
            name, _, given_name = row["name"].removesuffix("]").partition(" [given_name=")
            base = naming.person(name, given_name)
            access = naming.numbered(base, naming.free_number(base, held))
            assert access == row["local_part"], row["why"]
            held.add(access)


def test_two_digits_are_a_minimum_width() -> None:
    assert [naming.numbered("nttrang", n) for n in (1, 2, 99, 100)] == [
        "nttrang",
        "nttrang02",
        "nttrang99",
        "nttrang100",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Văn phòng UBND", "vpubnd"),  # acronyms stay whole and count their letters
        ("SỞ Y TẾ", "syt"),  # but a name in capitals holds none
        ("Nội vụ tỉnh An Giang", "noivu"),
        ("Thanh tra huyện", "thanhtra"),
        ("Quản lý thành phố thông minh", "qltptm"),  # no place follows: not a tail
        ("Khoa học & Công nghệ", "khcn"),
        ("Y tế Tỉnh An Giang", "yte"),  # a tail, whatever its capitals
        ("Y tế TỈNH AN GIANG", "yte"),
        ("SỞ Y TẾ TỈNH AN GIANG", "syt"),
        ("Văn hóa - Xã hội xã Vĩnh Bình", "vhxh"),
        ("Văn Hóa Và Xã Hội", "vhxh"),  # no commune of that name
        ("Ðối ngoại Ðảng", "dnd"),  # Ð of Icelandic, as old documents have it
    ],
)
def test_short(name: str, expected: str) -> None:
    assert naming.short(name) == expected


@given(st.text())
def test_fold_is_idempotent_and_blind_to_composition(text: str) -> None:
    folded = naming.fold(text)
    assert naming.fold(folded) == folded
    assert naming.fold(unicodedata.normalize("NFC", text)) == folded
    assert naming.fold(unicodedata.normalize("NFD", text)) == folded
    assert all(letter in "abcdefghijklmnopqrstuvwxyz0123456789" for letter in folded)


def test_an_icelandic_letter_is_ours() -> None:
    assert naming.fold("Ðặng Đức ðạt") == "dangducdat"
    assert naming.person("Ðặng Đức Ðạt") == "dddat"
    assert naming.plain_name("dac_khu", "Ðặc khu Thổ Châu") == "Thổ Châu"


def test_an_association_of_a_district_names_it() -> None:
    assert naming.agency("hoi", "Hội Nông dân huyện Chợ Mới", "Chợ Mới") == "hoinongdan.chomoi"
    assert naming.agency("hoi", "Hội Nông dân tỉnh") == "hoinongdan"


def test_an_office_names_its_district_or_the_address_of_its_commune() -> None:
    name = "Phòng Văn hóa - Xã hội"
    assert naming.agency("phong", name, "Châu Thành") == "vhxh.chauthanh"
    assert naming.agency("phong", name, "binhthanh.thoaison") == "vhxh.binhthanh.thoaison"
    assert naming.agency("phong", name) is None


def test_a_commune_without_district_has_no_suffix() -> None:
    units = [naming.Commune("thi_tran", "Tri Tôn", "Tri Tôn"), naming.Commune("xa", "Tri Tôn", "")]
    assert naming.communes(units, ["Tri Tôn"]) == ["tttriton.triton", "xatriton"]


def test_two_districts_of_one_name_have_the_kind_in_front() -> None:
    units = [("huyen", "Huyện Cao Lãnh"), ("thanh_pho", "Thành phố Cao Lãnh"),
             ("thi_xa", "Thị xã Hồng Ngự"), ("huyen", "Hồng Ngự"), ("huyen", "Huyện Lai Vung"),
             ("huyen", "Huyện Phú Thạnh"), ("huyen", "Huyện Phú Thành")]  # fmt: skip
    assert naming.districts(units) == [
        "hcaolanh", "tpcaolanh", "txhongngu", "hhongngu", "laivung", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "found"), [
    ("Phường Tịnh Biên", "thi_tran", "phuong"), ("Thị xã Tịnh Biên", "huyen", "thi_xa"),
    ("PHƯỜNG TỊNH BIÊN", "thi_tran", "phuong"), ("Ban Dân tộc", "so", "ban"),
    ("Tịnh Biên", "thi_tran", "thi_tran"), ("Xã An Phú", "huyen", "xa"),
    ("Hội An", "thanh_pho", "thanh_pho"),  # no association
    ("Ban Quản lý dự án", "phong", "phong"), ("Hội quán", "khac", "khac"),
])  # fmt: skip
def test_a_name_says_its_kind(name: str, kind: str, found: str) -> None:
    assert naming.kind_of(name, kind) == found


# In a real file


def errors(text: str) -> list[str]:
    """What check says of the naming rule."""
    findings = check_text(text.encode(), "x")[1]
    return [each.message for each in findings if each.clause.startswith("Điều 5.3")]


def test_every_agency_of_the_examples_stands_in_a_real_file() -> None:
    """In the province of 2009, where it is not in it: by the command, and check agrees."""
    text = PROVINCE_OF_2009
    text = edited(text, rename_agency, "tttinhbien", "Phường Tịnh Biên", "", "9/NQ", DAY)
    for row in EXAMPLES:
        if row["kind"] == "canhan" or f"  {row['local_part']}:\n" in text:
            continue
        parent = "" if row["kind"] in ("khac", "so", "ban", "hoi") else naming.fold(row["parent"])
        new = Founding(row["kind"], row["name"], parent, decision="9/NQ")
        text, address = edit(text, found_agency, new)
        assert address == row["local_part"], row["why"]
    kept = [row["local_part"] for row in EXAMPLES if row["kind"] != "canhan"]
    assert [each for each in kept if f"  {each}:\n" not in text] == []
    assert errors(text) == []


@pytest.mark.parametrize(("old", "new", "message"), [
    ("  vhxh.myan:", "  vhxh.chomoi:", "has the address 'vhxh.chomoi', not 'vhxh.myan'"),
    ("parent: myan", "parent: sotaichinh", "an office of no district and no commune"),
    ("kind: xa\n", "kind: phuong\n", "Xã Mỹ An is of the kind phuong, and its name of xa"),
    ("name: Ngô Vĩnh An,", "name: Ngô Vĩnh An, given_name: Bình,", "'Bình' is no word of the name"),
])  # fmt: skip
def test_what_is_written_by_hand(old: str, new: str, message: str) -> None:
    text = CANONICAL.replace("aliases:", BY_HAND + "aliases:")
    assert errors(text) == []
    assert old in text
    [said] = errors(text.replace(old, new))
    assert message in said


def test_two_districts_of_one_name_and_what_belongs_to_them() -> None:
    text = CANONICAL
    for kind, name, parent, address in [
        ("huyen", "Huyện Cao Lãnh", "", "caolanh"),
        ("thanh_pho", "Thành phố Cao Lãnh", "", "tpcaolanh"),
        ("phong", "Phòng Y tế", "caolanh", "yte.caolanh"),
        ("phong", "Phòng Y tế", "tpcaolanh", "yte.tpcaolanh"),
        ("hoi", "Hội Nông dân", "tpcaolanh", "hoinongdan.tpcaolanh"),
        ("xa", "Xã Tân An", "tpcaolanh", "tanan"),
        ("xa", "Xã Tân An", "caolanh", "tanan.caolanh"),
    ]:
        text, found = edit(text, found_agency, Founding(kind, name, parent, decision="9/NQ"))
        assert found == address
        assert errors(text) == []
    kept = [each.address for each in directory(text).agencies
            if each.exception and each.exception.decision == "9/NQ"]  # fmt: skip
    assert kept == ["caolanh", "tanan"]  # the older of two keep what they have


VIETNAMESE = st.text("aăâbcdđeêghiklmnoôơpqrstuưvxyÀẢÃÁẠẰỆỜỰỸ' -", min_size=1)


@given(VIETNAMESE)
def test_a_person_gets_a_local_part(name: str) -> None:
    base = naming.person(name)
    assert base == "" or LOCAL_PART.fullmatch(base)
    assert base == naming.person(unicodedata.normalize("NFD", name))
    assert base == naming.person(f"  {name.upper()} ")
