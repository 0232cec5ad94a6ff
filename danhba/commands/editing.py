"""What the commands that edit directory.yaml share: read, check, write, or write nothing."""

from __future__ import annotations

from danhba import edit
from danhba.check import check_text
from danhba.edit import EditError
from danhba.files import replace
from danhba.model import Directory, Request
from danhba.project import BadDirectory, Project


def opened(project: Project) -> tuple[str, Directory]:
    """Text and model. Raises BadDirectory: a file with errors is not edited."""
    text = project.directory.read_text(encoding="utf-8")
    return text, checked(project, text)


def checked(project: Project, text: str) -> Directory:
    """Raises BadDirectory with the errors that the text has."""
    directory, findings = check_text(text.encode(), str(project.directory))
    errors = [finding for finding in findings if finding.severity == "error"]
    if directory is None or errors:
        raise BadDirectory(errors)
    return directory


def write(project: Project, text: str) -> None:
    """Raises BadDirectory when the change would bring an error; then nothing is written."""
    checked(project, text)
    replace(project.directory, text.encode())


def with_request(project: Project, text: str, request: Request) -> tuple[str, Directory]:
    """The text with the request in it, which may be there already. Raises EditError."""
    known = checked(project, text)
    if request.number in {each.number for each in known.requests}:
        return text, known
    if not request.signer:
        number = request.number
        raise EditError(f"request {number} is not in the file: give its --date and --signer")
    text = edit.add_request(text, known, request)
    return text, checked(project, text)
