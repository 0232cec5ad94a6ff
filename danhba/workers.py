"""Work for all processors, where there is enough of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 200
"""So much is done sooner than processes have started."""


def each(work: Callable[[Item], Result], items: Sequence[Item], size: int) -> Iterator[Result]:
    """work(item) for every item, in order. size: how much all of it is, FEW being little; work
    must be found by name in a module. What goes to processes and back goes through pipes."""
    if size < FEW:
        yield from map(work, items)
        return
    # Not forked: gevent, which connections run on, does not survive that in every state.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, items, chunksize=max(1, len(items) * FEW // size // 4))
