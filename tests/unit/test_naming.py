"""The naming rule of Điều 5.3 against worked cases and the whole province of 2009."""

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danhba import generate, naming
from danhba.names import LOCAL_PART

with (Path(__file__).parent / "naming_examples.csv").open(encoding="utf-8", newline="") as lines:
    EXAMPLES = list(csv.DictReader(lines))

COMMUNES = ("xa", "phuong", "thi_tran")
AGENCIES = [row for row in EXAMPLES if row["kind"] not in (*COMMUNES, "khac", "canhan")]
OFFICES = [row for row in generate.rows("agencies.csv") if row["kind"] != "khac"]


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


VIETNAMESE = st.text("aăâbcdđeêghiklmnoôơpqrstuưvxyÀẢÃÁẠẰỆỜỰỸ' -", min_size=1)


@given(VIETNAMESE)
def test_a_person_gets_a_local_part(name: str) -> None:
    base = naming.person(name)
    assert base == "" or LOCAL_PART.fullmatch(base)
    assert base == naming.person(unicodedata.normalize("NFD", name))
    assert base == naming.person(f"  {name.upper()} ")
