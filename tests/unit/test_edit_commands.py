"""The commands that edit directory.yaml write what they say, or nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from drafts import CANONICAL, GOOD, is_canonical

from danhba.check import check_text
from danhba.commands import main
from danhba.model import Agency, Directory, Person
from danhba.project import ROOT

Run = Callable[..., Result]

LETTER = ("--date", "2026-11-20", "--signer", "Chánh Văn phòng")
DECIDED = ("--decision", "7/QĐ-STC")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "directory.yaml"
    path.write_text(CANONICAL, encoding="utf-8")
    return path


@pytest.fixture
def run(file: Path) -> Run:
    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--directory", str(file), *arguments])

    return command


def loaded(file: Path) -> Directory:
    found, findings = check_text(file.read_bytes(), "x")
    assert found is not None, findings
    return found


def today(file: Path) -> str:
    return str(loaded(file).today())


def person(file: Path, who: str) -> Person:
    return next(each for each in loaded(file).people if who in (each.id, each.address))


def agency(file: Path, address: str) -> Agency:
    return next(each for each in loaded(file).agencies if each.address == address)


def test_the_commands_of_an_engineers_day(file: Path) -> None:
    """In processes of their own, as the shell starts them."""

    def danhba(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "danhba", "--directory", str(file), *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
        assert "Traceback" not in done.stderr
        return done

    def does(*arguments: str) -> str:
        done = danhba(*arguments)
        assert done.returncode == 0, done.stderr
        assert is_canonical(file.read_text(encoding="utf-8"))
        return done.stdout + done.stderr

    assert does("keeper", "sotaichinh") == "nvan\n"
    assert does("keeper", "sotaichinh", "--add", "ttkngan") == "nvan\nttkngan\n"
    stranger = danhba("keeper", "sotaichinh", "--add", "dddat")
    assert (stranger.returncode, "of another agency" in stranger.stderr) == (1, True)
    # a list comes
    said = does("add", "Lê Thị Bé", "--agency", "chomoi", "--id", "N1", "--request", "9/CV-CM",
                *LETTER)  # fmt: skip
    assert "ltbe@angiang.gov.vn\n" in said
    # a password is lost, the letter comes, a new one is handed out
    assert "apply it now" in does("lock", "ltbe", "--reason", "lộ mật khẩu")
    assert "is confirmed" in does("lock", "N1", "--request", "10/CV-CM", *LETTER)
    assert "is active again" in does("unlock", "ltbe")
    # people move, leave, come back, change their name
    said = does("transfer", "nvan", "--to", "chomoi", "--request", "9/CV-CM")
    assert "no longer keeper of sotaichinh: nvan" in said
    assert "is withdrawn from" in does("withdraw", "ltbe", "--reason", "nghỉ việc", *DECIDED)
    assert "is active again, in chomoi" in does("reinstate", "ltbe", "--request", "9/CV-CM")
    said = does("rename", "nvan", "--name", "Nguyễn  Văn Bình", "--request", "9/CV-CM")
    assert "nvbinh@angiang.gov.vn\n" in said and "mail for nvan reaches nvbinh until" in said
    # agencies
    said = does("agency", "add", "Sở Kế hoạch và Đầu tư", "--kind", "so", *DECIDED)
    assert "sokhdt@angiang.gov.vn\n" in said
    said = does("agency", "rename", "sokhdt", "--name", "Sở Kinh tế", "--decision", "2/NQ-HĐND")
    assert "sokinhte@angiang.gov.vn\n" in said
    said = does("agency", "merge", "sotaichinh", "--into", "sokinhte", "--decision", "3/NQ-HĐND")
    assert "1 of staff go on" in said and "no longer" not in said  # what is closed needs nobody
    does("withdraw", "nvan02", "--reason", "thôi việc", *DECIDED)
    does("agency", "close", "noivu.chomoi", "--decision", "3/NQ-HĐND")
    assert danhba("check").returncode == 0
    known = {(each.address, each.agency, each.state(loaded(file).today()))
             for each in loaded(file).people}  # fmt: skip
    assert known == {
        ("ttkngan", "sokinhte", "active"), ("dddat", "chomoi", "active"),
        ("ltbe", "chomoi", "active"), ("nvbinh", "chomoi", "active"),
        ("nvan02", "noivu.chomoi", "withdrawn"),
    }  # fmt: skip


def test_a_command_writes_what_it_says_and_nothing_when_something_is_wrong(
    file: Path, run: Run
) -> None:
    usual = ("--agency", "chomoi", "--id", "N1", "--request")
    missing = run("add", "Lê Thị Bé", *usual, "9/CV-CM")
    assert (missing.exit_code, "give its --date and --signer" in missing.stderr) == (1, True)
    stranger = run("add", "Le\u200bBe", *usual, "9/CV-CM", *LETTER)
    assert (stranger.exit_code, file.read_text(encoding="utf-8")) == (1, CANONICAL)
    assert "nothing was written" in stranger.stderr
    done = run("add", "  Lê  Thị Bé ", *usual, "9/CV-CM", *LETTER, "--title", "Văn thư")
    assert (done.exit_code, done.stdout) == (0, "ltbe@angiang.gov.vn\n")
    assert (person(file, "N1").name, person(file, "N1").title) == ("Lê Thị Bé", "Văn thư")
    assert file.stat().st_mode & 0o777 == 0o644


def test_what_would_be_wrong_is_said_without_lines_of_a_file_that_is_not_there(run: Run) -> None:
    done = run("keeper", "sotaichinh", "--add", "dddat")
    assert done.stderr == (
        "Error: nothing was written, for then there would be errors:\n"
        "  'dddat' keeps the mailbox sotaichinh and is of another agency (Điều 9.2.c). "
        "Do: name one of its staff.\n"
    )


@pytest.mark.parametrize("command", [
    ("add", "Lê Thị Bé", "--agency", "chomoi", "--id", "N1"), ("reinstate", "nvan"),
    ("transfer", "nvan", "--to", "chomoi"), ("withdraw", "nvan", "--reason", "nghỉ hưu"),
    ("rename", "nvan", "--name", "Lê Văn Cư"),
])  # fmt: skip
def test_a_change_rests_on_a_letter_or_on_a_decision(
    file: Path, run: Run, command: tuple[str, ...]
) -> None:
    for paper in ((), (*DECIDED, "--request", "12/CV-STC")):
        done = run(*command, *paper)
        assert (done.exit_code, "the --request or the --decision" in done.stderr) == (1, True)
    assert file.read_text(encoding="utf-8") == CANONICAL


def test_a_letter_of_another_agency_does_not_do(file: Path, run: Run) -> None:
    done = run("transfer", "nvan", "--to", "chomoi", "--request", "12/CV-STC")
    assert (done.exit_code, "rests on request '12/CV-STC' of sotaichinh" in done.stderr) == (
        1,
        True,
    )
    assert file.read_text(encoding="utf-8") == CANONICAL


def test_several_leave_and_come_back_by_one_letter(file: Path, run: Run) -> None:
    assert run("keeper", "sotaichinh", "--add", "ttkngan").exit_code == 0
    done = run(
        "withdraw", "nvan", "10377", "--reason", "biệt phái", "--request", "20/CV-STC", *LETTER
    )
    assert done.exit_code == 0, done.stderr
    assert agency(file, "sotaichinh").keepers == ()
    assert {person(file, each).request for each in ("nvan", "ttkngan")} == {"20/CV-STC"}
    done = run("reinstate", "nvan", "10377", "--request", "21/CV-STC", *LETTER)
    assert done.exit_code == 0, done.stderr
    assert {person(file, each).status for each in ("nvan", "ttkngan")} == {None}


def test_a_command_that_writes_nothing_does_not_say_that_it_did(run: Run) -> None:
    done = run("withdraw", "nvan", "nobody", "--reason", "nghỉ hưu", *DECIDED)
    assert (done.exit_code, "is withdrawn from" in done.stderr) == (1, False)
    done = run("agency", "merge", "sotaichinh", "--into", "chomoi", "--decision", "3/NQ",
               "--until", "2020-01-01")  # fmt: skip
    assert (done.exit_code, "is closed from" in done.stderr.partition("errors:")[0]) == (1, False)


def test_errors_that_are_there_are_mended_one_by_one(file: Path, run: Run) -> None:
    text = CANONICAL.replace("keepers: [dddat]", "keepers: [ttkngan]")
    text = text.replace("keepers: [nvan]", "keepers: [dddat]").replace("[nvan02]", "[dddat]")
    file.write_text(text, encoding="utf-8")
    for left, (where, who) in ((2, ("sotaichinh", "dddat")), (1, ("chomoi", "ttkngan"))):
        done = run("keeper", where, "--remove", who)
        assert done.exit_code == 0, done.stderr
        assert f"the directory has {left} errors more" in done.stderr
    # no error may come, beside others or instead of one
    for change in (("chomoi", "--add", "nvan"),
                   ("noivu.chomoi", "--remove", "dddat", "--add", "nobody")):  # fmt: skip
        worse = run("keeper", *change)
        assert (worse.exit_code, "nothing was written" in worse.stderr) == (1, True)
    done = run("keeper", "noivu.chomoi", "--remove", "dddat")
    assert (done.exit_code, "errors more" in done.stderr) == (0, False)


def test_when_the_day_has_come_check_warns_and_its_remedy_mends(file: Path, run: Run) -> None:
    gone = "decision: 4/QĐ, status: withdrawn, from: 2026-11-20, reason: nghỉ hưu}"
    text = CANONICAL.replace("request: 12/CV-STC}", f"request: 12/CV-STC, {gone}")
    file.write_text(text, encoding="utf-8")
    done = run("check")
    assert (done.exit_code, "nvan keeps the mailbox sotaichinh and is" in done.stdout) == (0, True)
    remedy = "keeper sotaichinh --remove nvan --add ttkngan"
    assert remedy.replace("ttkngan", "ADDRESS") in done.stdout
    assert run(*remedy.split()).exit_code == 0
    assert agency(file, "sotaichinh").keepers == ("ttkngan",)
    back = run("keeper", "sotaichinh", "--add", "nvan")
    said = "Nguyễn Văn An is withdrawn from 2026-11-20: name another one"
    assert (back.exit_code, said in back.stderr) == (1, True)


def test_staff_that_is_left_when_the_day_has_come_is_moved_one_by_one(file: Path, run: Run) -> None:
    closed = "    closed: {from: 2026-11-20, decision: 3/NQ}\n    staff:"
    text = CANONICAL.replace("    it_officer: ttkngan\n    staff:", closed)
    file.write_text(text, encoding="utf-8")
    assert run("transfer", "nvan", "--to", "chomoi", *DECIDED).exit_code == 0
    done = run("check")
    assert (done.exit_code, "still has 1 of staff, the first is ttkngan" in done.stdout) == (
        0,
        True,
    )
    assert run("withdraw", "ttkngan", "--reason", "nghỉ hưu", *DECIDED).exit_code == 0
    assert "of staff" not in run("check").stdout


@pytest.mark.parametrize("content", [b"agencies: [", b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_a_finding(
    file: Path, run: Run, content: bytes | None
) -> None:
    file.unlink() if content is None else file.write_bytes(content)
    done = run("unlock", "nvan")
    assert (done.exit_code, f"{file}:" in done.output) == (1, True)


def test_a_withdrawal_ahead_names_its_day(file: Path, run: Run) -> None:
    first = loaded(file).today() + timedelta(days=60)
    done = run("withdraw", "nvan", "--reason", "nghỉ hưu", "--from", str(first), *DECIDED)
    assert done.stderr == f"Nguyễn Văn An <nvan> is withdrawn from {first}\n"
    assert run("check").exit_code == 0
    assert "is withdrawn from" in run("check").stdout


def test_a_lock_names_the_day_for_the_letter(file: Path, run: Run) -> None:
    assert "give the --reason" in run("lock", "nvan").stderr
    done = run("lock", "nvan", "--reason", "lộ mật khẩu")
    by = loaded(file).today() + timedelta(days=7)
    assert f"sotaichinh confirms in writing by {by}" in done.stderr
    status = person(file, "nvan").status
    assert status is not None and status.confirm_by == by
    assert run("unlock", "nvan").exit_code == 0
    day = by + timedelta(days=20)
    assert run("lock", "nvan", "--reason", "mất máy", "--confirm-by", str(day)).exit_code == 0
    status = person(file, "nvan").status
    assert status is not None and status.confirm_by == day


def test_an_old_name_receives_for_the_months_of_policy_or_until_a_day(file: Path, run: Run) -> None:
    text = CANONICAL.replace("message_mb: 30\n", "message_mb: 30\n  alias_months: 1\n")
    file.write_text(text, encoding="utf-8")
    name = ("--name", "Lê Văn Cư", "--request", "12/CV-STC")
    done = run("rename", "nvan", *name)
    alias = next(each for each in loaded(file).aliases if each.address == "nvan")
    assert alias.until is not None and 28 <= (alias.until - loaded(file).today()).days <= 31
    assert f"mail for nvan reaches lvcu until {alias.until}" in done.stderr
    file.write_text(text, encoding="utf-8")
    run("rename", "nvan", *name, "--until", "2030-01-31")
    assert "  nvan: {to: lvcu, until: 2030-01-31}\n" in file.read_text(encoding="utf-8")


def test_an_address_may_stay_by_decision(file: Path, run: Run) -> None:
    name = ("rename", "nvan", "--name", "Lê Văn Cư", "--keep-address")
    assert "give a --decision" in run(*name, "--request", "12/CV-STC").stderr
    done = run(*name, *DECIDED)
    assert done.stdout == "nvan@angiang.gov.vn\n"
    assert person(file, "nvan").exception is not None


def test_a_split_says_who_goes_where(file: Path, run: Run) -> None:
    assert run("agency", "add", "Sở Kinh tế", "--kind", "so", *DECIDED).exit_code == 0
    split = ("agency", "split", "sotaichinh", "--into", "sokinhte", "--into", "chomoi",
             "--decision", "3/NQ-HĐND")  # fmt: skip
    assert "is not SUCCESSOR:ADDRESS" in run(*split, "--staff", "nvan").stderr
    twice = run(*split, "--staff", "chomoi:nvan", "--staff", "sokinhte:nvan")
    assert "nvan goes to two successors" in twice.stderr
    done = run(*split, "--staff", "chomoi:ttkngan")
    assert done.exit_code == 0, done.stderr
    assert "2 of staff go on" in done.stderr
    assert person(file, "nvan").agency == "sokinhte"
    assert person(file, "ttkngan").agency == "chomoi"


def test_a_merger_ahead_says_when_to_apply_it(file: Path, run: Run) -> None:
    first = loaded(file).today() + timedelta(days=30)
    done = run("agency", "merge", "sotaichinh", "sotaichinh", "--into", "chomoi", "--decision",
               "3/NQ-HĐND", "--from", str(first), "--ahead")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert f"apply it on {first}" in done.stderr
    closed = agency(file, "sotaichinh").closed
    assert closed is not None and closed.since == first


REFORM = "old,kind,name,parent,address,decision\nchomoi,huyen,Huyện Chợ Mới Mới,,chomoimoi,3/NQ\n"
AHEAD = [
    ("agency", "merge", "sotaichinh", "--into", "chomoi", "--decision", "3/NQ"),
    ("agency", "split", "sotaichinh", "--into", "chomoi", "--decision", "3/NQ"),
    ("reform", "reform.csv", "--decision", "3/NQ", "--yes"),
]


@pytest.mark.parametrize("command", AHEAD, ids=lambda command: " ".join(command[:2]))
def test_a_change_of_units_is_made_on_its_day_or_says_that_it_is_ahead(
    file: Path, run: Run, command: tuple[str, ...]
) -> None:
    table = file.with_name("reform.csv")
    table.write_text(REFORM, encoding="utf-8")
    words = [str(table) if word == table.name else word for word in command]
    today = loaded(file).today()
    early = run(*words, "--from", str(today + timedelta(days=1)))
    said = f"would go with this change and not on {today + timedelta(days=1)}"
    assert (early.exit_code, said in early.stderr) == (1, True)
    assert "--ahead" in early.stderr
    assert file.read_text(encoding="utf-8") == CANONICAL
    for options in ((), ("--from", str(today)), ("--from", str(today - timedelta(days=3))),
                    ("--from", str(today + timedelta(days=1)), "--ahead")):  # fmt: skip
        file.write_text(CANONICAL, encoding="utf-8")
        done = run(*words, *options)
        assert done.exit_code == 0, done.stderr
        assert file.read_text(encoding="utf-8") != CANONICAL


def test_an_agency_that_nobody_succeeds_closes_ahead_as_well(file: Path, run: Run) -> None:
    """Nobody goes anywhere with it."""
    first = str(loaded(file).today() + timedelta(days=30))
    run("agency", "add", "Sở Kinh tế", "--kind", "so", *DECIDED)
    done = run("agency", "close", "sokinhte", "--decision", "3/NQ", "--from", first)
    assert done.exit_code == 0, done.stderr


def test_a_new_name_leaves_the_old_address_at_least_until_today(file: Path, run: Run) -> None:
    today = loaded(file).today()
    name = ("rename", "nvan", "--name", "Lê Văn Cư", "--request", "12/CV-STC", "--until")
    yesterday = today - timedelta(days=1)
    done = run(*name, str(yesterday))
    assert (done.exit_code, f"--until {yesterday} has passed" in done.stderr) == (1, True)
    assert file.read_text(encoding="utf-8") == CANONICAL
    assert run(*name, str(today)).exit_code == 0
    assert f"  nvan: {{to: lvcu, until: {today}}}\n" in file.read_text(encoding="utf-8")


def test_who_is_to_be_withdrawn_is_locked_unlocked_and_reinstated(file: Path, run: Run) -> None:
    today = loaded(file).today()
    first = today + timedelta(days=60)
    run("withdraw", "ttkngan", "--reason", "nghỉ hưu", "--from", str(first), *DECIDED)
    leaves = file.read_text(encoding="utf-8")
    done = run("lock", "ttkngan", "--reason", "lộ mật khẩu")
    assert (done.exit_code, f"is locked from {today}" in done.stderr) == (0, True)
    status = person(file, "ttkngan").status
    assert status is not None
    assert (status.since, status.locked, status.on(today)) == (first, today, "locked")
    again = ("reinstate", "ttkngan", "--decision", "8/QĐ-STC")
    assert "danhba unlock first" in run(*again).stderr
    assert run("unlock", "ttkngan").exit_code == 0
    assert file.read_text(encoding="utf-8") == leaves
    assert run(*again).exit_code == 0
    assert person(file, "ttkngan").status is None


def test_a_letter_withdraws_once(file: Path, run: Run) -> None:
    done = run("withdraw", "nvan", "--reason", "nghỉ hưu", "--request", "12/CV-STC")
    said = "the line of Nguyễn Văn An rests on 12/CV-STC already: cite the new paper"
    assert (done.exit_code, said in done.stderr) == (1, True)
    assert file.read_text(encoding="utf-8") == CANONICAL


def test_what_is_not_changed_is_not_touched(file: Path, run: Run) -> None:
    """Not even a file that fmt would write in another way."""
    file.write_text(GOOD, encoding="utf-8")
    assert run("lock", "nvan", "--reason", "lộ mật khẩu").exit_code == 0
    assert run("unlock", "nvan").exit_code == 0
    assert file.read_text(encoding="utf-8") == GOOD


def test_a_leave_is_written_changed_and_ended(file: Path, run: Run) -> None:
    before = file.read_text(encoding="utf-8")
    done = run("leave", "nvan", "--until", "2027-05-31", "--decision", "12/QĐ-STC")
    assert "is on leave until 2027-05-31" in done.stderr
    row = "request: 12/CV-STC, leave: {until: 2027-05-31, decision: 12/QĐ-STC}}"
    assert before.count("12/CV-STC}") == 1
    assert file.read_text(encoding="utf-8") == before.replace("request: 12/CV-STC}", row)
    assert run("leave", "10234", "--until", "2027-06-30", "--decision", "no").exit_code == 0
    [person] = [each for each in loaded(file).people if each.address == "nvan"]
    assert person.leave is not None
    assert (str(person.leave.until), person.leave.decision) == ("2027-06-30", "no")
    assert is_canonical(file.read_text(encoding="utf-8"))
    assert "is back" in run("leave", "nvan", "--end").stderr
    assert file.read_text(encoding="utf-8") == before


def test_a_leave_needs_a_day_and_a_decision_and_somebody_who_is_there(file: Path, run: Run) -> None:
    before = file.read_text(encoding="utf-8")
    assert "give --until and --decision" in run("leave", "nvan").stderr
    assert "is not on leave" in run("leave", "nvan", "--end").stderr
    early = run("leave", "nvan", "--until", "2020-01-01", "--decision", "1/QĐ")
    assert "put the days in order" in early.stderr
    assert file.read_text(encoding="utf-8") == before
    assert run("withdraw", "nvan", "--reason", "nghỉ hưu", *DECIDED).exit_code == 0
    late = run("leave", "nvan", "--until", "2027-05-31", "--decision", "1/QĐ")
    assert "is withdrawn: a leave changes nothing" in late.stderr
