"""Ansible in an environment of its own, with the playbook of one host and nothing to change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.timing import Sample, measure
from danhba.project import ROOT

VENV = ROOT / ".danhba" / "bench-venv"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def install() -> None:
    """Quick when there is nothing to do."""
    stamp, wanted = VENV / "requirements.txt", REQUIREMENTS.read_text()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    pip = [str(VENV / "bin/pip"), "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
    stamp.write_text(wanted)


class Ansible:
    """The playbook of one host, in a folder of its own."""

    def __init__(self, directory: Path, host: str, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        arguments = [str(directory), host, str(folder)]
        subprocess.run(
            [sys.executable, "-m", "benchmarks.playbook", *arguments], cwd=ROOT, check=True
        )

    def run(self, sample: Sample) -> None:
        """Raises Failed when anything was to change. ssh's shared connection stays, as by default,
        so that every run but the first finds it open."""
        env = {
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
        }
        play = [str(VENV / "bin/ansible-playbook"), "-i", str(self.folder / "inventory.yml")]
        measure(sample, [*play, str(self.folder / "site.yml")], env, says=[" changed=0 "])

    def hang_up(self) -> None:
        for socket in self.folder.glob("home/cp/*"):
            argv = ["ssh", "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit", "host"]
            subprocess.run(argv, capture_output=True, check=False)
