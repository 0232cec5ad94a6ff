"""One size: boot, apply, then everything that has nothing to do, round after round."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.ansible import Ansible
from benchmarks.timing import Sample, measure
from danhba.project import MANIFESTS, ROOT
from staging import keys
from staging.lab import Lab

DANHBA = [str(ROOT / ".venv/bin/danhba"), "--directory"]
HOST = "mx1"

SSH = "`ssh mx1 true`"
ANSIBLE = "Ansible, mx1 only"
COMMANDS = {"plan": ["plan", "staging"], "apply": ["apply", "staging", "--yes"]}
FIRST = "first apply on fresh hosts"
ADDED = "one official added: apply to mail in the mailbox"


@dataclass
class Size:
    """What was measured with so many officials; samples by their names above."""

    people: int
    samples: dict[str, Sample] = field(default_factory=dict)

    def sample(self, name: str) -> Sample:
        return self.samples.setdefault(name, Sample())


def name_of(command: str, cold: bool) -> str:
    return f"`danhba {command}`, {'cold' if cold else 'warm'}"


def generated(people: int, folder: Path) -> Path:
    """A directory of so many officials, made when it is first asked for. Raises Failed."""
    directory = folder / f"{people}.yaml"
    if not directory.exists():
        arguments = ["--people", str(people), "--seed", "2009", "--out", str(directory)]
        measure(Sample(), [sys.executable, "-m", "danhba.generate", *arguments])
    return directory


def plain_ssh(lab: Lab) -> list[str]:
    """ssh with the options of everybody else but no shared connection."""
    off = {"ControlMaster=auto": "ControlMaster=no"}
    options = [off.get(option, option) for option in keys.options()]
    options = ["ControlPath=none" if "ControlPath=" in text else text for text in options]
    return ["ssh", *options, f"root@{lab.host(HOST).ipv4}", "true"]


def size(people: int, folder: Path, runs: int, ansible_runs: int, boot: bool) -> Size:
    """Raises Failed, LabError."""
    found, lab = Size(people), Lab.open()
    directory = generated(people, folder)
    if boot:
        lab.boot(fresh=True)
    danhba = [*DANHBA, str(directory)]
    measure(found.sample(FIRST), [*danhba, *COMMANDS["apply"]])
    ssh, says = plain_ssh(lab), [f"{host.name}: nothing to do" for host in lab.environment.hosts]
    for _ in range(runs):
        measure(found.sample(SSH), ssh)
        for cold in (True, False):
            for command, arguments in COMMANDS.items():
                if cold:
                    MANIFESTS.forget()
                measure(found.sample(name_of(command, cold)), [*danhba, *arguments], says=says)
    with tempfile.TemporaryDirectory(prefix="bench-") as short:  # a socket's path must be short
        ansible = Ansible(directory, HOST, Path(short) / "a")
        try:
            for _ in range(ansible_runs):
                ansible.run(found.sample(ANSIBLE))
        finally:
            ansible.hang_up()
    return found
