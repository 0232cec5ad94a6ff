"""Passwords, hashes and keys stay where they belong: in no output, log, process list or cache."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from province import Province

from danhba.project import CACHE, ROOT

AGENCY = "sotaichinh"
MARKER = "no secret at all, but to be found"

DOVECOT_MEMORY = "/run/dovecot/dovecot.conf.binary"
"""Dovecot 2.4 keeps its parsed configuration there, the private key included: for root alone."""


@dataclass
class Day:
    """What an engineer's day left behind: passwords made, one person's title changed, an apply.

    secrets: every plain password, what the servers store of it, and the private keys.
    printed: output of a command by its name. processes: command lines and environments seen.
    """

    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    printed: dict[str, str] = field(default_factory=dict)
    processes: set[str] = field(default_factory=set, repr=False)
    out: Path = Path()
    began: float = field(default_factory=time.time)

    @property
    def patterns(self) -> Path:
        """For grep; made after the search for files, and gone before the next."""
        return self.out.with_name("patterns")

    def leaks(self, text: str) -> list[str]:
        """Names of the secrets that occur in a text; never the secrets, a report is a log too."""
        return [name for name, secret in self.secrets.items() if secret in text]


@pytest.fixture(scope="module")
def day(province: Province, desk: Path) -> Iterator[Day]:
    day = Day(out=desk / "issued")
    before = province.directory.read_text(encoding="utf-8")
    with _watched(day.processes):
        _remember(day, "issue", province, "password", "issue", "staging",
                  "--agency", AGENCY, "--out", str(day.out))  # fmt: skip
        rows = day.out.read_text(encoding="utf-8").splitlines()
        assert rows, "everybody has a password already: nothing to look for"
        person = rows[0].split("<")[1].partition("@")[0]
        plain = dict(row.split("\t") for row in rows)
        # One account twice: its first password must not be found after it was replaced either.
        shown = province.danhba("password", "reset", "staging", "--address", person).stdout
        plain["reset"] = shown.strip().split("\t")[1]
        title = "title: Chuyên viên"
        province.directory.write_text(before.replace(title, f"{title} chính", 1), encoding="utf-8")
        for form in ("text", "json", "markdown"):
            _remember(day, f"plan {form}", province, "plan", "staging", "--format", form)
        _remember(day, "apply", province, "apply", "staging", "--yes")
    for name, password in plain.items():
        day.secrets[f"password of {name}"] = password
    for name, hashed in _hashes(province).items():
        # without its scheme, and as the base64 of LDIF: as it would travel
        day.secrets[f"hash of {name}"] = hashed.rpartition("$")[2]
    for host in province.environment.hosts:
        key = province.lab.run(host.name, ["cat", "/etc/ssl/danhba/host.key"]).stdout
        day.secrets[f"key of {host.name}"] = key.splitlines()[1]
    assert len(day.secrets) > len(plain) + 2
    yield day
    province.directory.write_text(before, encoding="utf-8")
    province.apply()


def _remember(day: Day, name: str, province: Province, *arguments: str) -> None:
    done = province.danhba(*arguments, check=False)
    assert done.returncode in (0, 2), f"{name}: {done.returncode}\n{done.stderr}"
    day.printed[name] = done.stdout + done.stderr


def _hashes(province: Province) -> dict[str, str]:
    """What LDAP stores, by dn. Asked for over the socket as root: no process list has it."""
    people = province.environment.having("people")[0]
    suffix = ",".join(f"dc={label}" for label in province.compiled.domain.split("."))
    argv = ["ldapsearch", "-LLL", "-Q", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", "ldapi:///"]
    program = (
        "import base64,subprocess,sys\n"
        "for block in subprocess.run(sys.argv[1:],capture_output=True,text=True)"
        ".stdout.split('\\n\\n'):\n"
        " rows=dict(line.split(': ',1) for line in block.splitlines()"
        " if ': ' in line)\n"
        " if 'userPassword:' in rows:"
        " print(rows['dn'],base64.b64decode(rows['userPassword:']).decode())\n"
    )
    search = [*argv, "-b", suffix, "(userPassword=*)", "userPassword"]
    done = province.lab.run(people.name, ["python3", "-c", program, *search])
    assert done.returncode == 0, done.stderr
    return dict(row.split(" ", 1) for row in done.stdout.splitlines())


@contextmanager
def _watched(seen: set[str]) -> Iterator[None]:
    """Command lines and environments of every process, over and over.

    The lab's hosts are containers: this machine's /proc has the processes of all of them too.
    """
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            for pid in filter(str.isdigit, os.listdir("/proc")):
                for part in ("cmdline", "environ"):
                    try:
                        seen.add(Path(f"/proc/{pid}/{part}").read_text(errors="replace"))
                    except OSError:
                        continue
            time.sleep(0.002)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_the_file_of_passwords_is_its_owners_alone(day: Day) -> None:
    assert f"{day.out.stat().st_mode & 0o7777:04o}" == "0600"


def test_a_file_that_exists_is_never_overwritten_with_passwords(
    province: Province, day: Day
) -> None:
    before = day.out.read_bytes()
    done = province.danhba(
        "password", "issue", "staging", "--agency", AGENCY, "--out", str(day.out), check=False
    )
    assert done.returncode == 1
    assert day.out.read_bytes() == before


@pytest.mark.parametrize("name", ["issue", "plan text", "plan json", "plan markdown", "apply"])
def test_the_output_has_no_secret(day: Day, name: str) -> None:
    assert day.printed[name]
    assert day.leaks(day.printed[name]) == []


def test_no_process_anywhere_shows_a_secret(day: Day) -> None:
    """Neither on this machine nor on a host; both have been seen at work."""
    everything = "\n".join(day.processes)
    assert "\0danhba\0--directory\0" in everything
    assert "zlib.decompress" in everything  # a step of ours, on a host
    assert day.leaks(everything) == []


def test_no_log_nor_temporary_file_of_a_host_has_a_secret(province: Province, day: Day) -> None:
    """A file planted beside them shows that the search looks."""
    places = "/var/log /tmp /var/tmp /run /root /var/cache /var/spool /var/lib/danhba /etc/danhba"
    skip = "--exclude-dir=credentials --exclude-dir=journal"
    planted = "/run/planted-by-the-test"
    grep = f"echo {MARKER} > {planted}; grep -rlsaF {skip} -f - {places}; rm {planted}"
    patterns = "\n".join([MARKER, *day.secrets.values()]) + "\n"
    for name in province.lab.hosts:
        found = province.lab.run(name, ["sh", "-c", grep], input=patterns).stdout.splitlines()
        assert planted in found, name
        assert set(found) <= {planted, DOVECOT_MEMORY}, name
        if DOVECOT_MEMORY in found:
            facts = province.lab.run(name, ["stat", "-c", "%U %G %a", DOVECOT_MEMORY]).stdout
            assert facts.split() == ["root", "root", "600"], name


def test_no_journal_of_a_host_has_a_secret(province: Province, day: Day) -> None:
    for name in province.lab.hosts:
        journal = province.lab.run(name, ["journalctl", "--no-pager", "-o", "verbose", "--all"])
        assert len(journal.stdout) > 10_000
        assert day.leaks(journal.stdout) == [], name


def test_no_cache_nor_temporary_file_of_this_machine_has_a_secret(day: Day) -> None:
    assert any(CACHE.iterdir())
    own = (ROOT / ".danhba", Path("/tmp"), Path("/var/log"), day.out.parent)
    places = [str(path) for path in own]
    began = ["-type", "f", "-newerct", f"@{day.began:.0f}", "-print0"]
    recent = subprocess.run(["find", *places, *began], capture_output=True, text=True, check=False)
    argv = ["xargs", "-0r", "grep", "-lsaF", "-f", str(day.patterns)]
    day.patterns.write_text("\n".join(day.secrets.values()) + "\n", encoding="utf-8")
    done = subprocess.run(argv, input=recent.stdout, capture_output=True, text=True, check=False)
    day.patterns.unlink()
    # the file that must have them shows that the search finds what is there
    assert set(done.stdout.splitlines()) == {str(day.out)}


def test_the_search_finds_a_password_that_is_there(day: Day) -> None:
    """The one file that must have them shows that the tests above can fail."""
    plain = [name for name in day.secrets if name.startswith("password of ") and "<" in name]
    assert day.leaks(day.out.read_text(encoding="utf-8")) == plain


def test_secret_files_have_the_owner_and_the_mode_of_the_manifest(province: Province) -> None:
    """And what is nobody else's business on a host is closed to everybody else."""
    for host in province.environment.hosts:
        rows = province.lab.run(host.name, ["python3", "-c", _MODES]).stdout.splitlines()
        assert rows == [], host.name


def test_a_first_password_is_long_enough_and_unlike_the_others(day: Day) -> None:
    rows = [row.split("\t")[1] for row in day.out.read_text(encoding="utf-8").splitlines()]
    assert len(set(rows)) == len(rows)
    assert all(re.fullmatch(r"([a-z]+-){5}\d{3}", row) for row in rows)


_MODES = """
import grp, json, os, pwd
manifest = json.load(open("/var/lib/danhba/current/manifest.json"))
wanted = {path: (facts["owner"], facts["group"], facts["mode"])
          for path, facts in manifest["files"].items()
          if facts["secret"] or not int(facts["mode"], 8) & 4}
wanted["/etc/ssl/danhba/host.key"] = ("root", "root", "0600")
if os.path.exists("/var/lib/ldap/data.mdb"):
    wanted["/var/lib/ldap/data.mdb"] = ("openldap", "openldap", "0600")
for path, expected in wanted.items():
    facts = os.stat(path)
    mode = "%04o" % (facts.st_mode & 0o7777)
    found = (pwd.getpwuid(facts.st_uid).pw_name, grp.getgrgid(facts.st_gid).gr_name, mode)
    if found != expected:
        print(path, *found)
"""
