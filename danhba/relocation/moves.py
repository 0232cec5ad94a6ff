"""Mailboxes get another store while their users work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from danhba.commands.common import tell
from danhba.compiled import Mailbox
from danhba.engine import EngineError
from danhba.placement import Move, Moving, Places, Remembered
from danhba.relocation.work import Work, alone


@alone
def move(work: Work, targets: Mapping[str, str]) -> None:
    """Accounts to their new stores; what was under way is finished first, too.

    Raises EngineError.
    """
    work.must_be_whole()
    under_way = {each.account: each.to for each in work.env.remembered.moving}
    for store in {*targets.values()}:
        work.must_be_store(store)
    clash = sorted(a for a in under_way if targets.get(a, under_way[a]) != under_way[a])
    if clash:
        where = f"{clash[0]} is on its way to {under_way[clash[0]]}"
        raise EngineError(f"{where}: finish that first (danhba move {clash[0]} "
                          f"--to {under_way[clash[0]]})")  # fmt: skip
    wanted = under_way | dict(targets)
    boxes = [box for box in work.directory.mailboxes if box.account in wanted]
    # Whose retention has ended meanwhile has no mailbox any more, and is not waited for.
    unknown = sorted(targets.keys() - {box.account for box in boxes})
    if unknown:
        raise EngineError(f"{', '.join(unknown)}: the directory has no such mailbox")
    boxes = [box for box in boxes if box.account in under_way or _is_to_move(work, box, wanted)]
    if not boxes:
        work.save(replace(work.env.remembered, moving=()))
        tell("They are there already.")
        return
    work.must_be_applied()
    _carry(work, boxes, wanted)


def _is_to_move(work: Work, box: Mailbox, wanted: Mapping[str, str]) -> bool:
    return work.env.place(box).home != wanted[box.account]


def _carry(work: Work, boxes: Sequence[Mailbox], wanted: Mapping[str, str]) -> None:
    known = {each.account: each for each in work.env.remembered.moving}
    ways = [
        known.get(box.account) or Moving(box.account, work.env.place(box).home, wanted[box.account])
        for box in boxes
    ]
    waiting = [
        way for way, box in zip(ways, boxes, strict=True) if work.env.place(box).home != way.to
    ]
    if copied := [way for way in ways if way not in waiting]:
        # A run that was cut off had: perhaps days ago, and edges may still have the old routes.
        tell(f"Compare {len(copied)} mailboxes that were copied before")
        work.sync_grouped(
            {way.account: way.source for way in copied},
            {way.account: way.to for way in copied},
        )
    work.publish(replace(work.env.remembered, moving=tuple(ways)), boxes)
    if waiting:
        tell(f"Copy {len(waiting)} mailboxes; their users work on")
        work.sync_grouped(
            {way.account: way.source for way in waiting},
            {way.account: way.to for way in waiting},
        )
        work.publish(_moved(work, {way.account: way.to for way in waiting}), boxes)
    work.settle({way.account: way.source for way in ways}, {way.account: way.to for way in ways})
    work.publish(replace(work.env.remembered, moving=()), boxes, last=True)
    tell(f"{len(boxes)} mailboxes have moved. Commit {work.project.placement(work.env)}")


def _moved(work: Work, targets: Mapping[str, str]) -> Remembered:
    """What is computed anyway is not remembered."""
    kept = tuple(m for m in work.env.remembered.moved if m.account not in targets)
    natural = Places(work.env.having("store"))
    first = {box.account: natural.rank(box)[0] for box in work.directory.mailboxes}
    new = tuple(Move(a, store) for a, store in targets.items() if first[a] != store)
    return replace(work.env.remembered, moved=(*kept, *new))
