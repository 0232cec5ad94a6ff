"""Which mailboxes a drill restores: nobody can tell before, anybody can repeat it afterwards."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence


def choose(
    accounts: Mapping[str, Sequence[str]],
    first: Mapping[str, Collection[str]],
    count: int,
    seed: int,
) -> dict[str, tuple[str, ...]]:
    """`count` accounts at random, and at least one of every store that has any; of each store those
    of `first` before others.

    The same seed and the same accounts, in whatever order, give the same sample.
    """
    dice = random.Random(seed)
    pool = []
    chosen: dict[str, list[str]] = {}
    for store in sorted(accounts):
        own = sorted(set(accounts[store]))
        dice.shuffle(own)
        own.sort(key=lambda account: account not in first[store])
        chosen[store] = own[:1]
        pool += [(store, account) for account in own[1:]]
    dice.shuffle(pool)
    pool.sort(key=lambda each: each[1] not in first[each[0]])
    for store, account in pool[: max(0, count - sum(map(len, chosen.values())))]:
        chosen[store].append(account)
    return {store: tuple(sorted(own)) for store, own in chosen.items()}
