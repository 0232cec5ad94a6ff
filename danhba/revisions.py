"""The directory as it is or was: a file, or a revision of git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from danhba.errors import DanhbaError
from danhba.model import Directory
from danhba.project import BadDirectory, Project


def at(project: Project, what: str) -> Directory:
    """Raises DanhbaError when there is no such file nor revision, BadDirectory."""
    return directory_of(*read(project, what))


def read(project: Project, what: str) -> tuple[bytes, str]:
    """Its bytes, and how findings name it. Raises DanhbaError as `at` does."""
    if Path(what).is_file():
        try:
            return Path(what).read_bytes(), what
        except OSError as error:
            raise DanhbaError(f"{what}: {error.strerror}") from None
    return _of_revision(project, what), f"{what}:{project.directory.name}"


def file_at(file: Path, revision: str) -> tuple[bytes, str]:
    """Another file of the checkout at a revision, and how findings name it; empty when it was not
    there."""
    argv = ["git", "-C", str(file.parent), "show", "--end-of-options", f"{revision}:./{file.name}"]
    done = subprocess.run(argv, capture_output=True, check=False)
    return (b"" if done.returncode else done.stdout), f"{revision}:{file.name}"


def revision_of(project: Project) -> str:
    """Of the checkout, with + when files differ from it, or the directory is not the one in it."""
    revision = project.revision()
    committed, _ = file_at(project.directory.resolve(), "HEAD")
    same = committed == project.directory.read_bytes()
    return revision if same or revision.endswith("+") else f"{revision}+"


def directory_of(data: bytes, name: str) -> Directory:
    """Of right form; what it once was may break the rules of now. Raises BadDirectory."""
    from danhba.load import load_text  # not needed for reading alone

    directory, findings = load_text(data, name)
    if directory is None:
        raise BadDirectory(findings)
    return directory


def _of_revision(project: Project, revision: str) -> bytes:
    file = project.directory.resolve()
    argv = ["git", "-C", str(file.parent), "show", "--end-of-options", f"{revision}:./{file.name}"]
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise DanhbaError(f"{revision} is no file, and git knows no such revision: {reason}")
    return done.stdout
