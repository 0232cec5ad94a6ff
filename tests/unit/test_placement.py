"""Which store holds a mailbox: stable, balanced, and what the placement file remembers."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba import inventory, placement_file
from danhba.inventory import InventoryError
from danhba.placement import Failure, Move, Places, Remembered

DAY = date(2026, 11, 25)


@dataclass(frozen=True)
class Store:
    name: str
    since: date = date.min


@dataclass(frozen=True)
class Box:
    account: str
    since: date = DAY


def boxes(count: int, since: date = DAY) -> list[Box]:
    return [Box(f"nv{number}", since) for number in range(count)]


def stores(count: int) -> list[Store]:
    return [Store(f"store{number + 1}") for number in range(count)]


def failed(*names: str) -> Remembered:
    return Remembered(failed_over=tuple(Failure(name, DAY, "an") for name in names))


accounts = st.builds(
    Box,
    st.from_regex(r"[a-z]{1,8}[0-9]{0,3}", fullmatch=True),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
)
fleets = st.lists(st.sampled_from([f"s{number}" for number in range(9)]), unique=True, min_size=1)


@settings(max_examples=300, deadline=None)
@given(st.lists(accounts, max_size=40), fleets, st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_a_store_that_is_added_moves_nobody_who_was_there(
    everybody: list[Box], names: list[str], came: date
) -> None:
    before = [Store(name) for name in names]
    after = [*before, Store("new", came)]
    for box in everybody:
        was, now = Places(before).of(box), Places(after).of(box)
        if box.since < came:
            assert now.home == was.home
            # who had no standby gets one; who had one keeps it
            assert now.standby == (was.standby or "new")


@settings(max_examples=200, deadline=None)
@given(accounts, fleets, st.randoms())
def test_the_order_of_the_inventory_means_nothing(
    box: Box, names: list[str], random: object
) -> None:
    fleet = [Store(name) for name in names]
    assert Places(fleet).of(box) == Places(fleet[::-1]).of(box)


@settings(max_examples=200, deadline=None)
@given(accounts, fleets.filter(lambda names: len(names) > 1), st.data())
def test_a_store_that_fails_hands_its_mailboxes_to_their_standbys_and_moves_no_other(
    box: Box, names: list[str], data: st.DataObject
) -> None:
    fleet = [Store(name) for name in names]
    gone = data.draw(st.sampled_from(names))
    was, now = Places(fleet).of(box), Places(fleet, failed(gone)).of(box)
    assert now.home == (was.standby if was.home == gone else was.home)
    assert now.standby != gone and now.home != now.standby
    assert {was.home, was.standby} <= set(now.holders)  # who comes back still knows it


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_homes_and_standbys_are_balanced(count: int) -> None:
    places = [Places(stores(count)).of(box) for box in boxes(30_000)]
    for each in (Counter(place.home for place in places),
                 Counter(place.standby for place in places)):  # fmt: skip
        assert len(each) == count
        assert max(each.values()) < 1.05 * 30_000 / count


def test_new_mailboxes_are_spread_over_the_new_store_too() -> None:
    fleet = [*stores(3), Store("store4", DAY)]
    homes = Counter(Places(fleet).of(box).home for box in boxes(8000, DAY + timedelta(1)))
    assert min(homes.values()) > 0.9 * 2000


def test_where_a_mailbox_is_does_not_change_with_the_version_of_python() -> None:
    """Else another checkout would send mail elsewhere."""
    places = Places(stores(4))
    found = [places.of(Box(name)).home for name in ("nvan", "ttkngan", "sotaichinh", "lvloc")]
    assert found == ["store1", "store1", "store1", "store4"]


def test_one_store_has_no_standby() -> None:
    place = Places(stores(1)).of(Box("nvan"))
    assert (place.home, place.standby, place.holders) == ("store1", None, ("store1",))


def test_what_was_moved_stays_moved_and_its_old_home_has_the_copy() -> None:
    box = Box("nvan")
    home, standby, third = Places(stores(3)).rank(box)
    place = Places(stores(3), Remembered(moved=(Move("nvan", third),))).of(box)
    assert (place.home, place.standby) == (third, home)
    assert Places(stores(3), Remembered(moved=(Move("nvan", standby),))).of(box).standby == home


# The file


FILE = """\
# a comment
failed_over:
  store1: {since: 2026-11-25, by: an}
moved:
  nvan: store2
  ttkngan: store3
"""


def read(tmp_path: Path, text: str) -> tuple[Remembered, list[str]]:
    path = tmp_path / "x.placement.yaml"
    path.write_text(text, encoding="utf-8")
    found, findings = placement_file.load(path, ["store1", "store2", "store3"])
    return found, [f"{each.line}: {each.message}" for each in findings]


def test_the_file_is_read(tmp_path: Path) -> None:
    found, findings = read(tmp_path, FILE)
    assert findings == []
    assert found.failed_over == (Failure("store1", DAY, "an"),)
    assert found.moved == (Move("nvan", "store2"), Move("ttkngan", "store3"))
    assert found.moved[1].line == 6


def test_no_file_and_an_empty_one_remember_nothing(tmp_path: Path) -> None:
    assert placement_file.load(tmp_path / "none", ["store1"]) == (Remembered(), [])
    assert read(tmp_path, "") == (Remembered(), [])
    assert read(tmp_path, "# nothing\n\n") == (Remembered(), [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("moved:\n  nvan: store9\n", ["2: 'store9' is no store of the inventory"]),
        ("moved:\n  nvan: [store1]\n", ["2: the store of nvan is no word"]),
        ("moved: store1\n", ["1: moved is no mapping"]),
        ("moves:\n  nvan: store1\n", ["1: unknown key 'moves'"]),
        ("moved:\n  nvan: store1\n  nvan: store2\n",
         ["3: the key 'nvan' stands here again, first on line 2"]),
        ("failed_over:\n  store1: {since: 2026-11-25}\n", ["2: store1 lacks by"]),
        ("failed_over:\n  store1: {since: gestern, by: an}\n", ["2: 'gestern' is no day"]),
        ("failed_over:\n  store9: {since: 2026-11-25, by: an}\n",
         ["2: 'store9' is no store of the inventory"]),
        ("failed_over:\n  store1: {since: 2026-11-25, by: an, why: x}\n", ["2: unknown key 'why'"]),
        ("failed_over:\n" + "".join(f"  store{n}: {{since: 2026-11-25, by: an}}\n"
                                    for n in (1, 2, 3)), ["1: every store is failed over"]),
        ("- moved\n", ["1: the file is no mapping"]),
        ("moved: {nvan: store1\n", None),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_named_with_its_line(
    tmp_path: Path, text: str, said: list[str] | None
) -> None:
    _, findings = read(tmp_path, text)
    if said is None:
        assert findings
    else:
        assert findings == said


@given(
    st.dictionaries(st.from_regex(r"[a-z.]{1,9}[0-9]{2}", fullmatch=True),
                    st.sampled_from(["store1", "store2"])),
    st.booleans(),
)  # fmt: skip
def test_what_is_written_is_read_again(moved: dict[str, str], down: bool) -> None:
    wanted = Remembered(
        tuple(Move(account, moved[account]) for account in sorted(moved)),
        (Failure("store1", DAY, "an"),) if down else (),
    )
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "x.placement.yaml"
        placement_file.save(path, wanted)
        assert placement_file.load(path, ["store1", "store2"]) == (wanted, [])


INVENTORY = """\
from datetime import date
def _host(name, number, **more):
    return name, {"fqdn": name + ".x", "ipv4": f"192.0.2.{number}", "ipv6": f"::{number}", **more}
hosts = ([_host("mx1", 1), _host("store1", 2), _host("store2", 3, since=SINCE)], {})
edge = ["mx1"]
store = ["store1", "store2"]
people = ["store1"]
"""


def test_the_inventory_reads_the_file_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "lab.py"
    path.write_text(INVENTORY.replace("SINCE", "date(2027, 3, 1)"), encoding="utf-8")
    env = inventory.load(path)
    assert env.place(Box("nvan", DAY)).home == "store1"
    placement = inventory.placement_of(path)
    placement.write_text("moved:\n  nvan: store2\n", encoding="utf-8")
    moved = inventory.load(path)
    assert moved.place(Box("nvan", DAY)).home == "store2"
    assert repr(moved) != repr(env)  # what is remembered of a compilation is asked for by it
    placement.write_text("moved:\n  nvan: store3\n", encoding="utf-8")
    with pytest.raises(
        InventoryError, match=r"lab\.placement\.yaml:2: error: 'store3' is no store"
    ):
        inventory.load(path)


def test_since_is_a_date(tmp_path: Path) -> None:
    path = tmp_path / "lab.py"
    path.write_text(INVENTORY.replace("SINCE", "'2027'"), encoding="utf-8")
    with pytest.raises(InventoryError, match="host store2: since is a date"):
        inventory.load(path)
