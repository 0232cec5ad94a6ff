"""What `danhba check` says, remembered: the same input on the same day is not read again.

What looks at a directory is imported late: with a memory it is not needed.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from danhba.errors import DanhbaError
from danhba.findings import Finding
from danhba.memory import Days, Memory, code, digest
from danhba.project import CACHE, ROOT, Project

MEMORY = Memory(CACHE, "check")
SOURCES = ("danhba/**/*.py", "requirements.txt")
"""What, with the directory and the day, decides every finding."""


@dataclass(frozen=True)
class Checked:
    """size: the number of agencies and that of officials, None when the form is wrong."""

    findings: list[Finding]
    size: tuple[int, int] | None


def checked(project: Project, since: str | None) -> Checked:
    """since: a revision or file of which no address may be lost.

    Raises DanhbaError when there is none such, BadDirectory when it has no form.
    """
    try:
        data = project.directory.read_bytes()
    except OSError:
        from danhba.check import check_file

        return Checked(check_file(project.directory)[1], None)
    look = _Look(project, data, since)
    return look.recalled() or look.fresh()


class _Look:
    """All bytes are read once: what is checked is what the memory is keyed by."""

    def __init__(self, project: Project, data: bytes, since: str | None) -> None:
        self.project, self.since = project, since
        self.file, self.data = str(project.directory), data
        self.before = self._before()
        before = self.before[0] if isinstance(self.before, tuple) else b""
        self.key = digest(code(ROOT, SOURCES), self.file, data, since or "", before)

    def _before(self) -> tuple[bytes, str] | DanhbaError | None:
        """What no address may be lost of, or why it is not there: to be said when it is needed."""
        if not self.since:
            return None
        from danhba.revisions import read

        try:
            return read(self.project, self.since)
        except DanhbaError as error:
            return error

    def recalled(self) -> Checked | None:
        found = MEMORY.recall(self.key)
        if found is None:
            return None
        agencies, people = found["size"]
        return Checked([Finding(*each) for each in found["findings"]], (agencies, people))

    def fresh(self) -> Checked:
        """Remembered for today only: on another day a status or a closing may have begun."""
        from danhba.garbage import no_garbage

        with no_garbage():
            found, days = self._found()
        # A wrong form is not remembered: what is wrong may be this machine, without time zones.
        if days is not None:
            rows = [astuple(finding) for finding in found.findings]
            MEMORY.remember(self.key, {"findings": rows, "size": found.size}, days)
        return found

    def _found(self) -> tuple[Checked, Days | None]:
        from danhba.check import check
        from danhba.check_since import check_since
        from danhba.load import load_text
        from danhba.revisions import directory_of

        directory, findings = load_text(self.data, self.file)
        if directory is None:
            return Checked(findings, None), None
        day = directory.today()
        findings = check(directory, day)
        if isinstance(self.before, DanhbaError):
            raise self.before
        if self.before is not None:
            findings += check_since(directory_of(*self.before), directory)
        size = len(directory.agencies), len(directory.people)
        return Checked(findings, size), Days(directory.province.timezone, day, day)
