"""What tests do with the staging province: run the CLI, edit the directory, have users."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from danhba.check import check_file
from danhba.compile import compile_directory
from danhba.compiled import Compiled, Mailbox
from danhba.inventory import Environment
from danhba.project import ROOT, Project
from staging.lab import Lab

DANHBA = [sys.executable, "-m", "danhba"]


@dataclass
class Province:
    """The lab, the copy of the directory that is applied to it, and passwords handed out so far."""

    lab: Lab
    directory: Path
    passwords: dict[str, str] = field(default_factory=dict)

    def danhba(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the CLI as an engineer does."""
        argv = [*DANHBA, "--directory", str(self.directory), *arguments]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def apply(self) -> str:
        return self.danhba("apply", "staging", "--yes").stdout

    def plan(self) -> list[dict[str, Any]]:
        """The plan as objects, one a host."""
        done = self.danhba("plan", "staging", "--format", "json", check=False)
        assert done.stdout, done.stderr
        plans: list[dict[str, Any]] = json.loads(done.stdout)
        return plans

    def plan_status(self) -> int:
        return self.danhba("plan", "staging", check=False).returncode

    @property
    def environment(self) -> Environment:
        return Project().environment("staging")

    @cached_property
    def compiled(self) -> Compiled:
        """The model of the directory as it was first applied."""
        directory, findings = check_file(ROOT / "directory.yaml")
        assert directory is not None, findings
        return compile_directory(directory)

    def officials(self, count: int) -> list[Mailbox]:
        """Persons with a password, `count` of them, spread over the directory."""
        people = [mailbox for mailbox in self.compiled.mailboxes if mailbox.kind == "person"]
        chosen = people[:: len(people) // count][:count]
        for person in chosen:
            self.password(person.address)
        return chosen

    def password(self, address: str) -> str:
        """The account's password; one is made when it has none from us."""
        if address not in self.passwords:
            done = self.danhba("password", "reset", "staging", "--address", address)
            self.passwords[address] = done.stdout.strip().split("\t")[1]
        return self.passwords[address]

    def mail(self, address: str) -> str:
        return f"{address}@{self.compiled.domain}"
