"""Which machines danhba rebuild takes for blank, in what order, and who is kept out meanwhile."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from danhba.engine import EngineError
from danhba.generations.host import rebuild as host
from danhba.generations.host.common import Refused
from danhba.inventory import Environment
from danhba.project import Project
from danhba.rebuilding import machines, order, restoring
from danhba.rebuilding.machines import Machine, choose
from deploys.firewall import closed

NEW = {"begun": None, "used": ""}
USED = {"begun": None, "used": "it has generation 0123"}
BEGUN = {"begun": {"at": "", "begun": "2026-11-26T20:00:00+0000", "restored": True}, "used": "x"}


@pytest.fixture
def env() -> Environment:
    return Project().environment("staging")


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Any]], None]:
    """What hosts say of themselves; who is not named does not answer."""

    def place(said: Mapping[str, Any]) -> None:
        @contextmanager
        def session(env: Environment, partly: bool) -> Any:
            absent = tuple(each.name for each in env.hosts if each.name not in said)
            yield SimpleNamespace(each=lambda work: dict(said), absent=absent)

        monkeypatch.setattr(machines, "session", session)

    return place


class TestWhichMachines:
    def test_one_that_is_blank(self, env: Environment, answer: Any) -> None:
        answer({each.name: USED for each in env.hosts} | {"store1": NEW})
        assert choose(env, "store1", "2026-11-20") == (
            {"store1": Machine("store1", "2026-11-20")},
            (),
        )

    def test_one_that_lives_is_refused(self, env: Environment, answer: Any) -> None:
        answer({each.name: USED for each in env.hosts})
        with pytest.raises(EngineError, match=r"store1 is in use \(it has generation 0123\)"):
            choose(env, "store1", "")
        with pytest.raises(EngineError, match="none of them is blank"):
            choose(env, "", "")

    def test_what_was_begun_goes_on_as_it_was(self, env: Environment, answer: Any) -> None:
        answer({each.name: USED for each in env.hosts} | {"store1": BEGUN})
        chosen, _ = choose(env, "store1", "2026-01-01")
        assert chosen == {"store1": Machine("store1", "", "2026-11-26T20:00:00+0000", True)}

    def test_all_are_those_that_are_blank(self, env: Environment, answer: Any) -> None:
        answer({"mx1": NEW, "store1": NEW, "store2": USED})
        chosen, absent = choose(env, "", "")
        assert list(chosen) == ["mx1", "store1"]
        assert "mx2" in absent

    def test_one_that_does_not_answer(self, env: Environment, answer: Any) -> None:
        answer({"mx1": NEW})
        with pytest.raises(EngineError, match="store1 does not answer: boot a blank machine"):
            choose(env, "store1", "")
        with pytest.raises(EngineError, match="has no host store9"):
            choose(env, "store9", "")


def test_edges_take_mail_last(env: Environment) -> None:
    chosen = {each.name: Machine(each.name) for each in env.hosts}
    names = order.Rebuild(Project(), env, chosen, ())._in_order()
    edges = [each.name for each in env.having("edge")]
    assert names[-len(edges) :] == edges


def test_the_archive_is_looked_through_from_before_the_oldest_backup() -> None:
    """Without one, from a standby's copy: a day."""
    begun = Machine("store1", begun="2026-11-26T20:00:00+0000")
    assert order._since(begun).isoformat() == "2026-11-25T20:00:00+00:00"
    of_backup = Machine("store1", begun=begun.begun, oldest="2026-11-26T01:00:00.123456789+07:00")
    assert order._since(of_backup).isoformat() == "2026-11-26T00:50:00.123456+07:00"


class TestClosed:
    def test_edge(self, env: Environment) -> None:
        rules = closed(env, env.host("mx1"))
        ports = rules.partition("tcp dport { ")[2].partition(" }")[0].split(", ")
        assert {"25", "465", "587", "993", "2526"} <= {*ports}
        assert "22" not in ports

    def test_store_with_people(self, env: Environment) -> None:
        """What fills it may come: the other people host, and the standby."""
        rules = closed(env, env.host("store1"))
        assert f"ip saddr {{ {env.host('store2').ipv4} }} tcp dport 636 accept" in rules
        ports = rules.rpartition("tcp dport { ")[2].partition(" }")[0].split(", ")
        assert {"636", "2525", "2529", "2993"} <= {*ports}
        assert "4191" not in ports


class TestOnTheHost:
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(host, "STATE", tmp_path / "state.json")
        monkeypatch.setattr(host, "CLOSED", tmp_path / "nftables.d" / "closed.nft")
        monkeypatch.setattr(host, "HOLDING", (str(tmp_path / "mail"), str(tmp_path / "ldap")))
        monkeypatch.setattr(host, "live_digest", lambda: None)
        return tmp_path

    BEGIN: Mapping[str, Any] = {"do": "begin", "rules": "rules", "state": {"restored": False}}

    def test_blank(self, place: Path) -> None:
        (place / "mail").mkdir()
        assert host.rebuild({"do": "look"}) == {"begun": None, "used": ""}

    def test_with_mail_is_refused(self, place: Path) -> None:
        (place / "mail" / "nvan").mkdir(parents=True)
        assert str(place / "mail") in host.rebuild({"do": "look"})["used"]
        with pytest.raises(Refused, match="not blank"):
            host.rebuild(dict(self.BEGIN))
        assert not host.CLOSED.exists()

    def test_with_a_generation_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(host, "live_digest", lambda: "0123456789abcdef")
        with pytest.raises(Refused, match="it has generation 0123456789ab"):
            host.rebuild(dict(self.BEGIN))

    def test_what_began_is_not_begun_again(self, place: Path) -> None:
        host.rebuild(dict(self.BEGIN))
        assert host.CLOSED.read_text() == "rules"
        host.rebuild({"do": "note", "state": {"restored": True}})
        (place / "mail" / "nvan").mkdir(parents=True)
        assert host.rebuild(dict(self.BEGIN)) == {"begun": {"restored": True}}

    def test_opened_and_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        done: list[Any] = []
        monkeypatch.setattr(host, "must", done.append)
        host.rebuild(dict(self.BEGIN))
        host.rebuild({"do": "open"})
        assert not host.CLOSED.exists()
        assert done == [["systemctl", "reload", "nftables.service"]]
        assert json.loads(host.STATE.read_text()) == {"restored": False}
        host.rebuild({"do": "end"})
        assert host.rebuild({"do": "look"})["begun"] is None


class TestPeople:
    @pytest.fixture(autouse=True)
    def done(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        done: list[str] = []

        def back(env: Environment, name: str, what: str, **question: Any) -> dict[str, Any]:
            done.append(f"{name}: {what} from the backup")
            return {"entries": 7, "time": "", "places": []}

        def each(env: Environment, names: Any, command: str) -> None:
            done.append(f"{', '.join(names)}: {command.split(';')[0]}")

        monkeypatch.setattr(restoring, "_back", back)
        monkeypatch.setattr(restoring, "_each", each)
        monkeypatch.setattr(
            restoring, "_wait_for_people", lambda env, names: done.append(f"wait: {names}")
        )
        return done

    def test_of_another_host_by_replication(self, env: Environment, done: list[str]) -> None:
        restoring._people(env, ["store1", "mx1"], "store1")
        assert done == ["wait: ['store1', 'store2']"]

    def test_from_the_backup_when_none_is_left(self, env: Environment, done: list[str]) -> None:
        """The other one must not hold newer stamps of a tree without passwords."""
        restoring._people(env, ["store1", "store2"], "store1")
        restoring._people(env, ["store2"], "store2")
        assert done == [
            "store2: systemctl stop slapd",
            "store1: people from the backup",
            "store2: systemctl start slapd",
            "wait: ['store1', 'store2']",
            "wait: ['store2', 'store1']",
        ]


def test_who_has_all_that_others_have() -> None:
    own = {"stamps": {"001": "b"}}
    assert restoring._has_all({"own": own, "peers": {"x": {**own, "error": ""}}})
    later = {"stamps": {"001": "c"}, "error": ""}
    assert not restoring._has_all({"own": own, "peers": {"x": later}})
    assert restoring._has_all({"own": own, "peers": {"x": {"stamps": {}, "error": "dead"}}})
    assert not restoring._has_all({"own": {"stamps": {}}, "peers": {}})


def test_whose_newest_backup_is_of_another_store(env: Environment, monkeypatch: Any) -> None:
    """The store's own repository may have an old copy of them as well."""
    asked: list[dict[str, Any]] = []
    newest = {"lttha": {"repository": "store2"}, "nvan": {"repository": "store1"}}

    def said(hosts: object, host: object, argv: object, question: str) -> str:
        asked.append(json.loads(question))
        return json.dumps({"found": newest})

    monkeypatch.setattr(restoring, "only", lambda env, names: contextlib.nullcontext())
    monkeypatch.setattr(restoring, "host_of", lambda hosts, name: name)
    monkeypatch.setattr(restoring, "run", said)
    machine = Machine("store1", at="2026-11-26T10:00:00+07:00")
    assert restoring._elsewhere(env, machine, ["nvan", "lttha", "moi"]) == ["lttha"]
    assert asked == [{"accounts": ["lttha", "moi", "nvan"], "at": machine.at}]


def test_whose_records_may_be_lost_in_part(env: Environment) -> None:
    """A store with people needs them from its backup when no other host has them."""
    assert restoring._has_else(env, ["store1"], "store1")
    assert not restoring._has_else(env, ["store1", "store2"], "store1")
    assert not restoring._has_else(env, [], "mx1")
    assert not restoring._has_else(env, [], "vault1")


def test_the_rebuild_of_a_vault_ends_when_all_hosts_remember_anew(
    env: Environment, monkeypatch: Any
) -> None:
    absent: list[tuple[str, ...]] = [("store2",), ()]
    asked: list[int] = []

    def begin(env: Environment, end: int) -> tuple[str, ...]:
        asked.append(end)
        return absent.pop(0)

    monkeypatch.setattr(order.memories, "begin", begin)
    rebuild = order.Rebuild(Project(), env, {"vault1": Machine("vault1", end=7)}, ())
    [(name, said)] = rebuild._begin_memories().items()
    assert name == "vault1" and said.startswith("store2 remembers more of it: danhba rebuild")
    assert rebuild._begin_memories() == {}
    rebuild.chosen = {"store1": Machine("store1")}
    assert rebuild._begin_memories() == {} and asked == [7, 7]
