"""danhba export: what an authority asks for by law, as a folder that it can verify."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from danhba.commands.common import TEXT, errors_to_status, tell
from danhba.commands.editing import DAY
from danhba.engine import session
from danhba.inspection.applied import must_be_applied
from danhba.inspection.handing import hand_out
from danhba.inspection.package import Form
from danhba.inspection.request import ExportError, Wanted, granted
from danhba.project import Project
from danhba.revisions import revision_of


@click.command("export")
@click.argument("environment")
@click.option("--case", type=TEXT, required=True, help="As the hold in the directory has it.")
@click.option("--authority", type=TEXT, required=True, help="Who asks, as the hold has it.")
@click.option(
    "--mailbox", "mailboxes", type=TEXT, multiple=True, required=True, help="May be repeated."
)
@click.option("--from", "first", type=DAY, required=True, help="First day of the mail.")
@click.option("--to", "last", type=DAY, required=True, help="Last day of the mail.")
@click.option(
    "--approve-by", "approved", type=TEXT, multiple=True, required=True,
    help="Full name of an engineer who approves, of policy.engineers: twice, two of them.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["eml", "mbox"]), default="eml")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.pass_obj
@errors_to_status
def command(
    project: Project, environment: str, case: str, authority: str, mailboxes: tuple[str, ...],
    first: datetime, last: datetime, approved: tuple[str, ...], form: Form, out: Path,
) -> None:  # fmt: skip
    """Mail of mailboxes from the archive, for who has asked in writing: the case is an open hold in
    the directory, applied on the vault, of that authority, and covers mailboxes and days.

    The folder has messages, proofs, a signed list, a letter (docx) and README.txt, which says how
    to verify it with sha256sum and openssl. That it was made stands in the chain of the archive and
    in danhba audit. Exit status: 1 also when a message is damaged; the folder is whole but for it.

    Example: danhba export staging --case 12/2026/TTr --authority "Thanh tra tỉnh An Giang"
    --mailbox nvan --from 2026-01-01 --to 2026-06-30 --approve-by "Nguyễn Văn An"
    --approve-by "Trần Thị Bình" --out /media/usb/12-2026
    """
    env, directory = project.environment(environment), project.read()
    if env.vault is None:
        raise ExportError(f"{environment} has no vault: there is no archive")
    domain = f"@{directory.province.domain}"
    names = tuple(dict.fromkeys(each.lower().removesuffix(domain) for each in mailboxes))
    wanted = Wanted(case, authority, names, first.date(), last.date(), approved)
    grant = granted(directory, wanted, directory.today())
    with session(env, env.vault.name) as hosts:
        must_be_applied(hosts, project.compiled(env), grant.wanted)
        package = hand_out(hosts, env, directory, grant, form, out, revision_of(project))
    tell(f"{package.messages} messages are in {out}, {package.expired} have expired")
    tell("Nobody else may read the folder: print the letter, sign it, hand both over in person")
    if package.damaged:
        numbers = ", ".join(map(str, package.damaged))
        raise ExportError(f"damaged in the archive: entries {numbers}; danhba archive verify")
