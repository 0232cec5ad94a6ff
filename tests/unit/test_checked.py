"""`danhba check` says the same with and without memory, and has none of what has changed."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_memory import closed_folders, set_clock

import danhba.checked
import danhba.load
from danhba.commands import main
from danhba.findings_text import FORMATS
from danhba.memory import Memory
from danhba.project import ROOT

HERE = Path(__file__).parent
GOOD = (HERE / "good.yaml").read_text(encoding="utf-8")
BAD = sorted((HERE / "bad").glob("*.yaml"))
ALIASES = "aliases:\n"
LOCK = ', status: locked, from: 2026-11-20, reason: "đi học", confirm_by: 2026-11-25}\n'
TITLE = ", title: Chuyên viên}\n"
Said = tuple[int, bytes, bytes]


class Desk:
    """Somebody who checks a file and sees whether it was read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loads = 0

    def check(self, *options: str) -> Said:
        self.loads = 0
        done = CliRunner().invoke(main, ["--directory", str(self.path), "check", *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout_bytes, done.stderr_bytes

    def remembers(self, *options: str) -> bool:
        """The same is said as without any memory."""
        said, loads = self.check(*options), self.loads
        danhba.checked.MEMORY.forget()
        assert self.check(*options) == said
        assert self.loads
        return not loads

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path / "directory.yaml")
    load_text = danhba.load.load_text

    def counting(data: bytes, file: str) -> object:
        desk.loads += 1
        return load_text(data, file)

    monkeypatch.setattr(danhba.load, "load_text", counting)
    monkeypatch.setattr(danhba.checked, "MEMORY", Memory(tmp_path / "cache", "check"))
    set_clock(monkeypatch, datetime(2026, 11, 25, 5, tzinfo=UTC))
    desk.write(GOOD)
    return desk


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_same_is_said_of_every_bad_directory(desk: Desk, path: Path) -> None:
    desk.path = path
    said = desk.check()
    assert said[0] == 1
    assert desk.check() == said


@pytest.mark.parametrize("form", list(FORMATS))
@pytest.mark.parametrize("name", ["good", "bad/two_people_one_address"])
def test_a_second_check_reads_no_directory(desk: Desk, name: str, form: str) -> None:
    desk.path = HERE / f"{name}.yaml"
    said = desk.check("--format", form)
    assert desk.loads == 1
    assert b"officials" in said[2]
    assert desk.check("--format", form) == said
    assert desk.loads == 0
    assert desk.remembers("--format", "json")


def test_an_empty_list_of_findings_is_remembered_too(desk: Desk) -> None:
    text = GOOD
    for keeper in ("dddat", "nvan02"):
        line = f"    keepers: [{keeper}]\n"
        text = text.replace(line, f"{line}    it_officer: {keeper}\n")
    desk.write(text)
    assert desk.check()[:2] == (0, b"")
    assert desk.remembers()


def test_a_changed_byte_is_seen(desk: Desk) -> None:
    desk.check()
    desk.write(GOOD.replace("keepers: [nvan]", "keepers: [nvax]"))
    assert desk.check()[0] == 1
    desk.write(GOOD)
    assert desk.remembers()


def test_findings_name_the_file_as_it_was_given(desk: Desk) -> None:
    desk.check()
    desk.path = desk.path.rename(desk.path.with_name("other.yaml"))
    assert not desk.remembers()
    assert b"other.yaml:" in desk.check()[1]


def test_a_file_that_went_away_is_said_to_have(desk: Desk) -> None:
    desk.check()
    desk.path.unlink()
    code, out, err = desk.check()
    assert (code, err) == (1, b"")
    assert b"name a readable file" in out


def at(monkeypatch: pytest.MonkeyPatch, day: int, hour: int) -> None:
    set_clock(monkeypatch, datetime(2026, 11, day, hour, 30, tzinfo=UTC))


def test_a_day_of_the_province_is_remembered_to_its_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """17:00 UTC is midnight there."""
    desk.write(GOOD.replace(TITLE, LOCK))
    at(monkeypatch, 24, 17)
    first = desk.check()
    at(monkeypatch, 25, 16)
    assert desk.remembers()
    at(monkeypatch, 25, 17)
    assert not desk.remembers()
    later = desk.check()
    assert b"was to be confirmed by 2026-11-25" in later[1]
    assert b"was to be confirmed" not in first[1]


def test_the_day_is_that_of_the_time_zone_in_the_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(GOOD.replace(TITLE, LOCK).replace("Asia/Ho_Chi_Minh", "Pacific/Kiritimati"))
    at(monkeypatch, 25, 9)
    desk.check()
    at(monkeypatch, 25, 10)  # midnight there: UTC + 14 hours
    assert not desk.remembers()
    assert b"was to be confirmed" in desk.check()[1]
    at(monkeypatch, 26, 9)
    assert desk.remembers()


def test_changed_sources_are_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "danhba" / "deep" / "rule.py"
    source.parent.mkdir(parents=True)
    source.write_text("LIMIT = 1\n")
    monkeypatch.setattr(danhba.checked, "ROOT", tmp_path)
    desk.check()
    assert desk.remembers()
    source.write_text("LIMIT = 2\n")
    assert not desk.remembers()
    desk.check()
    monkeypatch.setattr(sys, "version", "4.0")
    assert not desk.remembers()


@pytest.mark.parametrize("junk", [b"", b"null", b'{"findings": []}', b"\xff\xfe"])
def test_a_damaged_memory_is_none(desk: Desk, junk: bytes) -> None:
    said = desk.check()
    for path in danhba.checked.MEMORY.folder.iterdir():
        path.write_bytes(junk)
    assert desk.check() == said
    assert desk.loads == 1
    assert desk.remembers()


def test_it_checks_where_nothing_can_be_remembered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = desk.check()
    for folder in closed_folders(tmp_path):
        monkeypatch.setattr(danhba.checked, "MEMORY", Memory(folder, "check"))
        assert desk.check() == said
        assert desk.check() == said
        assert desk.loads == 1


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_a_revision_is_what_it_is_now(desk: Desk) -> None:
    """A branch moves, and its name stays."""
    folder = desk.path.parent
    git(folder, "init")
    desk.write(GOOD.replace(ALIASES, f"{ALIASES}  pktc: {{to: sotaichinh}}\n"))
    git(folder, "add", "directory.yaml")
    git(folder, "commit", "-m", "x")
    desk.write(GOOD)
    lost = desk.check("--since", "HEAD")
    assert lost[0] == 1
    assert b"'pktc'" in lost[1]
    assert desk.check("--since", "HEAD") == lost
    assert desk.loads == 0
    assert desk.check()[0] == 0
    git(folder, "commit", "-am", "y")
    assert not desk.remembers("--since", "HEAD")
    assert desk.check("--since", "HEAD")[0] == 0
    assert desk.check("--since", "HEAD~1")[0] == 1


def test_a_file_to_compare_with_is_what_it_is_now(desk: Desk, tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(GOOD, encoding="utf-8")
    desk.check("--since", str(old))
    assert desk.remembers("--since", str(old))
    desk.check("--since", str(old))
    old.write_text(GOOD.replace(ALIASES, f"{ALIASES}  pktc: {{to: sotaichinh}}\n"))
    assert desk.check("--since", str(old))[0] == 1
    old.write_text("")
    said = desk.check("--since", str(old))
    assert b"the file is empty" in said[2]
    assert desk.check("--since", str(old)) == said


def test_an_unknown_revision_is_an_error_every_time(desk: Desk) -> None:
    desk.check()
    for _ in range(2):
        code, out, err = desk.check("--since", "nowhere")
        assert (code, out) == (1, b"")
        assert b"git knows no such revision" in err
    desk.write("")
    assert b"the file is empty" in desk.check("--since", "nowhere")[1]


SECOND = """\
import sys
from pathlib import Path

import danhba.checked
from danhba.commands import main
from danhba.memory import Memory

danhba.checked.MEMORY = Memory(Path(sys.argv.pop(1)), "check")
try:
    main()
finally:
    late = ("yaml", "danhba.check", "danhba.model", "tempfile", "pyinfra")
    print([name for name in late if name in sys.modules])
"""


def test_with_a_memory_nothing_is_imported_that_reads_a_directory(desk: Desk) -> None:
    """Half of the time of a check that reads nothing would go into that."""
    folder = danhba.checked.MEMORY.folder
    argv = [sys.executable, "-c", SECOND, str(folder), "--directory", str(desk.path), "check"]
    said = [
        subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said[0].endswith("['yaml', 'danhba.check', 'danhba.model', 'tempfile']\n")
    assert said[1].endswith("[]\n")


def test_no_revision_is_no_check_of_the_change() -> None:
    """An empty variable of CI must not pass for a comparison."""
    argv = [sys.executable, "-m", "danhba", "check", "--since", ""]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, "names no revision" in done.stderr) == (1, True)
