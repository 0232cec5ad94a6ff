"""Messages that mailboxes should have and lack come back from the journal's archive, each once.

What is there is known by the journal id in each message, not by Message-IDs, which senders choose.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import IO, Any

from pyinfra.api.host import Host

from danhba.archive.vault import contents, vault_of
from danhba.compiled import Compiled, Mailbox
from danhba.engine import EngineError, Session, session
from danhba.errors import DanhbaError
from danhba.inventory import Environment
from danhba.journal import entry, index
from danhba.journal.segment import ROOT
from danhba.placement import Places
from danhba.relocation.agent import host_of
from danhba.replay.programs import Running, running
from deploys.archive import USER
from deploys.common import SINK_PORT
from deploys.instance import edge as edge_of

USUAL = timedelta(days=1)
"""How far back it goes unless somebody says otherwise: copies that are older than minutes are an
alarm, and a day has been seen by somebody."""
_JOURNAL_QUEUE = "/etc/postfix-journal"
_JOURNAL_LIMIT = 60
"""Seconds that edges get to hand the archive what they have accepted."""
_CHUNK = 20_000
"""Messages that are asked of the archive at once: it goes through its chains each time."""


@dataclass
class Outcome:
    """figures: of messages and mailboxes, summed over stores. open: what could not be done, each
    with what to do."""

    figures: dict[str, int] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    def add(self, figures: Mapping[str, Any]) -> None:
        for name, number in figures.items():
            if isinstance(number, int):
                self.figures[name] = self.figures.get(name, 0) + number

    def __getitem__(self, name: str) -> int:
        return self.figures.get(name, 0)

    def text(self, since: datetime, dry_run: bool) -> str:
        """For an engineer; a message in two mailboxes counts twice."""
        rows = [
            f"since {since:%Y-%m-%d %H:%M}: {self['wanted']} messages in the archive",
            f"  {self['there']} are in their mailboxes, {self['queued']} still in a queue",
            f"  {self['missing']} are missing" if dry_run else f"  {self['delivered']} came back",
            *(f"  not done: {each}" for each in self.open),
        ]
        return "".join(f"{row}\n" for row in rows)


def boxes_of(directory: Compiled, env: Environment, names: Sequence[str]) -> list[Mailbox]:
    """The mailboxes that are meant by stores, whose mailboxes they are when they work, and by
    addresses. Raises DanhbaError."""
    found: dict[str, Mailbox] = {}
    stores = env.having("store")
    normal = Places(stores, replace(env.remembered, failed_over=()))
    by_account = {box.account: box for box in directory.mailboxes}
    led = addresses(directory, directory.mailboxes)
    for name in names:
        if name in {store.name for store in stores}:
            boxes = [box for box in directory.mailboxes if normal.of(box).home == name]
        elif account := directory.account_of(name) or led.get(_whole(name, directory.domain)):
            boxes = [by_account[account]]
        else:
            raise DanhbaError(f"{name} is neither a store nor an address of today")
        found |= {box.account: box for box in boxes if receives(box)}
    if not found:
        raise DanhbaError("none of these mailboxes receives mail any more: nothing to do")
    return list(found.values())


def _whole(name: str, domain: str) -> str:
    return f"{name.lower().removesuffix(f'@{domain}')}@{domain}"


def receives(box: Mailbox) -> bool:
    """Who is withdrawn gets nothing: his mailbox is archived, or waits for it."""
    return box.state in ("active", "locked")


def addresses(directory: Compiled, boxes: Collection[Mailbox]) -> dict[str, str]:
    """Address to account, as edges lead mail today: envelopes have what the sender wrote."""
    accounts = {box.account for box in boxes}
    led = {box.account: box.account for box in directory.mailboxes}
    led |= {name.address: name.account for name in directory.names}  # aliases come first
    return {
        f"{address}@{directory.domain}": account
        for address, account in led.items()
        if account in accounts
    }


def replay(
    env: Environment,
    directory: Compiled,
    boxes: Sequence[Mailbox],
    since: datetime,
    tell: Callable[[str], None],
    dry_run: bool = False,
    lost_edges: Collection[str] = (),
) -> Outcome:
    """Bring back what was addressed to the mailboxes since then. dry_run: only count. lost_edges:
    whose queue nobody will ever deliver. Run again it brings nothing twice. Raises EngineError.
    """
    if strangers := set(lost_edges) - {edge.name for edge in env.having("edge")}:
        raise EngineError(f"{min(strangers)} is no edge of {env.name}")
    work = _Work(env, directory, boxes, since, tell, frozenset(lost_edges))
    with session(env, partly=True) as hosts:
        work.run(hosts, dry_run)
    return work.outcome


@dataclass
class _Work:
    env: Environment
    directory: Compiled
    boxes: Sequence[Mailbox]
    since: datetime
    tell: Callable[[str], None]
    lost_edges: frozenset[str]
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def vault(self) -> str:
        return vault_of(self.env)

    def run(self, hosts: Session, dry_run: bool) -> None:
        homes = {box.account: self.env.place(box).home for box in self.boxes}
        names = [self.vault, *sorted(set(homes.values()))]
        if missing := [name for name in names if name in hosts.absent]:
            raise EngineError(f"{', '.join(missing)} does not answer: nothing done")
        with ExitStack() as stack:
            edges = self._edges(hosts, stack)
            stores = {
                name: stack.enter_context(running(host_of(hosts, name), "missing"))
                for name in sorted(set(homes.values()))
            }
            self._compare(hosts, edges, stores, homes)
            for name, program in stores.items():
                self._bring(hosts, name, program.said, dry_run)

    def _edges(self, hosts: Session, stack: ExitStack) -> list[Running]:
        """Programs on the edges; the archive has what they have accepted by now."""
        found = []
        for edge in self.env.having("edge"):
            if edge.name in hosts.absent:
                self._absent_edge(edge.name)
                continue
            program = stack.enter_context(running(host_of(hosts, edge.name), "queues"))
            config = {
                "postfix": edge_of(edge).postfix,
                "journal": _JOURNAL_QUEUE,
                "edge": edge.name,
                "domain": self.directory.domain,
                "limit": _JOURNAL_LIMIT,
            }
            _write(program, json.dumps(config))
            found.append(program)
        for program in found:
            if waiting := _json(program)["waiting"]:
                self.outcome.open.append(
                    f"{waiting} messages on {program.host.name} are not in the archive yet: "
                    "see danhba status, then run this again"
                )
        return found

    def _absent_edge(self, name: str) -> None:
        if name not in self.lost_edges:
            self.outcome.open.append(
                f"{name} does not answer: what it took and may still deliver was left out; run "
                f"this again when it is back, or with --lost-edge {name} when its disk is lost"
            )

    def _compare(
        self,
        hosts: Session,
        edges: Sequence[Running],
        stores: Mapping[str, Running],
        homes: Mapping[str, str],
    ) -> None:
        """First the archive, then the queues, then the mailboxes (danhba.replay.missing)."""
        domain = self.directory.domain
        absent = [
            edge.name
            for edge in self.env.having("edge")
            if edge.name in hosts.absent and edge.name not in self.lost_edges
        ]
        config = {
            "edges": {edge.fqdn: edge.name for edge in self.env.having("edge")},
            "domain": domain,
            "absent": absent,
        }
        for program in stores.values():
            _write(program, json.dumps(config))
        for row in self._wanted(host_of(hosts, self.vault)):
            _write(stores[homes[row.split()[2]]], row)
        for program in stores.values():
            _write(program, ".")
        led = addresses(self.directory, self.boxes)
        for edge in edges:
            _write(edge, "go")
            edge.given.flush()
            for row in _until_dot(edge):
                identity, address = row.split()
                if account := led.get(address):
                    _write(stores[homes[account]], f"{identity} {account}")
        for program in stores.values():
            _write(program, ".")
            program.told_all()

    def _wanted(self, vault: Host) -> Iterator[str]:
        """What the archive says that the mailboxes should have."""
        request = {
            "index": str(ROOT / index.NAME),
            "first": entry.stamp(self.since.timestamp()),
            "accounts": addresses(self.directory, self.boxes),
        }
        with running(vault, "wanted", USER) as program:
            _write(program, json.dumps(request))
            program.told_all()
            yield from _until_dot(program)

    def _bring(self, hosts: Session, store: str, said: IO[bytes], dry_run: bool) -> None:
        """What a store says that its mailboxes lack."""
        rows = _Rows(said)
        if dry_run:
            for _ in rows:
                pass
        else:
            self._deliver(hosts, store, rows)
        figures = rows.figures
        self.outcome.add(figures)
        if failed := figures["failed"]:
            self.outcome.open.append(
                f"{store} could not read {len(failed)} mailboxes ({', '.join(failed[:5])}): "
                "see its log, then run this again"
            )

    def _deliver(self, hosts: Session, store: str, rows: _Rows) -> None:
        chunk = dict(islice(rows, _CHUNK))
        if not chunk:
            return
        with running(host_of(hosts, store), "delivering") as program:
            _write(program, json.dumps({"domain": self.directory.domain, "sink": SINK_PORT}))
            while chunk:
                self._send(hosts, store, program, chunk)
                chunk = dict(islice(rows, _CHUNK))
            program.told_all()
            figures = _json(program)
        self.outcome.add(figures)
        self.outcome.open += figures["why"]
        if more := figures["refused"] - len(figures["why"]):
            self.outcome.open.append(f"{more} more were refused by {store}: see its log")

    def _send(
        self, hosts: Session, store: str, program: Running, chunk: dict[str, list[str]]
    ) -> None:
        """Contents from the archive into a store's mailboxes."""
        left = dict(chunk)
        for head, content in self._contents(hosts, store, list(chunk)):
            to = left.pop(head.get("id", ""), None)
            if to is None:  # another entry of the same message
                continue
            if why := head.get("damaged") or ("expired" if head.get("expired") else ""):
                self.outcome.open.append(f"{head['id']} for {', '.join(to)}: {why}")
                continue
            told = {"id": head["id"], "from": head["from"], "to": to, "bytes": len(content)}
            _write(program, json.dumps(told))
            program.given.write(content)
        for identity in left:
            self.outcome.open.append(f"{identity} is in the index and not in the archive")

    def _contents(
        self, hosts: Session, store: str, ids: Sequence[str]
    ) -> Iterator[tuple[dict[str, Any], bytes]]:
        self.tell(f"{store}: {len(ids)} messages from the archive")
        request = {
            "who": getpass.getuser(),
            "why": f"replay into mailboxes of {store}",
            "first": entry.stamp(self.since.timestamp()),
            "written": True,  # as the index was asked (danhba/replay/wanted.py)
            "ids": ids,
        }
        key = self.env.secrets.derive("journal")
        for head, content in contents(host_of(hosts, self.vault), request, key):
            if not head.get("end"):
                yield head, content


class _Rows:
    """Journal ids and accounts that a store names; then its figures."""

    def __init__(self, said: IO[bytes]) -> None:
        self._said = said
        self.figures: dict[str, Any] = {}

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        return self

    def __next__(self) -> tuple[str, list[str]]:
        line = self._said.readline() if not self.figures else b""
        if line.startswith(b"{"):
            self.figures = json.loads(line)
        if self.figures:
            raise StopIteration
        if not line:
            raise EngineError("the store ended before it had said all")
        identity, *accounts = line.decode().split()
        return identity, accounts


def _write(program: Running, line: str) -> None:
    program.given.write(line.encode() + b"\n")


def _json(program: Running) -> dict[str, Any]:
    program.given.flush()
    line = program.said.readline()
    if not line:
        program.end()
        raise EngineError(f"{program.host.name} ended without a word")
    found: dict[str, Any] = json.loads(line)
    return found


def _until_dot(program: Running) -> Iterator[str]:
    program.given.flush()
    while line := program.said.readline():
        if line == b".\n":
            return
        yield line.decode().rstrip("\n")
    program.end()
    raise EngineError(f"{program.host.name} ended before it had said all")
