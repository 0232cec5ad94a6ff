"""The lab with a directory of so many officials on it, for what is measured of running servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from province import Province

from benchmarks.nothing import DANHBA, generated
from benchmarks.timing import Failed, Sample, measure
from danhba.check import check_file
from danhba.compile import compile_directory
from danhba.compiled import Compiled, Mailbox
from staging.lab import Lab


@dataclass(frozen=True)
class Applied:
    """people: how many officials; compiled: the model of the directory that was applied."""

    people: int
    province: Province
    compiled: Compiled

    @property
    def lab(self) -> Lab:
        return self.province.lab

    def active(self) -> list[Mailbox]:
        """Officials who may log in and receive, in the order of the directory."""
        return [
            box for box in self.compiled.mailboxes if box.kind == "person" and box.state == "active"
        ]

    def apply(self) -> None:
        """However long it takes. Raises Failed."""
        measure(Sample(), [*DANHBA, str(self.province.directory), "apply", "staging", "--yes"])

    def must(self, host: str, argv: list[str], stdin: str | None = None) -> str:
        """What a command of root's says on a host. Raises Failed."""
        done = self.lab.run(host, argv, stdin)
        if done.returncode:
            raise Failed(f"{host}: {' '.join(argv)[:80]}: {done.stderr[-500:]}")
        return done.stdout


def applied(people: int, folder: Path, boot: bool) -> Applied:
    """boot: on fresh hosts. Raises Failed, LabError."""
    lab = Lab.open()
    province = Province(lab, generated(people, folder))
    directory, findings = check_file(province.directory)
    if directory is None:
        raise Failed("\n".join(map(str, findings)))
    if boot:
        lab.boot(fresh=True)
    on = Applied(people, province, compile_directory(directory))
    on.apply()
    return on
