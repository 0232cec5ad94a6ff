"""Invented provinces: whole, valid, and the same from the same seed."""

from collections import Counter
from pathlib import Path

import pytest

from danhba import naming
from danhba.check import check_text
from danhba.generate import generate, main, province
from danhba.model import Directory
from danhba.names import RESERVED


@pytest.fixture(scope="module", params=[400, 5000])
def directory(request: pytest.FixtureRequest) -> Directory:
    found, findings = check_text(generate(request.param, 7).encode(), "x.yaml")
    assert found is not None and len(found.people) == request.param
    # By chance a few of one agency share a full name; their lists say that they are two.
    assert all(each.severity == "warning" and " is in " in each.message for each in findings)
    assert len(findings) < request.param / 500
    return found


def test_the_header_says_that_people_are_invented_and_how_the_file_was_made() -> None:
    text = generate(400, 1)
    assert "people, staff codes, requests and decisions in this file are INVENTED" in text
    assert "python -m danhba.generate --people 400 --seed 1" in text


def test_seed_decides() -> None:
    assert generate(400, 1) == generate(400, 1)
    assert generate(400, 1) != generate(400, 2)


def test_every_agency_of_2009_is_there() -> None:
    kinds = Counter(unit.kind for unit in province())
    assert kinds["huyen"] + kinds["thi_xa"] + kinds["thanh_pho"] == 11
    assert kinds["xa"] + kinds["phuong"] + kinds["thi_tran"] == 156
    # Twelve offices in each district, and a Phòng Dân tộc in two with many Khmer.
    assert (kinds["so"], kinds["phong"]) == (16, 11 * 12 + 2)


def test_agencies_have_staff_keepers_and_an_officer_of_their_own(directory: Directory) -> None:
    for agency in directory.agencies:
        own = {person.address for person in agency.staff}
        assert own
        assert agency.keepers and own.issuperset(agency.keepers)
        assert agency.it_officer in own


def test_exceptions_are_where_the_rule_is_silent(directory: Directory) -> None:
    named = {agency.name: agency.address for agency in directory.agencies if agency.exception}
    assert named == {"Xã Phú Thạnh": "phuthanh", "Xã Phú Thành": "xaphuthanh"}


def test_people_are_numbered_in_order_of_registration(directory: Directory) -> None:
    people = directory.people
    days = [person.since for person in people]
    assert days == sorted(days)
    held = {agency.address for agency in directory.agencies} | RESERVED
    seen: Counter[str] = Counter()
    for person in people:
        base = naming.person(person.name)
        seen[base] += 2 if base in held and base not in seen else 1
        assert person.address == naming.numbered(base, seen[base])
    assert max(seen.values()) > 2


def test_agency_names_win(directory: Directory) -> None:
    agencies = {agency.address for agency in directory.agencies}
    assert agencies.isdisjoint(person.address for person in directory.people)


def test_nobody_gets_a_name_kept_free(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = check_text(generate(400, 1).encode(), "x.yaml")
    assert found is not None
    first = found.people[0].address
    monkeypatch.setattr("danhba.generate.KEPT_FREE", (first,))
    found, findings = check_text(generate(400, 1).encode(), "x.yaml")
    assert findings == [] and found is not None
    assert found.people[0].address == f"{first}02"


def test_requests_belong_to_the_agency_of_who_is_on_them(directory: Directory) -> None:
    of = {request.number: request for request in directory.requests}
    for person in directory.people:
        assert of[person.request].agency == person.agency
        assert of[person.request].date < person.since


def test_too_few_people_for_the_agencies() -> None:
    with pytest.raises(ValueError, match="344 agencies"):
        generate(343, 1)


def test_command_writes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "directory.yaml"
    assert main(["--people", "344", "--seed", "5", "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == generate(344, 5)
    assert main(["--people", "344", "--seed", "5"]) == 0
    assert capsys.readouterr().out == generate(344, 5)
    with pytest.raises(SystemExit, match="2"):
        main(["--people", "1"])
