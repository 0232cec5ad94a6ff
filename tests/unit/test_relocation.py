"""Which mailboxes a rebalance moves, and what a diff says of stores."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from danhba.compiled import Mailbox
from danhba.diff import Change
from danhba.diff_places import with_places
from danhba.inventory import Environment, Host
from danhba.placement import Box, Failure, Move, Moving, Place, Remembered
from danhba.rebalancing import uneven


def host(name: str, number: int, *roles: str) -> Host:
    return Host(name, f"{name}.x", f"192.0.2.{number}", f"::{number}", roles)


def environment(stores: int, *moved: Move) -> Environment:
    hosts = [host(f"store{number}", number, "store") for number in range(1, stores + 1)]
    return Environment("e", tuple(hosts), Remembered(moved=moved))


def box(account: str) -> Mailbox:
    return Mailbox(
        account, account, "person", "active", account, "so", "Sở", "1", "", 1, (account,)
    )


BOXES = [box(f"nv{number}") for number in range(400)]


@settings(max_examples=60)
@given(st.integers(2, 5), st.lists(st.integers(0, 399), unique=True), st.integers(1, 20))
def test_after_a_rebalance_every_store_has_its_share(
    stores: int, moved: list[int], tolerance: int
) -> None:
    env = environment(stores, *(Move(f"nv{number}", "store1") for number in moved))
    moves = uneven(BOXES, env, tolerance / 100)
    homes = {each.account: env.place(each).home for each in BOXES}
    assert all(homes[account] != store for account, store in moves.items())
    count = Counter((homes | moves).values())
    if moves:
        assert max(count.values()) - min(count[f"store{n + 1}"] for n in range(stores)) <= 1
    share = len(BOXES) / stores
    assert all(abs(count[f"store{n + 1}"] - share) <= max(1, tolerance * share / 100)
               for n in range(stores))  # fmt: skip
    again = replace(env, remembered=Remembered(moved=(
        *(m for m in env.remembered.moved if m.account not in moves),
        *(Move(account, store) for account, store in moves.items()),
    )))  # fmt: skip
    assert uneven(BOXES, again, tolerance / 100) == {}


def test_who_has_a_copy_there_already_goes_first() -> None:
    env = environment(3, *(Move(each.account, "store1") for each in BOXES[:200]))
    moves = uneven(BOXES, env, 0.05)
    near = [account for account, store in moves.items() if env.place(box(account)).standby == store]
    assert len(near) > 0.9 * len(moves)


def test_a_mailbox_is_looked_at_once_however_many_move() -> None:
    asked = []

    class Counting(Environment):
        def place(self, box: Box) -> Place:
            asked.append(box.account)
            return super().place(box)

    env = environment(3, *(Move(each.account, "store1") for each in BOXES))
    moves = uneven(BOXES, Counting(env.name, env.hosts, env.remembered), 0.05)
    assert len(moves) > len(BOXES) / 2
    assert len(asked) == len(BOXES)


def test_both_ends_of_a_move_under_way_know_the_mailbox() -> None:
    env = environment(4)
    ranked = env.place(BOXES[0])
    (other, *_) = {f"store{n}" for n in range(1, 5)} - set(ranked.holders)
    moving = Remembered(moving=(Moving("nv0", ranked.home, other),))
    place = replace(env, remembered=moving).place(BOXES[0])
    assert place.home == ranked.home
    assert set(place.holders) == {*ranked.holders, other}


def test_a_store_that_is_returning_has_its_mailboxes_back() -> None:
    env = environment(2)
    home = env.place(BOXES[0]).home
    day = date(2026, 11, 25)
    for returning, expected in ((None, False), (day, True)):
        failed = Remembered(failed_over=(Failure(home, day, "an", returning),))
        assert (replace(env, remembered=failed).place(BOXES[0]).home == home) is expected


def test_a_diff_says_where_new_mailboxes_are_and_who_was_moved() -> None:
    before = environment(2)
    home = before.place(BOXES[1]).home
    other = {"store1": "store2", "store2": "store1"}[home]
    after = environment(2, Move("nv1", other))
    new = [Change("so", "new", "nv0 <nv0>", "staff code 1", "nv0@x receives")]
    found = with_places(new, before, after, BOXES[1:], BOXES)
    place = after.place(BOXES[0])
    assert [each.kind for each in found] == ["new", "moved"]
    assert found[0].mail == f"nv0@x receives; home {place.home}, standby {place.standby}"
    assert (found[1].who, found[1].detail) == ("nv1 <nv1>", f"{home} -> {other}")
