"""Which store holds a mailbox, and which one has its standby copy.

Computed, so that every checkout finds the same; stable, so that no mailbox moves because a store
was added: only the stores that were there on the first day of a mailbox compete for it, by
rendezvous hashing. What was moved since, and which stores are failed over, is remembered in
inventory/ENV.placement.yaml, a reviewed file (docs/stores.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Protocol


class Store(Protocol):
    """What of an inventory's host matters here. since: first day on which it takes new mailboxes;
    date.min: from the beginning."""

    @property
    def name(self) -> str: ...

    @property
    def since(self) -> date: ...


class Box(Protocol):
    """What of a mailbox matters here. since: its first day."""

    @property
    def account(self) -> str: ...

    @property
    def since(self) -> date: ...


@dataclass(frozen=True)
class Move:
    """A mailbox that an engineer gave another home. line: of the placement file, 0: none yet."""

    account: str
    store: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Failure:
    """A store whose mailboxes are served by their standbys. since: a day; by: who said so.
    returning: the day on which it got its mailboxes back, while what came late is still compared.
    """

    store: str
    since: date
    by: str
    returning: date | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Moving:
    """A move that is under way: whoever runs it again goes on with it. source, to: stores."""

    account: str
    source: str
    to: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Remembered:
    """What is not computed. moved, moving: by account; failed_over: by store."""

    moved: tuple[Move, ...] = ()
    failed_over: tuple[Failure, ...] = ()
    moving: tuple[Moving, ...] = ()


NOTHING = Remembered()


@dataclass(frozen=True)
class Place:
    """Names of stores. home: serves the mailbox; standby: has its copy, None when there is no
    second store; holders: all that know the mailbox, those two among them. A store that is failed
    over still does: it comes back with mail of its own."""

    home: str
    standby: str | None
    holders: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """The places of one inventory. stores: in its order, at least one."""

    stores: Sequence[Store]
    remembered: Remembered = NOTHING

    @cached_property
    def _moved(self) -> dict[str, str]:
        return {move.account: move.store for move in self.remembered.moved}

    @cached_property
    def _failed(self) -> frozenset[str]:
        failures = self.remembered.failed_over
        return frozenset(failure.store for failure in failures if not failure.returning)

    @cached_property
    def _moving(self) -> dict[str, Moving]:
        return {each.account: each for each in self.remembered.moving}

    @cached_property
    def _known(self) -> dict[tuple[str, date], Place]:
        return {}

    def of(self, box: Box) -> Place:
        """Where a mailbox is. At least one store must not be failed over."""
        key = (box.account, box.since)
        if key not in self._known:
            self._known[key] = self._place(self.rank(box), self._before(box))
        return self._known[key]

    def rank(self, box: Box) -> list[str]:
        """All stores, the one first that the mailbox belongs to when none has failed."""
        return self._with_first(box, self._moved.get(box.account))

    def _with_first(self, box: Box, first: str | None) -> list[str]:
        ranked = sorted(self.stores, key=lambda store: self._order(box, store))
        names = [store.name for store in ranked]
        return names if first is None else [first, *(each for each in names if each != first)]

    def _before(self, box: Box) -> list[str]:
        """While a mailbox moves: where it goes, and the two that had it. None forgets it before
        the move has ended, so that any apply may go on in between."""
        moving = self._moving.get(box.account)
        return [moving.to, *self._with_first(box, moving.source)[:2]] if moving else []

    def _place(self, ranked: list[str], others: list[str]) -> Place:
        alive = [name for name in ranked if name not in self._failed]
        home, standby = alive[0], alive[1] if len(alive) > 1 else None
        holders = dict.fromkeys([home, *([standby] if standby else []), *ranked[:2], *others])
        return Place(home, standby, tuple(holders))

    @staticmethod
    def _order(box: Box, store: Store) -> tuple[date, bytes]:
        """Stores that were there on the first day compete; later ones follow in the order in which
        they came."""
        came = date.min if store.since <= box.since else store.since
        return came, _draw(box.account, store.name)


def _draw(account: str, store: str) -> bytes:
    return hashlib.blake2b(f"{account}\n{store}".encode(), digest_size=8).digest()
