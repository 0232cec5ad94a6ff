"""Never a password that nobody can read, never a file with one that was not set."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from docx import Document
from passlib.hash import sha512_crypt

from danhba import giving, people_host
from danhba.check import check_text
from danhba.commands import main
from danhba.engine import ConnectionLost, EngineError
from danhba.giving import Batch, Form, accounts, end_sessions, form, give
from danhba.handover import Envelope, HandoverError
from danhba.inventory import Environment, Host
from danhba.model import Directory
from deploys.sessions import programs

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
TREE = {"base": "dc=vn", "top": "ou=people,dc=vn", "peers": []}
ENV = Environment("x", (
    Host("mx1", "mx1.vn", "198.18.0.11", "2001:db8::11", ("edge",)),
    Host("store1", "store1.vn", "198.18.0.21", "2001:db8::21", ("store", "people")),
    Host("store2", "store2.vn", "198.18.0.22", "2001:db8::22", ("store",)),
))  # fmt: skip


@dataclass
class People:
    """The people host. has: DNs with a password. fails: what the request of that number raises;
    late: it does so after it has set them. seen: of every request, the files there were then."""

    folder: Path
    has: dict[str, str] = field(default_factory=dict)
    fails: dict[int, BaseException] = field(default_factory=dict)
    late: bool = False
    meanwhile: set[str] = field(default_factory=set)
    seen: list[list[str]] = field(default_factory=list)
    kicked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    dead: frozenset[str] = frozenset()

    @contextmanager
    def session(self, env: Environment, limit: str = "") -> Iterator[People]:
        self.hosts = [host for host in env.hosts if limit in ("", host.name)]
        if dead := self.dead.intersection(host.name for host in self.hosts):
            raise EngineError(f"{min(dead)}: no route to host")
        yield self

    def each(self, work: Any) -> dict[str, Any]:
        return {host.name: work(host) for host in self.hosts}

    def step(self, host: Host, step: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if step == "answers":
            return {"error": ""}
        if step == "credentials":
            return {"with": [dn for dn in request["dns"] if dn in self.has]}
        if step == "kick":
            self.kicked.append((host.name, request))
            return {"ended": True}
        self.seen.append(sorted(path.name for path in self.folder.iterdir()))
        error = self.fails.get(len(self.seen))
        if error and not self.late:
            raise error
        self.has |= dict.fromkeys(self.meanwhile, "from elsewhere")
        done = [dn for dn in request["hashes"] if request["replace"] or dn not in self.has]
        self.has |= {dn: request["hashes"][dn] for dn in done}
        if error:
            raise error
        return {"done": done}


@pytest.fixture
def directory() -> Directory:
    found, findings = check_text(GOOD.encode(), "good.yaml")
    assert found, findings
    return found


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> People:
    found = People(tmp_path)
    monkeypatch.setattr(giving, "session", found.session)
    monkeypatch.setattr(people_host, "session", found.session)
    return found


@dataclass
class Desk:
    """Where an engineer gives passwords to everybody, a file an agency, and what he is told."""

    directory: Directory
    folder: Path | None
    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def give(self, replace: bool = False, is_sheet: bool = True) -> None:
        members = accounts(self.directory, lambda box: box.kind == "person")
        batches = [
            Batch(each, self.folder / f"{name}.docx" if self.folder else None)
            for name, each in members.items()
        ]
        written: Form = form(self.directory, Envelope(), is_sheet)
        give(ENV, TREE, batches, written, replace, self.said.append, self.shown.append)


@pytest.fixture
def desk(directory: Directory, tmp_path: Path, people: People) -> Desk:
    return Desk(directory, tmp_path)


def on_paper(path: Path) -> dict[str, str]:
    """Local part to password, of a sheet, in the order of its pages."""
    found, address = {}, ""
    for table in Document(io.BytesIO(path.read_bytes())).tables:
        text = [cell.text for row in table.rows for cell in row.cells]
        address = next((each for each in text if "@" in each), address)
        if len(text) == 1:
            found[address.partition("@")[0]] = text[0]
    return found


def papers(folder: Path) -> dict[str, str]:
    return {
        name: word for path in sorted(folder.iterdir()) for name, word in on_paper(path).items()
    }


def dn(name: str) -> str:
    return f"uid={name},{TREE['top']}"


def assert_in_step(folder: Path, people: People) -> None:
    """What is on paper is what is set: no more, no less."""
    own = {name: text for name, text in people.has.items() if text != "from elsewhere"}
    found = papers(folder)
    assert {dn(name) for name in found} == set(own)
    for name, plain in found.items():
        assert sha512_crypt.verify(plain, own[dn(name)].removeprefix("{CRYPT}"))


def test_an_agencys_mailbox_gets_no_password() -> None:
    """There is none to share: keepers open it with their own (Điều 9.2.c)."""
    asked = ["password", "reset", "staging", "--address", "sotaichinh"]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 1
    assert "sotaichinh: an agency's mailbox is opened by its keepers" in done.output


def test_every_agency_has_a_sheet_with_its_staff_in_order(
    desk: Desk, people: People, tmp_path: Path
) -> None:
    desk.give()
    names = [person.address for person in desk.directory.people]
    assert len(names) > 2
    assert list(papers(tmp_path)) == sorted(
        names, key=lambda name: next(
            (agency.address, place) for agency in desk.directory.agencies
            for place, person in enumerate(agency.staff) if person.address == name
        ),
    )  # fmt: skip
    assert_in_step(tmp_path, people)


def test_all_is_on_the_disk_before_anything_is_set(desk: Desk, people: People) -> None:
    desk.give()
    assert people.seen[0] == sorted(path.name for path in people.folder.iterdir())
    assert len(people.seen[0]) > 1


def test_who_has_a_password_has_no_page(desk: Desk, people: People, tmp_path: Path) -> None:
    people.has = {dn("nvan"): "from elsewhere"}
    desk.give()
    assert "nvan" not in papers(tmp_path)
    assert any(said.startswith("1 had a password") for said in desk.said)
    assert_in_step(tmp_path, people)


def test_where_all_have_one_there_is_no_file(desk: Desk, people: People, tmp_path: Path) -> None:
    people.has = {dn(person.address): "from elsewhere" for person in desk.directory.people}
    desk.give()
    assert list(tmp_path.iterdir()) == [] and people.seen == []


def test_who_got_one_in_between_is_taken_from_the_sheet(
    desk: Desk, people: People, tmp_path: Path
) -> None:
    people.meanwhile = {dn("nvan")}
    desk.give()
    assert "nvan" not in papers(tmp_path)
    assert_in_step(tmp_path, people)


def test_what_a_host_refuses_is_on_no_disk(desk: Desk, people: People, tmp_path: Path) -> None:
    people.fails = {1: EngineError("ldapmodify: no")}
    with pytest.raises(EngineError):
        desk.give()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", [ConnectionLost("lost"), KeyboardInterrupt()])
def test_what_may_be_set_stays_on_paper(
    desk: Desk, people: People, tmp_path: Path, error: BaseException, late: bool
) -> None:
    people.fails, people.late = {1: error}, late
    with pytest.raises(type(error)):
        desk.give()
    assert set(papers(tmp_path)) >= {name[4:].partition(",")[0] for name in people.has}
    assert any("did not confirm" in said for said in desk.said)


def test_of_many_requests_the_ones_before_a_refusal_keep_their_sheets(
    desk: Desk, people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "AT_ONCE", 1)
    people.fails = {2: EngineError("no")}
    with pytest.raises(EngineError):
        desk.give()
    assert len(list(tmp_path.iterdir())) == 1 and people.has
    assert_in_step(tmp_path, people)


def test_a_file_that_is_there_already_stops_everything(
    desk: Desk, people: People, tmp_path: Path
) -> None:
    (tmp_path / f"{desk.directory.agencies[-1].address}.docx").touch()
    with pytest.raises(HandoverError):
        desk.give()
    assert len(list(tmp_path.iterdir())) == 1
    assert people.has == {} and people.seen == []


def test_a_people_host_that_is_gone_by_then_leaves_no_file(
    desk: Desk, people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = giving._write

    def gone(batches: list[Batch], form: Form) -> None:
        write(batches, form)
        people.dead = frozenset(["store1"])

    monkeypatch.setattr(giving, "_write", gone)
    with pytest.raises(EngineError):
        desk.give()
    assert list(tmp_path.iterdir()) == []


def test_the_terminal_shows_them_once_they_are_set(directory: Directory, people: People) -> None:
    desk = Desk(directory, None)
    desk.give(is_sheet=False)
    rows = "".join(desk.shown).splitlines()
    assert len(rows) == len(people.has)
    for row in rows:
        who, plain = row.split("\t")
        name = who.partition("<")[2].partition("@")[0]
        assert sha512_crypt.verify(plain, people.has[dn(name)].removeprefix("{CRYPT}"))


def test_sessions_end_on_every_edge_and_store_also_when_one_is_dead(
    people: People,
) -> None:
    end_sessions(ENV, programs, ["nvan@x"])
    assert [host for host, _ in people.kicked] == ["mx1", "store1", "store2"]
    people.kicked.clear()
    people.dead = frozenset(["store1"])
    with pytest.raises(EngineError) as error:
        end_sessions(ENV, programs, ["nvan@x"])
    first, _, _, command = str(error.value).splitlines()
    assert first.startswith("the new password counts, so make no other")
    assert command == "  on store1, as root: /etc/danhba/end-sessions nvan@x"
    assert [host for host, _ in people.kicked] == ["mx1", "store2"]


def test_a_people_host_that_is_dead_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = People(tmp_path)
    hosts.dead = frozenset({"store1"})
    monkeypatch.setattr(people_host, "session", hosts.session)
    said: list[str] = []
    names = ("store1", "store2")
    env = Environment("two", tuple(Host(name, name, "", "", ("people",)) for name in names))
    assert people_host.answering(env, "dc=x", said.append).name == "store2"
    assert said == ["store1: store1: no route to host"]
    hosts.dead = frozenset({"store1", "store2"})
    with pytest.raises(EngineError, match="no people host answers"):
        people_host.answering(env, "dc=x", said.append)
