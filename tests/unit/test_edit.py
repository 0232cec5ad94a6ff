"""People are registered in place: one line comes, and nothing that anybody has changes."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba.check import check_text
from danhba.check_since import check_since
from danhba.edit import EditError, Newcomer, add_people, add_request, set_keepers, transfer
from danhba.fmt import formatted
from danhba.model import Directory, Request
from danhba.names import LOCAL_PART, MAX_OCTETS
from danhba.project import ROOT

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
DAY = date(2026, 11, 25)

FAMILY = ("Nguyễn", "Trần", "Lê", "Đặng", "Châu", "Thạch", "Néang")
MIDDLE = ("Văn", "Thị", "Vĩnh", "Kim", "Đức", "Út")
GIVEN = ("An", "Ân", "Ấn", "Đạt", "Ngân", "Hòa", "Hoà", "Ý")
NAMES = st.lists(
    st.tuples(st.sampled_from(FAMILY), st.sampled_from(MIDDLE), st.sampled_from(GIVEN)),
    min_size=1, max_size=12,
)  # fmt: skip


def directory(text: str) -> Directory:
    found, findings = check_text(text.encode(), "x")
    assert found is not None, findings
    assert all(each.severity == "warning" for each in findings), findings
    return found


def newcomers(names: list[tuple[str, ...]]) -> list[Newcomer]:
    return [Newcomer(f"N{n}", " ".join(name), "12/CV-STC", DAY) for n, name in enumerate(names)]


def held(found: Directory) -> dict[str, str]:
    return {person.id: person.address for person in found.people}


@settings(max_examples=60, deadline=None)
@given(NAMES, st.sampled_from(["sotaichinh", "chomoi"]))
def test_addresses_are_valid_unique_and_leave_all_others_alone(
    names: list[tuple[str, ...]], agency: str
) -> None:
    before = directory(GOOD)
    text, addresses = add_people(GOOD, before, agency, newcomers(names))
    after = directory(text)
    assert all(LOCAL_PART.fullmatch(each) and len(each) <= MAX_OCTETS for each in addresses)
    assert len({*addresses, *held(before).values()}) == len(names) + len(before.people)
    assert held(before).items() <= held(after).items()
    assert [held(after)[f"N{n}"] for n in range(len(names))] == addresses
    assert set(GOOD.splitlines()) <= set(text.splitlines())
    assert formatted(text.encode(), "x") == formatted(formatted(text.encode(), "x").encode(), "x")


@settings(max_examples=40, deadline=None)
@given(NAMES, st.randoms(use_true_random=False))
def test_the_order_of_others_in_the_file_does_not_matter(names, chance) -> None:  # type: ignore[no-untyped-def]
    text, _ = add_people(GOOD, directory(GOOD), "sotaichinh", newcomers(names))
    head, mark, rest = text.partition("    staff:\n")
    staff, tail = rest.split("  chomoi:", 1)
    rows = staff.splitlines(keepends=True)
    chance.shuffle(rows)
    shuffled = f"{head}{mark}{''.join(rows)}  chomoi:{tail}"
    more = [Newcomer("M1", "Nguyễn Văn An", "12/CV-STC", DAY)]
    _, one = add_people(text, directory(text), "chomoi", more)
    _, other = add_people(shuffled, directory(shuffled), "chomoi", more)
    assert one == other


def test_composed_and_decomposed_names_are_one() -> None:
    for form in ("NFC", "NFD"):
        new = Newcomer("N1", unicodedata.normalize(form, "Nguyễn Vĩnh Ấn"), "12/CV-STC", DAY)
        _, [address] = add_people(GOOD, directory(GOOD), "sotaichinh", [new])
        assert address == "nvan03"  # nvan and nvan02 are taken


def test_a_retired_name_is_never_given_again() -> None:
    text = GOOD.replace(
        "reserved:",
        "retired:\n  nvan03: {was: Nguyễn Vũ An, since: 2026-11-20}\n"
        "  nvan04: {was: Ngô Văn An, since: 2026-11-20}\nreserved:",
    )
    new = [Newcomer("N1", "Nguyễn Văn Ân", "12/CV-STC", DAY)]
    assert add_people(text, directory(text), "sotaichinh", new)[1] == ["nvan05"]


def test_a_name_of_the_mail_system_counts_as_taken() -> None:
    _, [address] = add_people(GOOD, directory(GOOD), "chomoi",
                              [Newcomer("N1", "Noc", "12/CV-STC", DAY)])  # fmt: skip
    assert address == "noc02"


def test_nobody_gets_a_second_address() -> None:
    with pytest.raises(EditError, match="10234 is Nguyễn Văn An, nvan, on line 14"):
        add_people(GOOD, directory(GOOD), "chomoi",
                   [Newcomer("10234", "Nguyễn Văn An", "12/CV-STC", DAY)])  # fmt: skip


def test_the_first_of_an_agency() -> None:
    person = next(row for row in GOOD.splitlines() if '"20001"' in row)
    text = GOOD.replace(f"    staff:\n{person}\n", "    staff: []\n").replace("[dddat]", "[]")
    new = [Newcomer("N2", "Trần Thị Bé", "12/CV-STC", DAY, given_name="Bé"),
           Newcomer("N1", "Lê An", "12/CV-STC", DAY, title="Trưởng phòng")]  # fmt: skip
    added, addresses = add_people(text, directory(text), "chomoi", new)
    assert addresses == ["ttbe", "lan"]
    rows = added.splitlines()
    at = rows.index("    staff:", rows.index("  chomoi:"))
    assert ["address: lan," in rows[at + 1], "address: ttbe," in rows[at + 2]] == [True, True]
    assert directory(added)


@pytest.mark.parametrize(("number", "agency", "day"), [
    ("1/CV-CM", "chomoi", date(2026, 1, 1)), ("13/CV-STC", "sotaichinh", date(2026, 12, 1)),
    ("11/CV-STC", "sotaichinh", date(2026, 11, 1)),
])  # fmt: skip
def test_a_request_stands_where_fmt_would_put_it(number: str, agency: str, day: date) -> None:
    text = formatted(GOOD.encode(), "x")
    digest = "35f0" * 16  # begins with a digit, as a number does
    request = Request(number, agency, day, "Chánh Văn phòng", digest, 0)
    added = add_request(text, directory(text), request)
    assert formatted(added.encode(), "x") == added
    assert next(r for r in directory(added).requests if r.number == number).sha256 == digest
    with pytest.raises(EditError, match="there already"):
        add_request(added, directory(added), request)


def test_an_address_that_left_the_file_is_found_unless_it_is_retired() -> None:
    line = next(row for row in GOOD.splitlines() if '"20002"' in row)
    gone = GOOD.replace(f"    staff:\n{line}\n", "    staff: []\n").replace("[nvan02]", "[]")
    [finding] = check_since(directory(GOOD), directory(gone))
    assert "'nvan02' of Ngô Vĩnh An has left" in finding.message
    assert 'nvan02: {was: "Ngô Vĩnh An"' in finding.remedy
    kept = gone.replace(
        "reserved:", "retired:\n  nvan02: {was: Ngô Vĩnh An, since: 2026-11-25}\nreserved:"
    )
    assert list(check_since(directory(GOOD), directory(kept))) == []
    assert len(list(check_since(directory(kept), directory(gone)))) == 1


def test_an_address_in_other_hands_is_found() -> None:
    other = GOOD.replace('id: "10234"', 'id: "99999"')
    [finding] = check_since(directory(GOOD), directory(other))
    assert "which is Nguyễn Văn An's (staff code 10234)" in finding.message
    assert finding.line == 14


def test_the_command_writes_what_it_says_and_nothing_when_something_is_wrong(
    tmp_path: Path,
) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")

    def add(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "danhba", "--directory", str(file), "add", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)

    usual = ["--agency", "chomoi", "--id", "N1", "--request"]
    missing = add("Lê Thị Bé", *usual, "9/CV-CM")
    assert (missing.returncode, "give its --date and --signer" in missing.stderr) == (1, True)
    stranger = add("Le\u200bBe", *usual, "12/CV-STC")
    assert (stranger.returncode, file.read_text(encoding="utf-8")) == (1, GOOD)
    dated = ["--date", "2026-11-20", "--signer", "Chánh Văn phòng"]
    done = add("  Lê  Thị Bé ", *usual, "9/CV-CM", *dated, "--title", "Văn thư")
    assert (done.returncode, done.stdout) == (0, "ltbe@angiang.gov.vn\n")
    found = directory(file.read_text(encoding="utf-8"))
    assert next(p.title for p in found.people if p.id == "N1") == "Văn thư"
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_transfer_moves_one_line_and_drops_and_names_the_roles() -> None:
    note = " # đang học"
    line = next(row for row in GOOD.splitlines() if '"10234"' in row)
    text = GOOD.replace(line, line + note).replace("it_officer: ttkngan", "it_officer: nvan")
    moved, lost = transfer(text, directory(text), "nvan", "chomoi", "12/CV-STC")
    assert lost == ["keeper of sotaichinh", "IT officer of sotaichinh"]
    after = directory(moved)
    person = next(each for each in after.people if each.id == "10234")
    assert (person.agency, person.address, str(person.since)) == ("chomoi", "nvan", "2026-11-05")
    old = next(each for each in after.agencies if each.address == "sotaichinh")
    assert (old.keepers, old.it_officer) == ((), "")
    assert line + note in moved
    gone = set(text.splitlines()) - set(moved.splitlines())
    assert gone == {"    keepers: [nvan]", "    it_officer: nvan"}
    assert held(after) == held(directory(text))


def test_a_transfer_cites_the_new_request_and_goes_where_it_belongs() -> None:
    other = Request("9/CV-CM", "chomoi", date(2026, 11, 20), "Chánh Văn phòng", "", 0)
    text = add_request(GOOD, directory(GOOD), other)
    moved, lost = transfer(text, directory(text), "10377", "chomoi", "9/CV-CM")
    assert lost == ["IT officer of sotaichinh"]
    rows = moved.splitlines()
    at = next(n for n, row in enumerate(rows) if "ttkngan, since" in row)
    assert "address: dddat" in rows[at - 1]
    assert "request: 9/CV-CM, title: Chuyên viên}" in rows[at]


@pytest.mark.parametrize(("who", "agency", "message"), [
    ("nvan", "sotaichinh", "is in sotaichinh already"), ("nvan", "sonoivu", "no agency sonoivu"),
    ("nobody", "chomoi", "nobody with the address or staff code nobody"),
])  # fmt: skip
def test_a_transfer_that_cannot_be(who: str, agency: str, message: str) -> None:
    with pytest.raises(EditError, match=message):
        transfer(GOOD, directory(GOOD), who, agency, "12/CV-STC")


def test_keepers_change_in_their_line() -> None:
    text = GOOD.replace("keepers: [nvan]", "keepers: [nvan] # theo giấy ngày 2/11")
    changed = set_keepers(text, directory(text), "sotaichinh", ["ttkngan", "nvan"])
    assert "    keepers: [ttkngan, nvan] # theo giấy ngày 2/11\n" in changed
    assert changed.replace("[ttkngan, nvan]", "[nvan]") == text


def test_the_commands_of_an_engineers_day(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "danhba", "--directory", str(file), *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)

    assert run("keeper", "sotaichinh").stdout == "nvan\n"
    assert run("keeper", "sotaichinh", "--add", "ttkngan").stdout == "nvan\nttkngan\n"
    stranger = run("keeper", "sotaichinh", "--add", "dddat")
    assert (stranger.returncode, "of another agency" in stranger.stderr) == (1, True)
    done = run("transfer", "nvan", "--to", "chomoi", "--request", "12/CV-STC")
    assert done.returncode == 0, done.stderr
    assert "no longer keeper of sotaichinh" in done.stderr
    assert run("keeper", "sotaichinh").stdout == "ttkngan\n"
    assert run("check").returncode == 0


def test_an_edit_never_reaches_into_the_next_agency() -> None:
    """Keepers written as a block are not found; those of the agency below must not be taken."""
    text = GOOD.replace("keepers: [nvan]\n", "keepers:\n      - nvan\n")
    with pytest.raises(EditError, match="run danhba fmt"):
        set_keepers(text, directory(text), "sotaichinh", ["ttkngan"])


def test_a_comment_stays_with_the_entry_below_it() -> None:
    line = next(row for row in GOOD.splitlines() if '"10377"' in row)
    text = GOOD.replace(line, f"      # phụ trách máy tính\n{line}")
    new = [Newcomer("N1", "Phan Văn Bảo", "12/CV-STC", DAY)]
    rows = add_people(text, directory(text), "sotaichinh", new)[0].splitlines()
    assert rows[rows.index(line) - 1] == "      # phụ trách máy tính"


def test_a_staff_code_of_a_strangers_list_is_nothing_but_text() -> None:
    code = '7", address: "root'
    text, _ = add_people(GOOD, directory(GOOD), "sotaichinh",
                         [Newcomer(code, "Phan Văn Bảo", "12/CV-STC", DAY)])  # fmt: skip
    assert held(directory(text))[code] == "pvbao"
