"""danhba.generations.host.entries: LDIF in and out, what a load writes, how long it is awaited."""

from collections.abc import Iterable
from itertools import count, repeat
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danhba.generations.host import entries, peers
from danhba.generations.host.common import Json, Refused, sha256
from danhba.generations.host.entries import _ldif, read_tree
from danhba.generations.host.ldap import HANGS, parse, within

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(st.lists(TEXT, min_size=1, max_size=3))
def test_what_is_written_is_read_back(values: list[str]) -> None:
    """Line breaks, colons and diacritics cannot break out of their attribute (RFC 2849)."""
    ldif = _ldif({"dn": "uid=an,dc=x", "add": {"cn": values}})
    [(dn, attrs)] = parse(ldif.encode())
    assert dn == "uid=an,dc=x"
    assert attrs["cn"] == values


def test_a_modification_names_every_attribute_once() -> None:
    ldif = _ldif({"dn": "uid=an,dc=x", "replace": {"title": [], "cn": ["An"]}})
    assert ldif.splitlines()[1:] == [
        "changetype: modify", "replace: title", "-", "replace: cn", "cn:: QW4=", "-", "",
    ]  # fmt: skip


def test_a_tree_file_keeps_its_order() -> None:
    text = '{"dn": "dc=x", "attrs": {}}\n{"dn": "uid=a,dc=x", "attrs": {"uid": ["a"]}}\n'
    assert list(read_tree(text)) == ["dc=x", "uid=a,dc=x"]


def _wait(
    monkeypatch: pytest.MonkeyPatch, counts: Iterable[int], stamps: dict[str, str] | None = None
) -> list[str]:
    """For a load of a thousand entries, where a minute passes between two looks and slapd counts
    so many each time; what was told."""
    seen, clock = iter(counts), count(step=peers.CLOSED + 1)
    own = {"stamps": stamps or {}, "clock": 0, "error": ""}

    def look(tree: Json) -> peers.Standing:
        return peers.Standing(own, stamps or {}, ["store1"], {}, next(seen))

    monkeypatch.setattr(entries, "must_hold", lambda token: None)
    monkeypatch.setattr(entries, "_is_here", lambda batch: next(seen) >= 1000)
    monkeypatch.setattr(peers.Standing, "of", look)
    monkeypatch.setattr(peers, "run", lambda argv: None)
    monkeypatch.setattr(peers.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(peers.time, "sleep", lambda seconds: None)
    told: list[str] = entries.arrived({"token": "", "base": "", "peers": ["store1"]})["told"]
    return told


def test_a_load_that_goes_on_arriving_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _wait(monkeypatch, count()) == []


def test_a_load_that_stands_still_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="what store1 wrote does not arrive"):
        _wait(monkeypatch, repeat(31))


def test_entries_that_nobody_will_send_are_to_be_filled_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both have the same changes, and not the same entries."""
    with pytest.raises(Refused, match=r"all changes of store1, .* Fill it anew, on this host"):
        _wait(monkeypatch, repeat(31), {"015": "1"})


class Slapd:
    """What a load asks of slapd: the stamps and entries that it has, and answers to ldapmodify."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *statuses: int) -> None:
        self.there: dict[str, dict[str, list[str]]] = {}
        self.got: list[str] = []
        self.statuses = list(statuses) or [0]
        rows = (
            '{"dn": "ou=p", "attrs": {"ou": ["p"]}}',
            '{"dn": "uid=an,ou=p", "attrs": {"cn": ["An"]}}',
        )
        (tmp_path / "tree").write_text("\n".join(rows))
        self.batch: Json = {
            "token": "", "base": "ou=p", "top": "ou=p", "wanted": "w", "removed": [], "peers": [],
            "strays": [], "here": [], "path": str(tmp_path / "tree"), "seen": {"015": "1"},
            "changes": [{"dn": "ou=p", "add": {"ou": ["p"]}},
                        {"dn": "uid=an,ou=p", "add": {"cn": ["An"]}}],
        }  # fmt: skip
        self.stamps = {"015": "1"}
        nothing = CompletedProcess([], 0, b"", b"")
        monkeypatch.setattr(entries, "must_hold", lambda token: None)
        monkeypatch.setattr(entries, "search", lambda *words, **limits: nothing)
        monkeypatch.setattr(entries, "dump", lambda base: self.there)
        monkeypatch.setattr(entries, "within", self.modify)
        monkeypatch.setattr(peers, "catch_up", lambda batch: ["was restarted"])
        monkeypatch.setattr(peers, "ask", lambda base: {"stamps": self.stamps})

    def modify(self, limit: float, argv: list[str], ldif: bytes) -> CompletedProcess[bytes]:
        self.got.append(ldif.decode())
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return CompletedProcess(argv, status, b"", b"")


def test_the_tree_that_the_plan_saw_gets_the_changes_of_the_plan(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slapd = Slapd(monkeypatch, tmp_path)
    slapd.there = {"ou=p": {"ou": ["p"]}}  # nobody looks
    assert entries.load(slapd.batch) == {"told": ["was restarted"]}
    assert [ldif.count("changetype: add") for ldif in slapd.got] == [2]


def test_a_tree_that_has_filled_since_the_plan_gets_only_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slapd = Slapd(monkeypatch, tmp_path)
    slapd.there, slapd.stamps = {"ou=p": {"ou": ["p"]}}, {"015": "1", "016": "7"}
    entries.load(slapd.batch)
    assert [ldif.count("changetype: add") for ldif in slapd.got] == [1]


def test_a_tree_that_fills_during_the_load_is_compared_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slapd = Slapd(monkeypatch, tmp_path, 68, 0)
    slapd.there = {"ou=p": {"ou": ["p"]}, "uid=an,ou=p": {"cn": ["An"]}}
    entries.load(slapd.batch)
    assert [ldif.count("changetype: add") for ldif in slapd.got] == [2, 0]


def test_a_load_computed_anew_deletes_by_hand_entries_of_the_plan_and_no_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slapd = Slapd(monkeypatch, tmp_path)
    slapd.there = {dn: {} for dn in ("ou=p", "uid=x,ou=p", "cn=1,uid=x,ou=p", "uid=later,ou=p")}
    slapd.stamps = {"015": "2"}
    slapd.batch["strays"] = ["uid=x,ou=p", "cn=1,uid=x,ou=p", "uid=an,ou=p"]
    entries.load(slapd.batch)
    [ldif] = slapd.got
    deleted = [dn for dn, attrs in parse(ldif.encode()) if attrs.get("changetype") == ["delete"]]
    assert deleted == ["cn=1,uid=x,ou=p", "uid=x,ou=p"]


@pytest.mark.parametrize("status", [-9, HANGS])
@pytest.mark.parametrize("before", [(), (68, 68)], ids=["whole", "one by one"])
def test_a_change_without_an_end_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, before: tuple[int, ...]
) -> None:
    with pytest.raises(Refused, match=r"^it is not known whether this was done: .* run it again"):
        entries.load(Slapd(monkeypatch, tmp_path, *before, status).batch)


AN = '{"dn": "uid=an,ou=p", "attrs": {"cn": ["An"]}}'
WITHDRAWN = '{"dn": "uid=an,ou=p", "attrs": {"cn": ["An"], "employeeType": ["withdrawn"]}}'


def _back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, live: str, changes: list[Json]) -> str:
    """What a load writes after the swap when an entry is "withdrawn" and shall not be. live: the
    tree of the mark, in the generation of before; "": there is none any more."""
    slapd = Slapd(monkeypatch, tmp_path)
    slapd.there = read_tree(f'{{"dn": "ou=p", "attrs": {{"ou": ["p"]}}}}\n{WITHDRAWN}\n')
    slapd.stamps, slapd.batch["changes"] = {"015": "7"}, changes
    before = Path(f"{tmp_path}/generations/old/files{slapd.batch['path']}")
    before.parent.mkdir(parents=True)
    before.write_text(live)
    loaded = sha256(live.encode()) if live else "0"
    mark = f"dn: ou=p\ndescription: danhba-loaded:{loaded}\n".encode()
    found = CompletedProcess([], 0, mark, b"")
    monkeypatch.setattr(entries, "GENERATIONS", tmp_path / "generations")
    monkeypatch.setattr(entries, "search", lambda *words, **limits: found)
    entries.load(slapd.batch)
    [written] = slapd.got
    assert "replace: employeeType\n" in written
    return written


def test_a_password_goes_with_a_withdrawal_that_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "replace: userPassword\n" in _back(monkeypatch, tmp_path, WITHDRAWN, [])


def test_a_status_by_hand_takes_no_password_after_the_swap_either(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "userPassword" not in _back(monkeypatch, tmp_path, AN, [])


@pytest.mark.parametrize("named", [False, True])
def test_of_a_load_that_nobody_knows_only_what_the_plan_named_goes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: bool
) -> None:
    replace: dict[str, list[str]] = {"employeeType": []} | ({"userPassword": []} if named else {})
    told = {"dn": "uid=an,ou=p", "replace": replace}
    assert ("userPassword" in _back(monkeypatch, tmp_path, "", [told])) == named


@pytest.mark.parametrize(
    ("here", "there", "writes", "refused"),
    [
        ("", AN, False, True),
        ("", AN, True, True),
        (WITHDRAWN, AN, False, True),
        (WITHDRAWN, AN, True, False),
        (WITHDRAWN, WITHDRAWN, False, False),
        ("", "", False, False),
        ("", "", True, False),
    ],
)
def test_a_host_whose_entries_no_replication_mends_is_to_be_filled_anew(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    here: str,
    there: str,
    writes: bool,
    refused: bool,
) -> None:
    """Both have the same stamps. Where the other's entry is written anew, its password is lost."""
    batch = {**Slapd(monkeypatch, tmp_path).batch, "due": True, "writes": writes}
    batch |= {"touched": ["uid=an,ou=p"], "peers": ["store1"], "tree": batch["path"]}
    monkeypatch.setattr(entries, "_one", lambda dn, peer="": read_tree(there if peer else here))
    monkeypatch.setattr(entries, "_must_be_possible", lambda batch: None)
    monkeypatch.setattr(peers, "ask", lambda base, peer="": {"stamps": {"015": "1"}})
    monkeypatch.setattr(peers, "wake", lambda batch: None)
    if refused:
        with pytest.raises(Refused, match=r"all changes of store1, .* uid=an,ou=p\. Fill it anew"):
            entries.ready(batch, {"tree": {"path": ""}})
    else:
        entries.ready(batch, {"tree": {"path": ""}})


def test_a_slapd_that_says_nothing_is_not_waited_for() -> None:
    done = within(0.1, ["sleep", "9"])
    assert (done.returncode, done.stdout) == (HANGS, b"")
    assert b"takes the connection and says nothing" in done.stderr
