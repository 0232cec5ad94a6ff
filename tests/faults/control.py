"""A control machine with systemd: the host of the lab that stands for the Internet lends its own.

The machine that runs the tests need not have been booted by systemd. So what is under test is put
on a host that was, at the same paths, and belongs to an engineer who is not root: the checkout
with its virtual environment and the interpreter of that, git, and a key for the servers.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from province import wait_for

from danhba.project import ROOT
from staging import mounts
from staging.config import KEYS, NET1
from staging.lab import Lab

ENGINEER = "kysu"
SERVICE, TIMER = "danhba-dated-staging.service", "danhba-dated-staging.timer"
DROP_IN = f"/run/systemd/system/{TIMER}.d/often.conf"
STAMP = f"/var/lib/systemd/timers/stamp-{TIMER}"
OFTEN = "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nAccuracySec=100ms\n"
NOT_NEEDED = ("mypy", "mypyc", "ruff", "hypothesis", "pip")


@dataclass(frozen=True)
class Control:
    """Commands run there as root."""

    lab: Lab

    def run(self, *argv: str, check: bool = True) -> str:
        done = self.lab.run(NET1, argv)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def shell(self, command: str) -> str:
        return self.run("sh", "-c", command)

    def place(self, checkout: Path) -> None:
        """Put a checkout there, at the path of this one, which the virtual environment knows."""
        _copy(checkout, self._here(ROOT))
        _copy(ROOT / ".venv", self._here(ROOT / ".venv"), NOT_NEEDED)
        python = Path(sys.executable).resolve()
        for path in (python, Path(sysconfig.get_path("stdlib")), Path(_which("git"))):
            if not self._here(path).exists():
                _copy(path, self._here(path))
        link = self._here(ROOT / ".venv/bin/python3")
        link.unlink()
        link.symlink_to(python)
        for name in ("id_ed25519", "known_hosts", "vault/master"):
            _copy(Path(KEYS) / name, self._here(Path(KEYS) / name))
        for parent in (*ROOT.parents, *Path(KEYS).parents):
            self._here(parent).chmod(self._here(parent).stat().st_mode | 0o011)
        self.run("useradd", "--create-home", ENGINEER)
        self.run("chown", "-R", f"{ENGINEER}:", str(ROOT), KEYS)

    def remove(self) -> None:
        self.run("systemctl", "disable", "--now", TIMER, check=False)
        self.shell(f"rm -rf {DROP_IN} {STAMP} /etc/systemd/system/danhba-dated-*")
        self.shell("systemctl daemon-reload; systemctl reset-failed")
        self.run("userdel", "--remove", ENGINEER, check=False)
        for path in (ROOT, Path(KEYS)):
            shutil.rmtree(self._here(path), ignore_errors=True)

    def danhba(self, *arguments: str) -> str:
        return self.run(str(ROOT / ".venv/bin/danhba"), *arguments)

    def shows(self, unit: str, *properties: str) -> list[str]:
        """Of a unit, in the order asked for; systemd has an order of its own."""
        said = self.run("systemctl", "show", f"--property={','.join(properties)}", unit)
        found = dict(row.split("=", 1) for row in said.splitlines())
        return [found[each] for each in properties]

    def often(self) -> None:
        """The timer of every half hour comes every two seconds."""
        self.run("mkdir", "-p", str(Path(DROP_IN).parent))
        self.lab.run(NET1, ["tee", DROP_IN], input=OFTEN)
        self.shell(f"systemctl daemon-reload; systemctl restart {TIMER}")

    def seldom(self) -> None:
        """As it was installed; what runs ends first."""
        self.shell(f"rm {DROP_IN}; systemctl daemon-reload; systemctl restart {TIMER}")
        wait_for(lambda: self.shows(SERVICE, "ActiveState") != ["activating"], "the run ends", 60)

    def start(self) -> int:
        """Run the service now; its exit status."""
        return self.lab.run(NET1, ["systemctl", "start", SERVICE]).returncode

    def journal(self) -> str:
        return self.run("journalctl", "--unit", SERVICE, "--output", "cat", "--no-pager")

    def _here(self, path: Path) -> Path:
        """The path on that host, as this machine sees it."""
        return mounts.root(NET1) / path.relative_to("/")


def _copy(source: Path, target: Path, without: Sequence[str] = ()) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignore = shutil.ignore_patterns(*without)
        shutil.copytree(source, target, symlinks=True, ignore=ignore, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _which(program: str) -> str:
    found = shutil.which(program)
    assert found, program
    return found
