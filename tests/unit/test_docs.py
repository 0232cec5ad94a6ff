"""What the documents say is what the program does."""

from __future__ import annotations

import pytest

from danhba import generate, load, load_policy, naming
from danhba.fmt import ORDER
from danhba.project import ROOT


def tables(file: str) -> list[list[str]]:
    """The rows of all tables of a page, without their heads."""
    found: list[list[str]] = []
    lines = (ROOT / "docs" / file).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        ahead = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("| ") and not ahead.startswith("|---"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


ROWS = tables("naming.md")
AGENCIES = [row for row in ROWS if row[0] in naming.KINDS]
PEOPLE = [row for row in ROWS if row[0] not in naming.KINDS]


def name_of(row: list[str]) -> str:
    return " ".join(row[:2])


@pytest.mark.parametrize("row", AGENCIES, ids=name_of)
def test_an_agency_of_the_page_has_that_address(row: list[str]) -> None:
    kind, name, above, address, _ = row
    if naming.KINDS[kind].form != "commune":
        assert naming.agency(kind, name, above) == address
        return
    units = [each for each in generate.rows("units.csv") if each["district"]]
    communes = [naming.Commune(each["kind"], each["name"], each["district"]) for each in units]
    districts = [each["name"] for each in generate.rows("units.csv") if not each["district"]]
    found = zip(communes, naming.communes(communes, districts), strict=True)
    plain = naming.plain_name(kind, name)
    own = [part for each, part in found if (each.name, each.district) == (plain, above)]
    assert address in own


@pytest.mark.parametrize("row", PEOPLE, ids=name_of)
def test_a_person_of_the_page_has_that_address(row: list[str]) -> None:
    assert naming.person(row[0]) == row[1]


def test_the_page_has_rows() -> None:
    assert len(AGENCIES) == 17
    assert len(PEOPLE) == 7
    assert naming.person("Mách Sa Les", "Mách") == "slmach"


def sections() -> dict[str, list[str]]:
    """Keys in the tables of directory.md, by the heading above them."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in (ROOT / "docs/directory.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| `"):
            found.setdefault(heading, []).append(line.split("`")[1])
    return found


SORTS = {
    "directory": "Top level", "province": "province", "policy": "policy", "request": "requests",
    "agency": "agencies", "closed": "closed", "exception": "exception", "leave": "leave",
    "quota": "quota", "secrecy": "secrecy", "free_mail": "free_mail", "archive": "archive",
    "incidents": "incidents",
    "backup": "backup",
    "person": "staff", "alias": "aliases", "approval": "approve", "retired": "retired",
    "hold": "holds", "released": "released",
}  # fmt: skip


@pytest.mark.parametrize("sort", ORDER)
def test_the_page_has_every_key_in_the_canonical_order(sort: str) -> None:
    assert sections()[SORTS[sort]] == list(ORDER[sort])


def test_what_is_optional_on_the_page_is_optional() -> None:
    optional = {
        "directory": load.DIRECTORY_OPTIONAL, "request": load.REQUEST_OPTIONAL,
        "policy": load_policy.POLICY_OPTIONAL, "agency": load.AGENCY_OPTIONAL,
        "free_mail": load_policy.FREE_MAIL_OPTIONAL, "archive": load_policy.ARCHIVE_OPTIONAL,
        "closed": load.CLOSURE_OPTIONAL, "person": {*load.PERSON_OPTIONAL, "request"},
        "hold": load.HOLD_OPTIONAL, "alias": load.ALIAS_OPTIONAL, "approval": load.APPROVAL,
    }  # fmt: skip
    said: dict[str, set[str]] = {}
    heading = ""
    for line in (ROOT / "docs/directory.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| `") and "*optional*" in line:
            said.setdefault(heading, set()).add(line.split("`")[1])
    assert said == {SORTS[sort]: set(keys) for sort, keys in optional.items()}


def test_kinds_and_limits_of_the_page() -> None:
    text = (ROOT / "docs/directory.md").read_text(encoding="utf-8")
    assert f"one of {', '.join(naming.KINDS)} |" in text
    for key, limit in load_policy.FIGURES.items():
        optional = ", *optional*" if key in load_policy.DEFAULTS else ""
        smallest = load_policy.SMALLEST.get(key, 1)
        assert f"| `{key}` | whole number, {smallest} to {limit}{optional} |" in text
