"""The directory as it is or was: a file, or a revision of git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from danhba.check import check_text
from danhba.errors import DanhbaError
from danhba.model import Directory
from danhba.project import BadDirectory, Project


def at(project: Project, what: str) -> Directory:
    """Raises DanhbaError when there is no such file nor revision, BadDirectory."""
    if Path(what).is_file():
        data, name = Path(what).read_bytes(), what
    else:
        data, name = _of_revision(project, what), f"{what}:{project.directory.name}"
    directory, findings = check_text(data, name)
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
