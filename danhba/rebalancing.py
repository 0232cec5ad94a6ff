"""Which mailboxes move, and where to, so that stores get equal shares."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from danhba.compiled import Mailbox
from danhba.inventory import Environment


def uneven(boxes: Iterable[Mailbox], env: Environment, tolerance: float) -> dict[str, str]:
    """The fewest mailboxes to move, and where to, so that no store has more or less than its share
    by more than `tolerance` (0.05: five in a hundred). Who has a copy there already goes first."""
    # By home, then by standby: whose turn it is, is at the head of one of few queues.
    queues: dict[str, dict[str | None, deque[str]]] = {
        store.name: defaultdict(deque) for store in env.having("store")
    }
    for box in sorted(boxes, key=lambda box: box.account):
        place = env.place(box)
        queues[place.home][place.standby].append(box.account)
    count = {store: sum(map(len, found.values())) for store, found in queues.items()}
    share = sum(count.values()) / len(count)
    if all(abs(number - share) <= tolerance * share for number in count.values()):
        return {}
    moves: dict[str, str] = {}
    for source, target in _pairs(count):
        near = queues[source][target] or min(filter(None, queues[source].values()))
        moves[near.popleft()] = target
    return moves


def _pairs(count: dict[str, int]) -> Iterator[tuple[str, str]]:
    """From the fullest store to the emptiest until one more would change nothing."""
    while True:
        source = max(count, key=lambda store: (count[store], store))
        target = min(count, key=lambda store: (count[store], store))
        if count[source] - count[target] <= 1:
            return
        count[source] -= 1
        count[target] += 1
        yield source, target
