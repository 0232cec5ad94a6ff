"""What somebody has lost comes back: from a snapshot on the vault into a mailbox (docs/restore.md).

The vault finds the snapshot and pours it out, the store that serves the mailbox takes it
(danhba/restore). Both are asked from here; nothing is written on this machine.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pyinfra.api.host import Host

from danhba.compiled import Compiled, Mailbox
from danhba.engine import EngineError, Session, session
from danhba.errors import DanhbaError
from danhba.inventory import Environment
from danhba.owner import me
from danhba.piping import Program, pipe
from danhba.restore.missing import COPIES
from danhba.restore.work import Request
from deploys.backup import STATE, VAULT_CONFIG, program_of
from deploys.common import KEPT
from deploys.dovecot_store import MAIL
from deploys.restore import PROGRAM
from deploys.retention import ARCHIVE

INDEXES = f"{STATE}/mail"
"""Where a snapshot has copies of Dovecot's own files."""
_VAULT = program_of(VAULT_CONFIG)
_LONG = 500
"""Letters of a reason that are recorded."""
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Wanted:
    """at: with the province's time zone. folder, message_id: only that, "" for all. in_place: to
    where it was, and not to a folder of its own."""

    address: str
    at: datetime
    folder: str = ""
    message_id: str = ""
    in_place: bool = False

    @property
    def into(self) -> str:
        """The folder that gets it, "" in place."""
        return "" if self.in_place else f"{COPIES}{self.at:%Y-%m-%d %H.%M}"


@dataclass(frozen=True)
class Done:
    """account: whose. snapshot: as the vault tells it (repository, snapshot, tag, time). store:
    where it was brought to. answer: of danhba/restore/work.py."""

    account: str
    snapshot: Mapping[str, str]
    store: str
    answer: Mapping[str, Any]


def whose(directory: Compiled, address: str) -> tuple[str, Mailbox | None]:
    """The account that an address means, today's or a former one, and its mailbox; None when it has
    none any more. Raises DanhbaError for what is no address."""
    local = address.lower().removesuffix(f"@{directory.domain}")
    if not _ACCOUNT.fullmatch(local):
        raise DanhbaError(f"{address} is no address of {directory.domain}")
    account = directory.account_of(local)
    if account is None:
        former = {name.address: name.account for name in directory.names}
        account = former.get(local, local)
    found = [box for box in directory.mailboxes if box.account == account]
    return account, found[0] if found else None


def restore(env: Environment, directory: Compiled, wanted: Wanted) -> Done:
    """Raises DanhbaError."""
    account, box = whose(directory, wanted.address)
    vaults = env.having("vault")
    if not vaults:
        raise DanhbaError(f"{env.name} has no vault: nothing was backed up (docs/backup.md)")
    with session(env, partly=True) as hosts:
        vault = _there(hosts, vaults[0].name)
        snapshot = _snapshot(hosts, vault, account, wanted.at)
        store = _there(hosts, _store(env, box, snapshot))
        request = _request(directory, store.name, account, box, wanted)
        folders = (f"{place}/{account}" for place in (MAIL, INDEXES))
        sources = (Program(vault, (*_VAULT, "dump"), _question(snapshot, folder))
                   for folder in folders)  # fmt: skip
        with _recorded(hosts, store, wanted, account, snapshot) as end:
            answer = pipe(sources, Program(store, PROGRAM, json.dumps(asdict(request)) + "\n"))
            end["messages"] = answer["messages"]
    return Done(account, snapshot, store.name, answer)


@contextlib.contextmanager
def _recorded(
    hosts: Session, store: Host, wanted: Wanted, account: str, snapshot: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """In the store's record (danhba audit), before anything is done and after; what is put into the
    yielded facts is in the second line."""
    whole = {"folder": wanted.folder, "message_id": wanted.message_id}
    facts = {"who": me()["who"], "account": account, "at": wanted.at.isoformat(), **whole,
             "in_place": wanted.in_place, "snapshot": snapshot["snapshot"],
             "repository": snapshot["repository"]}  # fmt: skip
    of = hosts.step(store, "record", {"note": {"what": "restore", **facts}})["n"]
    end: dict[str, Any] = {}
    try:
        yield end
    except EngineError as error:
        failed = {"what": "failed", "of": of, "why": str(error)[:_LONG]}
        with contextlib.suppress(EngineError):  # the store may be gone
            hosts.step(store, "record", {"note": failed})
        raise EngineError(f"{error}\nNothing was taken away; what came back stays, and is not "
                          "doubled when it is run again.") from None  # fmt: skip
    done = {"what": "restored", "who": me()["who"], "account": account, "of": of, **end}
    hosts.step(store, "record", {"note": done})


def _there(hosts: Session, name: str) -> Host:
    found = next((host for host in hosts.hosts() if host.name == name), None)
    if found is None:
        raise EngineError(f"{name} does not answer: nothing done")
    return found


def _snapshot(hosts: Session, vault: Host, account: str, at: datetime) -> dict[str, str]:
    """The newest one until then that has the mailbox, whichever store it was on."""
    question = {"account": account, "at": at.isoformat()}
    found: dict[str, str] = hosts.ask(vault, " ".join(_VAULT), question)
    if not found:
        raise DanhbaError(f"no snapshot until {at:%Y-%m-%d %H:%M} has a mailbox {account}: take a "
                          "later --at; of who was renamed and has none any more, name the first "
                          "address (docs/restore.md)")  # fmt: skip
    return found


def _question(snapshot: Mapping[str, str], folder: str) -> str:
    asked = {"repository": snapshot["repository"], "snapshot": snapshot["snapshot"]}
    return json.dumps({**asked, "path": folder})


def _store(env: Environment, box: Mailbox | None, snapshot: Mapping[str, str]) -> str:
    """Who serves the mailbox now; of one that is no more, who had it, or the first store."""
    if box:
        return env.place(box).home
    stores = [host.name for host in env.having("store")]
    return snapshot["repository"] if snapshot["repository"] in stores else stores[0]


def _request(
    directory: Compiled, store: str, account: str, box: Mailbox | None, wanted: Wanted
) -> Request:
    """Nobody else ever gets the address of somebody who has no mailbox any more: his mail comes
    beside his archive."""
    return Request(
        account=account,
        user=f"{account}@{directory.domain}",
        host=store,
        mail=MAIL,
        copies=INDEXES,
        into=wanted.into,
        folder=wanted.folder,
        message_id=wanted.message_id,
        kept=KEPT if box and box.kind == "agency" else "",
        archive="" if box else f"{ARCHIVE}/{account}.restored-{wanted.at:%Y-%m-%dT%H%M}.tar",
    )
