"""Roots of the chain are signed, and hosts remember what they were told, whatever is said later."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from archives import NOON, Vault

from danhba.journal import anew, entry, roots
from danhba.journal import memory as module
from danhba.journal.__main__ import main
from danhba.journal.memory import Memory
from danhba.journal.roots_door import answer

SEED, ZONE = bytes(range(1, 33)), "Asia/Ho_Chi_Minh"
HOUR = 3600


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    vault = Vault(tmp_path / "journal")
    vault.mail()
    yield vault
    vault.archive.close()


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    (tmp_path / "host").mkdir()
    return Memory(tmp_path / "host", roots.public_half(SEED))


def said(memory: Memory) -> str:
    return "\n".join(memory.health("vault1", NOON))


def sign(vault: Vault, now: float = NOON) -> str:
    return roots.sign(vault.root, SEED, ZONE, now)


def test_a_root_names_the_end_and_is_signed(vault: Vault) -> None:
    name = sign(vault)
    [(found, signed)] = roots.all_of(vault.root / "roots")
    last = next(iter(vault.root.rglob("*.chain"))).read_bytes().splitlines()[-1]
    assert found == name == "20261126T040000000Z"
    assert signed["root"]["hash"] == entry.digest(last)
    assert (signed["root"]["n"], signed["root"]["day"]) == (1, "2026-11-26")
    assert roots.is_signed(signed, roots.public_half(SEED))
    assert not roots.is_signed(signed, roots.public_half(bytes(32)))
    for key, other in (("n", 2), ("hash", "0" * 64), ("day", "2026-11-25")):
        forged = {**signed, "root": {**signed["root"], key: other}}
        assert not roots.is_signed(forged, roots.public_half(SEED))


def test_a_root_is_never_replaced(vault: Vault) -> None:
    sign(vault)
    with pytest.raises(FileExistsError):
        sign(vault)


def test_a_host_remembers_roots_and_ends(vault: Vault, memory: Memory) -> None:
    memory.take(answer(vault.root, memory.newest), NOON)
    vault.mail()
    name = sign(vault)
    memory.take(answer(vault.root, memory.newest), NOON)
    assert memory.newest == name
    assert answer(vault.root, memory.newest)["roots"] == {}
    (n2, hash2, day), (n1, _, no), (n3, hash3, _) = memory.all()
    assert (n2, day, n1, no, n3, hash3) == (2, "2026-11-26", 1, "", 2, hash2)
    assert said(memory) == ""


def test_an_end_that_goes_back_is_refused_and_told(vault: Vault, memory: Memory) -> None:
    before = answer(vault.root, "")
    vault.mail()
    memory.take(answer(vault.root, ""), NOON)
    memory.take(before, NOON)
    assert "an end of the chain at entry 1, and it had 2" in said(memory)
    assert [n for n, _, _ in memory.all()] == [2]


def test_another_last_entry_is_refused_and_told(vault: Vault, memory: Memory) -> None:
    there = answer(vault.root, "")
    memory.take(there, NOON)
    memory.take({**there, "end": {"n": 1, "hash": "f" * 64}}, NOON)
    assert "another entry 1 than the one that was there: ffff" in said(memory)
    assert memory.last and memory.last["hash"] == there["end"]["hash"]


def test_another_root_of_a_name_is_refused_and_told(vault: Vault, memory: Memory) -> None:
    name = sign(vault)
    memory.take(answer(vault.root, ""), NOON)
    kept = (memory.roots / f"{name}.json").read_bytes()
    vault.mail()
    (vault.root / "roots" / f"{name}.json").unlink()
    sign(vault)
    memory.take(answer(vault.root, ""), NOON)
    assert f"another root {name}" in said(memory)
    assert (memory.roots / f"{name}.json").read_bytes() == kept


def test_a_root_that_nobody_signed_is_refused_and_told(vault: Vault, memory: Memory) -> None:
    roots.sign(vault.root, bytes(32), ZONE, NOON)
    memory.take(answer(vault.root, ""), NOON)
    assert "a root that nobody signed" in said(memory)
    assert memory.newest == ""


def test_a_name_leads_nowhere_else(vault: Vault, memory: Memory) -> None:
    sign(vault)
    there = answer(vault.root, "")
    [signed] = there["roots"].values()
    memory.take({**there, "roots": {"../../x": signed}}, NOON)
    assert "nobody signed" in said(memory)
    assert not (memory.roots.parent.parent / "x.json").exists()


def test_who_has_not_asked_for_long_says_how_long(vault: Vault, memory: Memory) -> None:
    assert "nothing is known of the archive on vault1 yet" in said(memory)
    memory.take(answer(vault.root, ""), NOON - 34 * 24 * HOUR)
    memory.take(answer(vault.root, ""), NOON - 5 * HOUR)
    assert "was last seen 5.0 hours ago" in said(memory)
    memory.take(answer(vault.root, ""), NOON - 3 * HOUR)
    assert said(memory) == ""


def test_a_line_that_was_cut_short_is_none(vault: Vault, memory: Memory) -> None:
    memory.take(answer(vault.root, ""), NOON)
    with memory.ends.open("ab") as file:
        file.write(b'{"hash"')
    assert [n for n, _, _ in memory.all()] == [1]
    vault.mail()
    memory.take(answer(vault.root, ""), NOON + HOUR)
    vault.mail()
    memory.take(answer(vault.root, ""), NOON + 2 * HOUR)
    assert [n for n, _, _ in memory.all()] == [1, 2, 3]
    assert said(memory) == ""


def test_a_root_is_there_whole_or_not_at_all(
    vault: Vault, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(vault)

    def cut(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", cut)
        with pytest.raises(KeyboardInterrupt):
            memory.take(answer(vault.root, ""), NOON)
    assert list(memory.all()) == [] and memory.newest == ""
    memory.take(answer(vault.root, ""), NOON)
    assert memory.newest and said(memory) == ""


@pytest.mark.parametrize("part", [0, 100])
@pytest.mark.parametrize("rest", [b"", bytes(400)])
def test_a_root_of_which_a_power_cut_left_a_part_is_fetched_again(
    vault: Vault, memory: Memory, part: int, rest: bytes
) -> None:
    names = [sign(vault, NOON + day) for day in (0, 1, 2)]
    memory.take(answer(vault.root, ""), NOON)
    torn = memory.roots / f"{names[1]}.json"
    whole = torn.read_bytes()
    torn.write_bytes(whole[:part] + rest)
    assert memory.newest == names[0] and len([*memory.all()]) == 3
    memory.take(answer(vault.root, memory.newest), NOON + HOUR)
    assert torn.read_bytes() == whole and memory.newest == names[2] and said(memory) == ""
    assert (memory.damaged / torn.name).read_bytes() == whole[:part] + rest


@pytest.mark.parametrize("left", [b'{"root":{"day":"1999', b"{}\n"])
def test_a_part_of_another_root_is_not_replaced(vault: Vault, memory: Memory, left: bytes) -> None:
    name = sign(vault)
    memory.take(answer(vault.root, ""), NOON)
    (memory.roots / f"{name}.json").write_bytes(left)
    memory.take(answer(vault.root, ""), NOON + HOUR)
    assert (memory.roots / f"{name}.json").read_bytes() == left
    assert f"another root {name}" in said(memory)


def test_a_vault_that_does_not_answer_yet_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The unit comes again (templates/archive/remember.service); what lasts is told by health."""

    def refused(config: object, memory: Memory, now: float) -> None:
        raise ConnectionRefusedError("connection refused")

    monkeypatch.setattr(module, "fetch", refused)
    config = tmp_path / "config"
    config.write_text(json.dumps({"vault": "vault1", "state": str(tmp_path), "public": "00" * 32}))
    assert main(["journal", str(config), "remember"]) == os.EX_TEMPFAIL
    assert capsys.readouterr().out == "vault1: connection refused\n"


def test_memory_begins_anew_after_what_came_back(vault: Vault, memory: Memory) -> None:
    """Of a chain of three entries the first came back."""
    sign(vault)
    memory.take(answer(vault.root, ""), NOON)
    kept = [*memory.all()]
    vault.mail()
    sign(vault, NOON + 1)
    memory.take(answer(vault.root, memory.newest), NOON + 1)
    lost = [each for each in memory.all() if each not in kept]
    memory.take({"end": {"n": 1, "hash": kept[0][1]}, "roots": {}}, NOON + 2)
    assert len(lost) == 2 and "contradicts" in said(memory)
    beside = anew.begin(memory, 1, NOON + 3)
    assert beside and [*memory.all()] == kept and said(memory) == ""
    assert {path.name for path in beside.iterdir()} == {"roots", "ends", "refused"}
    memory.take({"end": {"n": 2, "hash": "0" * 64}, "roots": {}}, NOON + 4)
    assert said(memory) == "" and (memory.last or {})["n"] == 2
    assert anew.begin(memory, 2, NOON + 5) is None


def test_a_host_remembers_since_when_which_years_are_applied(
    vault: Vault, memory: Memory, tmp_path: Path
) -> None:
    short, long = {"": 5}, {"": 10, "so": 20}

    def hour(years: dict[str, int]) -> None:
        before = (memory.last or {"n": 0})["n"]
        vault.mail()
        memory.take(answer(vault.root, memory.newest), NOON)
        memory.apply(years, before, NOON)

    for years in (short, short, long, long):
        hour(years)
    # What was applied before the first time nobody here can say.
    assert [*memory.applied()] == [
        {"after": 2, "n": 2, "years": short},
        {"after": 3, "n": 4, "years": long},
    ]
    assert anew.begin(memory, 3, NOON)
    assert [*memory.applied()] == [
        {"after": 2, "n": 2, "years": short},
        {"after": 3, "n": 3, "years": long},
    ]


def test_a_root_begins_after_what_came_back(vault: Vault) -> None:
    sign(vault)
    vault.mail()
    sign(vault, NOON + 1)
    folder = vault.root / "roots"
    assert roots.set_aside(folder, vault.root / "roots.lost", 1) == 1
    sign(vault, NOON + 2)
    assert [each["root"]["first"] for _, each in roots.all_of(folder)] == [1, 2]
