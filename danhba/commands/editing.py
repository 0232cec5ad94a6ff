"""What the commands that edit directory.yaml share: read, check, write, or write nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

import click

from danhba.check import check_file, check_text
from danhba.commands.common import tell
from danhba.days import months_after
from danhba.edit.draft import Draft, EditError
from danhba.edit.people import Basis
from danhba.edit.requests import add_request
from danhba.files import replace_text
from danhba.findings import Finding
from danhba.load import load
from danhba.model import Request
from danhba.project import BadDirectory, Project

F = TypeVar("F", bound=Callable[..., Any])

DAY = click.DateTime(["%Y-%m-%d"])

_LETTER = (
    click.option("--request", "number", default="", help="Number of the agency's letter."),
    click.option("--decision", default="", help="Number of a decision, instead of a letter."),
    click.option("--date", "dated", type=DAY, help="Of a letter that is not in the file yet."),
    click.option("--signer", default="", help="Of a letter that is not in the file yet."),
)


def letter_options(command: F) -> F:
    """--request with --date and --signer, or --decision: what a change rests on."""
    for option in reversed(_LETTER):
        command = option(command)
    return command


def opened(project: Project) -> Draft:
    """Raises BadDirectory when the form is wrong. Other errors do not stand in the way: a command
    may be what mends them, for instance when a keeper's last day has come."""
    directory, findings = load(project.directory)
    if directory is None:
        raise BadDirectory(findings)
    return Draft(project.directory.read_text(encoding="utf-8"), directory)


def write(project: Project, draft: Draft) -> None:
    """Raises EditError when the change would bring an error that the file on the disk has not; then
    nothing is written. The draft may be a second one, of the text of a first."""
    text = draft.text()
    _, findings = check_text(text.encode(), str(project.directory))
    errors = [finding for finding in findings if finding.severity == "error"]
    there = check_file(project.directory)[1] if errors else []
    before = Counter(map(_sort, there))
    if brought := Counter(map(_sort, errors)) - before:
        said = "".join(f"\n  {_said(each)}" for each in errors if _sort(each) in brought)
        raise EditError(f"nothing was written, for then there would be errors:{said}")
    replace_text(project.directory, text)
    if errors:
        tell(f"the directory has {len(errors)} errors more, as before: danhba check")


def _sort(finding: Finding) -> tuple[str, str, str]:
    """What tells an error that was there from a new one. The remedy, for it knows no lines where
    several of a sort can be mended one by one."""
    return finding.severity, finding.clause, finding.remedy


def _said(finding: Finding) -> str:
    """Without line: it is one of a text that is not in the file."""
    clause = f" ({finding.clause})" if finding.clause else ""
    return f"{finding.message}{clause}. Do: {finding.remedy}."


def refuse_later(first: date, draft: Draft, ahead: bool) -> None:
    """Staff, keepers and aliases of a unit go with the change, whatever its first day. Raises
    EditError."""
    if first > draft.directory.today() and not ahead:
        raise EditError(
            f"staff, keepers and aliases would go with this change and not on {first}: make it "
            "then, or on a branch that is merged and applied then, and say so with --ahead"
        )


def last_day(draft: Draft, first: date, until: datetime | None) -> date:
    """Until when an address that is given up receives; by default alias_months from the first day
    without it on. Raises EditError when it never would."""
    last = until.date() if until else months_after(first, draft.directory.policy.alias_months)
    if last < draft.directory.today():
        raise EditError(
            f"old addresses would receive until {last}, which has passed, and nobody was told: "
            "give --until with a day to come"
        )
    return last


def day_of(given: datetime | None, draft: Draft) -> date:
    """As given, or today in the province."""
    return given.date() if given else draft.directory.today()


def with_request(
    draft: Draft, number: str, agency: str, dated: datetime | None, signer: str, sha256: str = ""
) -> None:
    """The letter comes into the file, unless it is there. Raises EditError."""
    if number in {each.number for each in draft.directory.requests}:
        return
    if not signer:
        raise EditError(f"request {number} is not in the file: give its --date and --signer")
    add_request(draft, Request(number, agency, day_of(dated, draft), signer, sha256, 0))


def basis(
    draft: Draft, agency: str, number: str, decision: str, dated: datetime | None, signer: str
) -> Basis:
    """What the options of a change say it rests on. agency: who wrote the letter. Raises
    EditError."""
    if bool(number) == bool(decision):
        raise EditError("give the --request or the --decision that the change rests on (Điều 6)")
    if number:
        with_request(draft, number, agency, dated, signer)
    return Basis(draft.directory.today(), number, decision)
