"""New passwords: made, written down, then set; and sessions with the old ones ended.

The order is the promise. What is to be handed over is on the disk before a host is told, so that no
password is ever set that nobody can read; and what a host refused does not stay on paper.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pyinfra.api.host import Host as Connected

from danhba import passphrase, sheet, workers
from danhba.compile import compile_directory
from danhba.compiled import Mailbox
from danhba.engine import ConnectionLost, EngineError, Session, session
from danhba.handover import Envelope, File, HandoverError
from danhba.inventory import Environment, Host
from danhba.model import Directory
from danhba.owner import me
from danhba.password_rule import Rule
from danhba.people_host import answering

Item = TypeVar("Item")

AT_ONCE = 1000
"""Accounts that one request sets, in one transaction (host/entries.py, CHUNK)."""
_GO_ON = """\
the new password counts, so make no other; but sessions with the old one may go on.
Those of a host that is down are gone with it; if it was only cut off, end them when it is back:
"""


@dataclass(frozen=True)
class Account:
    """Somebody who is to get a password. account: under which name it is kept, with the domain."""

    account: str
    page: sheet.Page
    about: tuple[str, ...]


@dataclass
class Batch:
    """What lies in one file, or, without a path, is shown on the terminal."""

    accounts: list[Account]
    path: Path | None
    file: File | None = None
    pages: dict[str, sheet.Page] = field(default_factory=dict, repr=False)
    hashes: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Form:
    """How passwords are written down: as sheets for hand-over, or, without an issuer, a line a
    person. wanted: the rule that they have to meet."""

    wanted: Rule
    issuer: sheet.Issuer | None
    day: date
    envelope: Envelope


def form(directory: Directory, envelope: Envelope, is_sheet: bool) -> Form:
    """As the directory has it."""
    province, policy = directory.province, directory.policy
    length = policy.password_min_length
    basis = directory.legal_basis[0] if directory.legal_basis else ""
    issuer = (
        sheet.Issuer(province.name, basis, length, policy.inactive_months) if is_sheet else None
    )
    wanted = Rule(length, (province.name, province.domain))
    return Form(wanted, issuer, directory.today(), envelope)


def content(issuer: sheet.Issuer | None, day: date, pages: Sequence[sheet.Page]) -> bytes:
    """Of a file."""
    return sheet.docx(pages, issuer, day) if issuer else "".join(map(line, pages)).encode()


def line(page: sheet.Page) -> str:
    return f"{page.name} <{page.address}>\t{page.password}\n"


def accounts(directory: Directory, wanted: Callable[[Mailbox], bool]) -> dict[str, list[Account]]:
    """Who is wanted, by agency, in the order of the file."""
    compiled = compile_directory(directory, directory.today())
    places = {person.kept_as: number for number, person in enumerate(directory.people)}
    found: dict[str, list[Account]] = {agency.address: [] for agency in directory.agencies}
    boxes = (box for box in compiled.mailboxes if wanted(box))
    for box in sorted(boxes, key=lambda each: places.get(each.account, -1)):
        address = f"{box.address}@{compiled.domain}"
        page = sheet.Page(box.name, box.title, box.agency_name, address, "")
        about = (box.name, address, box.address, box.account, box.id, box.agency_name, box.agency)
        who = Account(f"{box.account}@{compiled.domain}", page, about)
        found.setdefault(box.agency, []).append(who)
    return {agency: members for agency, members in found.items() if members}


def give(
    env: Environment, tree: Mapping[str, Any], batches: Sequence[Batch], form: Form,
    replace: bool, tell: Callable[[str], None], show: Callable[[str], None],
) -> None:  # fmt: skip
    """Make, write down and set passwords; with `replace` also for who has one.

    tree: of the people host's manifest. show: gets the text of a batch without a file. Raises
    HandoverError and EngineError: what was set by then is in its file, what was not is in none.
    """
    for batch in batches:
        if batch.path and os.path.lexists(form.envelope.name(batch.path)):
            raise HandoverError(f"{batch.path} is there already; nothing was changed")
    people = answering(env, tree["base"], tell)
    todo = _lacking(env, people, tree, batches, replace)
    if kept := _size(batches) - _size(todo):
        tell(f"{kept} had a password already and keep it")
    if not todo:
        return
    _make(todo, form.wanted, tell)
    _write(todo, form)
    with _dropped(todo), session(env, people.name) as hosts:
        for group in _groups(todo):
            ask = _step("passwords", _request(group, tree, replace))
            with _kept_if_unknown(group, todo, tell, show):
                answers = hosts.each(partial(ask, hosts))
            done = set(answers[people.name]["done"])
            for batch in group:
                _keep(batch, [each for each in batch.pages if _dn(each, tree) in done], form)
            _hand_over(group, tell, show)


def _step(name: str, request: Mapping[str, Any]) -> Callable[[Session, Connected], dict[str, Any]]:
    return lambda hosts, host: hosts.step(host, name, request)


def _dn(account: str, tree: Mapping[str, Any]) -> str:
    return f"uid={account.partition('@')[0]},{tree['top']}"


def _lacking(
    env: Environment, people: Host, tree: Mapping[str, Any], batches: Sequence[Batch], replace: bool
) -> list[Batch]:
    """Batches with those who get a password. Nobody waits for hashes with a connection open."""
    dns = [_dn(each.account, tree) for batch in batches for each in batch.accounts]
    question = {"dns": dns, "base": tree["base"]}
    with session(env, people.name) as hosts:
        answers = hosts.each(lambda host: hosts.step(host, "credentials", question))
    has = set() if replace else set(answers[people.name]["with"])
    found = [
        Batch([each for each in batch.accounts if _dn(each.account, tree) not in has], batch.path)
        for batch in batches
    ]
    return [batch for batch in found if batch.accounts]


def _size(batches: Sequence[Batch]) -> int:
    return sum(len(batch.accounts) for batch in batches)


def _make(batches: Sequence[Batch], wanted: Rule, tell: Callable[[str], None]) -> None:
    people = [each for batch in batches for each in batch.accounts]
    issue, about = partial(passphrase.issue, wanted), [each.about for each in people]
    made = _told(workers.each(issue, about, len(people)), len(people), "passwords made", tell)
    for batch in batches:
        for each in batch.accounts:
            plain, hashed = next(made)
            batch.pages[each.account] = dataclasses.replace(each.page, password=plain)
            batch.hashes[each.account] = hashed


def _write(batches: Sequence[Batch], form: Form) -> None:
    """All files, before anything is set; none stays when one cannot be written."""
    own = [batch for batch in batches if batch.path]
    render = partial(content, form.issuer, form.day)
    pages = [list(batch.pages.values()) for batch in own]
    with contextlib.ExitStack() as undo:
        for batch, filled in zip(own, workers.each(render, pages, _size(own)), strict=True):
            assert batch.path
            batch.file = File(batch.path, form.envelope)
            undo.callback(batch.file.drop)
            batch.file.fill(filled)
        undo.pop_all()


def _told(
    items: Iterator[Item], size: int, what: str, tell: Callable[[str], None]
) -> Iterator[Item]:
    """Says after every tenth how far it is, when it takes a while."""
    for number, item in enumerate(items, 1):
        if size >= workers.FEW and number * 10 // size > (number - 1) * 10 // size:
            tell(f"{number} of {size} {what}")
        yield item


def _groups(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """Whole batches, AT_ONCE accounts or little more together."""
    group: list[Batch] = []
    for batch in list(batches):
        group.append(batch)
        if sum(len(each.pages) for each in group) >= AT_ONCE:
            yield group
            group = []
    if group:
        yield group


@contextlib.contextmanager
def _dropped(todo: Sequence[Batch]) -> Iterator[None]:
    """What no host was asked for when the work ends is not left on the disk."""
    try:
        yield
    finally:
        _drop(todo)


def _drop(batches: Sequence[Batch]) -> None:
    for batch in batches:
        if batch.file:
            batch.file.drop()


@contextlib.contextmanager
def _kept_if_unknown(
    group: Sequence[Batch], todo: list[Batch], tell: Callable[[str], None],
    show: Callable[[str], None],
) -> Iterator[None]:  # fmt: skip
    """A request for a group. When it fails: what the host refused goes from the disk; what it may
    have set stays, or is shown."""
    todo[:] = todo[len(group) :]  # may be set from now on: not to be dropped, whatever comes
    try:
        yield
    except BaseException as error:
        if isinstance(error, EngineError) and not isinstance(error, ConnectionLost):
            _drop(group)  # the host said no: none was set
            raise
        tell("The people host did not confirm: of these passwords all are set, or none is.")
        _hand_over(group, tell, show)
        raise


def _keep(batch: Batch, done: Sequence[str], form: Form) -> None:
    """Only what was set: somebody may have got a password from elsewhere in between."""
    if len(done) == len(batch.pages):
        return
    batch.pages = {account: batch.pages[account] for account in done}
    if batch.file and done:
        batch.file.fill(content(form.issuer, form.day, list(batch.pages.values())))
    elif batch.file:
        batch.file.drop()


def _hand_over(
    group: Sequence[Batch], tell: Callable[[str], None], show: Callable[[str], None]
) -> None:
    for batch in group:
        if batch.file is None:
            show("".join(map(line, batch.pages.values())))
    files = [batch for batch in group if batch.file and batch.pages]
    if len(files) == 1 and files[0].file:
        tell(f"{len(files[0].pages)} passwords are in {files[0].file.path}")
    elif files:
        tell(f"{sum(len(each.pages) for each in files)} passwords are in {len(files)} files")


def _request(group: Sequence[Batch], tree: Mapping[str, Any], replace: bool) -> dict[str, Any]:
    hashes = {_dn(account, tree): text for each in group for account, text in each.hashes.items()}
    return {"hashes": hashes, "replace": replace, "base": tree["base"], "top": tree["top"],
            "peers": tree["peers"], "by": me()["who"]}  # fmt: skip


def end_sessions(
    env: Environment, programs: Callable[[Host], list[str]], accounts: Sequence[str]
) -> None:
    """End what was logged in to with the old password, on every host that has sessions: one that is
    not there does not keep the others waiting. programs: of a host, that end them. Raises
    EngineError that names the hosts, and what ends the sessions there when they are back."""
    ask = {
        host.name: _step("kick", {"programs": programs(host), "accounts": list(accounts)})
        for host in env.hosts
    }
    with contextlib.suppress(EngineError), session(env) as hosts:
        hosts.each(lambda host: ask[host.name](hosts, host))
        return
    failed = []  # not all are there
    for host in filter(programs, env.hosts):
        try:
            with session(env, host.name) as hosts:
                hosts.each(partial(ask[host.name], hosts))
        except EngineError as error:
            commands = " && ".join(shlex.join([each, *accounts]) for each in programs(host))
            failed.append(f"{error}\n  on {host.name}, as root: {commands}")
    if failed:
        raise EngineError(_GO_ON + "\n".join(failed))
