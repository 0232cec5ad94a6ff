"""What move, failover and failback publish, and where they go on: hosts that take every generation
they are given, the plans real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from lives import PROVINCE
from test_plan import answer_bare

import danhba.project
from danhba.commands import apply, hosts, lock, rebalance
from danhba.engine import ConnectionLost, EngineError
from danhba.generations.generation import Generation
from danhba.generations.plan import compare
from danhba.inventory import load
from danhba.memory import Memory
from danhba.placement import Failure, Moving, Places, Remembered
from danhba.project import Project
from danhba.publish import Asked
from danhba.relocation import work
from danhba.relocation.failures import failback, failover
from danhba.relocation.moves import move
from danhba.relocation.work import Work
from deploys.standby import PROGRAM

DAY = date(2026, 11, 25)
INVENTORY = """\
def _host(name, number):
    return name, {{"fqdn": name + ".x", "ipv4": f"192.0.2.{{number}}", "ipv6": f"::{{number}}"}}
store = [_host(f"store{{number}}", number) for number in range(1, {stores} + 1)]
edge = [_host("mx1", 11)]
people = [_host("people1", 31)]
"""


HOMES = "/etc/danhba/tables/homes"


class Killed(BaseException):
    """Nobody catches it."""


@dataclass
class Fleet:
    """Hosts. live: by name. absent: do not answer. done: what happened to them, in order; killed:
    the run ends with its how manieth. edited: what else a host would answer. hanging: its disk
    does not answer, nor does it from then on. swaps: where in `done` routes of mx1 changed."""

    project: Project
    live: dict[str, Generation] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    killed: int = 0
    edited: dict[str, dict[str, Any]] = field(default_factory=dict)
    hanging: str = ""
    swaps: list[int] = field(default_factory=list)

    # In the place of danhba.engine and danhba.publish

    @contextmanager
    def session(self, env: Any, *_: Any, **words: Any) -> Iterator[Any]:
        gone = self.absent.union(words.get("without", ()))
        there = [host for host in env.hosts if host.name not in gone]
        hosts = [SimpleNamespace(name=host.name, groups=host.roles) for host in there]
        absent = tuple(sorted(gone))
        yield SimpleNamespace(
            absent=absent, hosts=lambda: hosts, step=self.step, within=lambda *_: nullcontext()
        )

    def ask_all(
        self, hosts: Any, wanted: Mapping[str, Generation], *allowed: Any, **ways: Any
    ) -> dict[str, Asked]:
        asked = {}
        for host in hosts.hosts():
            assert host.name != self.hanging
            generation, live = wanted[host.name], self.live[host.name]
            report = answer(live, generation) | self.edited.get(host.name, {})
            plan = compare(host.name, generation, report, *allowed, **ways)
            asked[host.name] = Asked(generation, report, plan)
        return asked

    def publish(self, hosts: Any, asked: Mapping[str, Asked], take_over: bool) -> None:
        self._happens("locked")
        for edges in (False, True):
            turn = {name: item for name, item in asked.items() if name.startswith("mx") == edges}
            before = self.live["mx1"].text(HOMES)
            self.live |= {name: item.generation for name, item in turn.items()}
            if self.live["mx1"].text(HOMES) != before:
                self.swaps.append(len(self.done))
            self._happens(f"published to {', '.join(turn)}")

    def step(self, host: Any, step: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if host.name == self.hanging:
            raise ConnectionLost("no answer within 60 s")
        words = request["argv"]
        if words[: len(PROGRAM)] == [*PROGRAM]:
            accounts = request["stdin"].split()
            words = [host.name, *words[len(PROGRAM) :]]
            self._happens(f"{' '.join(words)}: {len(accounts)}")
        return {"status": 0, "out": "", "err": ""}

    def _happens(self, what: str) -> None:
        self.done.append(what)
        if len(self.done) == self.killed:
            raise Killed

    # For tests

    def apply(self, *words: str) -> str:
        """What danhba apply says, when it ends well."""
        done = CliRunner().invoke(apply.command, ["lab", "--yes", *words], obj=self.project)
        assert done.exit_code == 0, done.output
        return done.output

    def locks(self, account: str) -> None:
        """Somebody's password is known to others."""
        words = [account, "--reason", "lộ mật khẩu"]
        done = CliRunner().invoke(lock.command, words, obj=self.project)
        assert done.exit_code == 0, done.output

    def cut_off(self, run: Callable[[], None], number: int) -> bool:
        """Kill a run when that many things happened. False: it had ended before."""
        self.killed = len(self.done) + number
        try:
            run()
        except Killed:
            return True
        finally:
            self.killed = 0
        return False

    def work(self, yes: bool = True) -> Work:
        """As a command begins, with what the placement file says by now."""
        return Work.open(self.project, "lab", yes)

    def is_as_wanted(self) -> bool:
        wanted = self.project.generations(self.project.environment("lab"))
        return all(self.live[name].digest == wanted[name].digest for name in wanted)

    @property
    def remembered(self) -> Remembered:
        return self.project.environment("lab").remembered


def answer(live: Generation, wanted: Generation) -> dict[str, Any]:
    """Of a host on which all is as the live generation says."""
    differing = {
        path: live.text(path)
        for path, facts in wanted.manifest["files"].items()
        if path in live.manifest["files"] and live.manifest["files"][path] != facts
    }
    tree = live.manifest["tree"]
    entries = tree and {
        "ready": True, "loaded": live.manifest["files"][tree["path"]]["sha256"], "entries": None,
    }  # fmt: skip
    units = {each["unit"]: {"active": True, "enabled": True} for each in live.manifest["services"]}
    loaded = {
        each["unit"]: {way: each[f"{way}_digest"] for way in ("reload", "restart")}
        for each in live.manifest["services"]
    }
    packages = dict.fromkeys(live.manifest["packages"], "1")
    return answer_bare(live) | {
        "contents": differing, "entries": entries, "units": units, "loaded": loaded,
        "packages": packages,
    }  # fmt: skip


def _fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stores: int) -> Fleet:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "directory.yaml").write_text(PROVINCE, encoding="utf-8")
    inventory = tmp_path / "inventory/lab.py"
    inventory.write_text(INVENTORY.format(stores=stores), encoding="utf-8")
    fleet = Fleet(Project(tmp_path / "directory.yaml", tmp_path))
    for name in ("session", "ask_all", "publish"):
        monkeypatch.setattr(work, name, getattr(fleet, name))
        monkeypatch.setattr(hosts if name == "ask_all" else apply, name, getattr(fleet, name))
    monkeypatch.setattr(danhba.project, "MANIFESTS", Memory(tmp_path / "cache", "manifests"))
    fleet.live = dict(fleet.project.generations(load(inventory)))
    return fleet


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    return _fleet(tmp_path, monkeypatch, 3)


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    return _fleet(tmp_path, monkeypatch, 2)


def digests(fleet: Fleet) -> dict[str, str]:
    return {name: live.digest for name, live in fleet.live.items()}


def failed_over(fleet: Fleet, store: str = "store1") -> None:
    fleet.absent = {store}
    failover(fleet.work(), store, "an", DAY)
    fleet.absent = set()


def refused(work: Callable[[], None]) -> str:
    with pytest.raises(EngineError) as error:
        work()
    return str(error.value)


def test_the_copies_that_a_third_store_had_meanwhile_do_not_stand_in_the_way(three: Fleet) -> None:
    before = digests(three)
    env = three.project.environment("lab")
    boxes = three.work().directory.mailboxes
    assert {Places(env.having("store")).of(box).standby for box in boxes} >= {"store1"}
    failed_over(three)
    failback(three.work(), "store1", DAY)
    assert three.remembered == Remembered()
    assert digests(three) == before


@pytest.mark.parametrize(("replays", "way"), [(True, "replay that follows"), (False, "failback")])
def test_a_failover_says_by_which_way_the_last_mail_comes(
    two: Fleet, capsys: pytest.CaptureFixture[str], replays: bool, way: str
) -> None:
    two.absent = {"store1"}
    failover(two.work(), "store1", "an", DAY, replays)
    assert f"comes back with the {way}." in capsys.readouterr().err


@pytest.mark.parametrize("command", ["failover", "failback"])
def test_an_edge_that_was_away_at_the_failover_comes_along(two: Fleet, command: str) -> None:
    """Else it would send mail to one store while other edges send it to the other."""
    two.absent = {"store1", "mx1"}
    failover(two.work(), "store1", "an", DAY)
    two.absent = set()
    assert not two.is_as_wanted()
    if command == "failover":
        failover(two.work(), "store1", "an", DAY)
    else:
        failback(two.work(), "store1", DAY)
    assert two.is_as_wanted()


def test_a_failback_that_is_cut_off_anywhere_is_completed_by_the_next_one(three: Fleet) -> None:
    for number in range(1, 99):
        failed_over(three)
        at = len(three.done)
        cut = three.cut_off(lambda: failback(three.work(), "store1", DAY), number)
        if cut:
            failback(three.work(), "store1", DAY)
        assert three.remembered == Remembered()
        assert three.is_as_wanted()
        # After the routes are back the two sides are compared, in the run that ends it.
        swap = max(at for at, what in enumerate(three.done) if what == "published to mx1")
        assert any("sync" in what for what in three.done[swap:]), three.done[at:]
        if not cut:
            break
    assert number > 10


def _compares_before_it_swaps(fleet: Fleet, run: Callable[[], None]) -> bool:
    """Whether edges got other routes, of a run that goes on where one was cut off days ago."""
    at = len(fleet.done)
    run()
    for swap in (swap for swap in fleet.swaps if swap >= at):
        assert any(" sync " in what for what in fleet.done[at:swap]), fleet.done[at:]
        return True
    return False


def test_a_failback_that_goes_on_compares_before_the_routes_change(two: Fleet) -> None:
    swapped, returning, number, cut = 0, 0, 0, True
    while cut:
        failed_over(two)
        number += 1
        cut = two.cut_off(lambda: failback(two.work(), "store1", DAY), number)
        if cut:
            back = any(each.returning for each in two.remembered.failed_over)
            if _compares_before_it_swaps(two, lambda: failback(two.work(), "store1", DAY)):
                swapped, returning = swapped + 1, returning + back
    assert swapped > returning > 0


def test_a_move_that_goes_on_compares_before_the_routes_change(two: Fleet) -> None:
    box = two.work().directory.mailboxes[0]
    home, other = _elsewhere(two, box.account)
    copied, number, cut = 0, 0, True
    while cut:
        number += 1
        cut = two.cut_off(lambda: move(two.work(), {box.account: other}), number)
        known = bool(two.remembered.moved)
        if _compares_before_it_swaps(two, lambda: move(two.work(), {box.account: other})):
            copied += known
        move(two.work(), {box.account: home})
    assert copied > 0


def test_a_failback_compares_the_copies_that_the_store_keeps(two: Fleet) -> None:
    """Its disk may be a new one: those of other homes are on no other store."""
    failed_over(two)
    at = len(two.done)
    failback(two.work(), "store1", DAY)
    first = next(what for what in two.done[at:] if " sync " in what)
    assert first == f"store2 sync store1: {len(two.work().directory.mailboxes)}"


def test_an_edge_that_is_away_at_a_failback_keeps_it_open(
    two: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    failed_over(two)
    two.absent = {"mx1"}
    said = refused(lambda: failback(two.work(), "store1", DAY))
    assert "mx1 does not answer" in said and "danhba failback lab store1" in said
    assert "danhba failover" not in capsys.readouterr().err
    two.absent = set()
    assert not two.is_as_wanted()
    failback(two.work(), "store1", DAY)
    assert two.is_as_wanted() and two.remembered == Remembered()


def test_an_edge_that_is_lost_in_a_move_keeps_it_open(two: Fleet) -> None:
    box = two.work().directory.mailboxes[0]
    _, other = _elsewhere(two, box.account)
    while not two.remembered.moved:
        two.cut_off(lambda: move(two.work(), {box.account: other}), len(two.done) + 1)
    going = two.work()
    two.absent = {"mx1"}
    assert "mx1 does not answer" in refused(lambda: move(going, {}))
    two.absent = set()
    move(two.work(), {})
    assert two.is_as_wanted() and not two.remembered.moving


def test_a_store_whose_disk_hangs_is_left_out_and_failed_over(
    two: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    two.hanging = "store1"
    failover(two.work(), "store1", "an", DAY)
    said = capsys.readouterr().err
    assert "store1 does not do what it is told" in said and " mailboxes were not compared" in said
    two.hanging = ""
    assert "store1" not in two.live["mx1"].text("/etc/danhba/tables/homes")
    failback(two.work(), "store1", DAY)
    assert two.is_as_wanted()


def test_two_runs_at_once_do_not_share_the_placement_file(two: Fleet) -> None:
    first = two.work()
    with first.alone():
        assert "another run moves mailboxes" in refused(lambda: move(two.work(), {}))
    move(two.work(), {})


def test_who_has_no_mailbox_any_more_holds_up_no_move(two: Fleet) -> None:
    gone = two.work().directory.mailboxes[0]
    work = two.work()
    work.save(Remembered(moving=(Moving(gone.account, "store1", "store2"),)))
    left = tuple(each for each in work.directory.mailboxes if each != gone)
    work.directory = replace(work.directory, mailboxes=left)
    move(work, {})
    assert two.remembered == Remembered()


@pytest.mark.parametrize(("returning", "word"), [(None, "failover"), (DAY, "failback")])
def test_an_edge_is_brought_along_by_what_is_under_way(
    two: Fleet, returning: date | None, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    env = two.project.environment("lab")
    failed = Remembered(failed_over=(Failure("store1", DAY, "an", returning),))
    hosts.tell_absent(("mx1", "people1"), replace(env, remembered=failed))
    edge, people = capsys.readouterr().err.splitlines()
    assert edge.endswith(f": danhba {word} lab store1")
    assert people.endswith(": danhba apply lab")


def test_a_move_that_is_cut_off_anywhere_is_completed_by_the_next_one(three: Fleet) -> None:
    """To a store that has no copy, and which another one has then no more."""
    env, box = three.project.environment("lab"), three.work().directory.mailboxes[0]
    home, _, third = Places(env.having("store")).rank(box)
    cut, number = [True], 0
    while any(cut):
        cut, number = [], number + 1
        for target in (third, home):
            targets = {box.account: target}
            cut.append(three.cut_off(lambda to=targets: move(three.work(), to), number))
            move(three.work(), targets)
            assert three.remembered.moving == ()
            assert three.project.environment("lab").place(box).home == target
            assert three.is_as_wanted()
    assert number > 10


def test_a_failover_after_a_failback_that_was_cut_off_is_a_new_one(two: Fleet) -> None:
    failed_over(two)
    for number in range(1, 99):
        two.cut_off(lambda: failback(two.work(), "store1", DAY), number)
        if any(each.returning for each in two.remembered.failed_over):
            break
    two.done.clear()
    failover(two.work(), "store1", "an", DAY)
    assert any(what.startswith("store1 sync store2: ") for what in two.done)
    assert [each.returning for each in two.remembered.failed_over] == [None]
    assert two.is_as_wanted()


def test_the_last_store_is_not_failed_over(three: Fleet) -> None:
    failed_over(three)
    failed_over(three, "store2")
    said = refused(lambda: failover(three.work(), "store3", "an", DAY))
    assert "every other store is failed over" in said and "danhba failback lab store1" in said


def test_nothing_moves_while_a_store_is_failed_over_or_not_wholly_back(two: Fleet) -> None:
    failed_over(two)
    for state in ("is failed over", "has not got all back yet"):
        said = refused(lambda: move(two.work(), {"nvan": "store2"}))
        assert said.startswith(f"store1 {state}") and "danhba failback lab store1" in said
        done = CliRunner().invoke(rebalance.command, ["lab", "--yes"], obj=two.project)
        assert done.exit_code != 0 and f"store1 {state}" in done.output
        [failure] = two.remembered.failed_over
        two.work().save(Remembered(failed_over=(replace(failure, returning=DAY),)))


NEW = '      - {id: "C-new", name: Lê Mới, address: lmoi, since: 2026-11-05, decision: 4/QĐ}\n'
MORE = {
    "a file edited by hand": {"drift": [{"path": "/etc/danhba/ahead", "problem": "edited"}]},
    "packages": {"packages": {}},
    "a person": {},
}
"""What is no part of a move, and what its host answers then."""


@pytest.mark.parametrize("more", MORE)
def test_what_is_more_than_the_move_is_asked_about_when_it_goes_on(
    two: Fleet, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("click.confirm", lambda text: bool(asked.append(text)))
    box = two.work().directory.mailboxes[0]
    other = {"store1": "store2", "store2": "store1"}[two.project.environment("lab").place(box).home]
    two.cut_off(lambda: move(two.work(yes=False), {box.account: other}), 2)
    assert two.remembered.moving != ()
    before = digests(two)
    two.edited = {"mx1": MORE[more]}
    if more == "a person":
        text = PROVINCE.replace("    staff:\n", f"    staff:\n{NEW}", 1)
        two.project.directory.write_text(text, encoding="utf-8")
    assert refused(lambda: move(two.work(yes=False), {box.account: other})) == "nothing was done"
    assert asked == ["Do this?"]
    assert digests(two) == before
    two.edited = {}
    two.project.directory.write_text(PROVINCE, encoding="utf-8")
    move(two.work(yes=False), {box.account: other})
    assert asked == ["Do this?"]
    assert two.is_as_wanted()


def _elsewhere(fleet: Fleet, account: str) -> tuple[str, str]:
    """The home of a mailbox, and a store that is neither that nor its standby, if there is one."""
    box = next(box for box in fleet.work().directory.mailboxes if box.account == account)
    ranked = Places(fleet.project.environment("lab").having("store")).rank(box)
    return ranked[0], ranked[-1]


def test_an_account_is_locked_wherever_a_move_was_cut_off(three: Fleet) -> None:
    """Somebody else's account, or the one that moves. What the apply leaves the move ends."""
    home, target = _elsewhere(three, "lvloc")
    unlocked = three.project.directory.read_text(encoding="utf-8")
    begun, swapped, number, cut = dict(three.live), 0, 0, True
    while cut:
        number += 1
        cut = three.cut_off(lambda: move(three.work(), {"lvloc": target}), number)
        locked = ("ttkngan", "lvloc")[number % 2]
        three.locks(locked)
        before = len(three.done)
        said = three.apply()
        assert three.is_as_wanted()
        for store in (home, target):
            assert f"{locked}@" in three.live[store].text("/etc/dovecot/blocked")
        assert ("still on their way" in said) is bool(three.remembered.moving)
        if "cut off goes on" in said:  # the routes change with this apply, after a comparison
            swapped += 1
            assert three.done[before].startswith(f"{home} sync {target}: 1")
        before = len(three.done)
        if three.remembered.moving:
            move(three.work(), {"lvloc": target})
            assert f"{target} sync {home}: 1" in three.done[before:]
        assert three.is_as_wanted() and not three.remembered.moving
        three.project.directory.write_text(unlocked, encoding="utf-8")
        three.live = dict(begun)
        three.work().save(Remembered())
    assert swapped >= 1 and number > 10


def _half_done(fleet: Fleet, target: str) -> None:
    """The placement file says that the mailbox is copied; no edge has its new route."""
    for number in range(1, 99):
        fleet.cut_off(lambda: move(fleet.work(), {"lvloc": target}), number)
        if fleet.remembered.moved and not fleet.is_as_wanted():
            return
    raise AssertionError


def _apply_fails(fleet: Fleet, *words: str) -> str:
    done = CliRunner().invoke(apply.command, ["lab", "--yes", *words], obj=fleet.project)
    assert done.exit_code == 1
    return done.output


def test_routes_do_not_change_by_a_timer_nor_on_one_host_nor_to_a_dead_store(
    three: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "_committed", lambda project: None)
    _, target = _elsewhere(three, "lvloc")
    _half_done(three, target)
    before = digests(three)
    for words in (["--limit", "mx1"], ["--dated"]):
        assert "mailboxes would change their home" in _apply_fails(three, *words)
    three.absent = {target}
    assert "mailboxes would change their home" in _apply_fails(three)
    assert digests(three) == before


def test_yesterdays_placement_file_moves_nobody_back(three: Fleet) -> None:
    """Somebody committed it in the middle, and the move has ended since."""
    _, target = _elsewhere(three, "lvloc")
    three.cut_off(lambda: move(three.work(), {"lvloc": target}), 2)
    old = three.remembered
    assert old.moving and not old.moved
    move(three.work(), {})
    three.work().save(old)
    assert "mailboxes would change their home" in _apply_fails(three)


def test_a_store_that_dies_in_the_middle_of_a_move_is_failed_over(three: Fleet) -> None:
    """Neither the move nor an apply could go on without it."""
    home, target = _elsewhere(three, "lvloc")
    _half_done(three, target)
    three.absent = {home}
    failover(three.work(), home, "an", DAY)
    assert "lvloc@" in three.live["mx1"].text("/etc/danhba/tables/homes")
    three.absent = set()
    failback(three.work(), home, DAY)
    move(three.work(), {})
    assert not three.remembered.moving and three.is_as_wanted()
    assert three.project.environment("lab").place(
        next(box for box in three.work().directory.mailboxes if box.account == "lvloc")
    ).home == target  # fmt: skip
