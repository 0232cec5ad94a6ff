"""An export from beginning to end: read, prove, list, sign, write down that it was done."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from danhba.archive.vault import contents
from danhba.engine import Session
from danhba.inspection import papers
from danhba.inspection.package import Form, Package, public_pem
from danhba.inspection.proven import proven
from danhba.inspection.request import Granted
from danhba.inventory import Environment
from danhba.journal.entry import stamp
from danhba.model import Directory
from danhba.owner import me


def hand_out(
    hosts: Session,
    env: Environment,
    directory: Directory,
    grant: Granted,
    form: Form,
    folder: Path,
    revision: str,
) -> Package:
    """Make the folder. hosts: the vault. revision: of git, that has the directory.

    Raises EngineError, ExportError: then there is none."""
    [vault] = hosts.hosts()
    who, wanted, hold = me()["who"].partition(" (")[0], grant.wanted, grant.hold
    why = (
        f"export to {wanted.authority} by {hold.request} of {hold.asked}, "
        f"approved by {' and '.join(wanted.approved)}"
    )
    request = {
        "who": who, "why": why, "case": wanted.case, "addresses": list(grant.addresses),
        "first": stamp(grant.since.timestamp()), "until": stamp(grant.until.timestamp()),
    }  # fmt: skip
    sign = Ed25519PrivateKey.from_private_bytes(env.secrets.derive("sign"))
    package = Package(folder, form)
    with package.made():
        package.fill(contents(vault, request, env.secrets.derive("journal")))
        package.prove(*proven(hosts, vault, package.numbers))
        manifest = package.close(papers.readme(form), sign)
        now = datetime.now(ZoneInfo(directory.province.timezone))
        facts = papers.Facts(
            directory.province.name, directory.province.domain, package.messages, package.expired,
            len(package.damaged), form, manifest, hashlib.sha256(public_pem(sign)).hexdigest(),
            who, now,
        )  # fmt: skip
        package.add_letter(papers.letter(grant, facts, now.date()))
        told = {
            "what": "export", "who": me()["who"], "case": wanted.case,
            "authority": wanted.authority, "request": hold.request,
            "mailboxes": list(wanted.mailboxes), "first": str(wanted.first),
            "last": str(wanted.last), "approved": list(wanted.approved),
            "messages": package.messages, "manifest": manifest, "revision": revision,
        }  # fmt: skip
        hosts.step(vault, "record", {"note": told})
    return package
