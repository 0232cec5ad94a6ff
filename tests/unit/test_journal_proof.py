"""Entries are proven below the root that covers them; a changed chain proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from journal_parts import ZONE, archive, mail

from danhba.journal import agent, entry, roots
from danhba.journal.chain import lines
from danhba.journal.proof import Mark, Unproven, proofs, since
from danhba.journal.tree import Side, Tree, leads_to


def made(folder: Path, count: int = 10) -> Path:
    writer = archive(folder)
    writer.append([mail(number) for number in range(count)])
    writer.close()
    return writer.root


def hashes(root: Path) -> list[str]:
    return [entry.digest(line.raw) for line in lines(root)]


def mark(root: Path, first: int, last: int, name: str) -> Mark:
    return Mark(first, last, name, Tree.of(hashes(root)[first - 1 : last]).top)


def test_each_entry_is_below_its_own_root(tmp_path: Path) -> None:
    root = made(tmp_path)
    marks = [mark(root, 8, 9, "c"), mark(root, 1, 4, "a"), mark(root, 5, 7, "b")]
    found = proofs(root, marks, [1, 4, 5, 7, 8, 9, 10])
    assert {number: each["root"] for number, each in found.items()} == {
        1: "a", 4: "a", 5: "b", 7: "b", 8: "c", 9: "c",
    }  # fmt: skip
    tops = {each.name: each.top for each in marks}
    for number, each in found.items():
        path: list[tuple[Side, str]] = [(side, other) for side, other in each["path"]]
        assert leads_to(hashes(root)[number - 1], path) == tops[each["root"]]
    assert proofs(root, [], [1]) == proofs(root, marks, []) == {}


@pytest.mark.parametrize("do", ["change", "cut off"])
def test_what_is_not_what_was_signed_proves_nothing(tmp_path: Path, do: str) -> None:
    root = made(tmp_path)
    marks = [mark(root, 1, 10, "a")]
    [chain] = root.rglob("*.chain")
    raws = chain.read_bytes().splitlines(keepends=True)
    if do == "change":
        raws[3] = raws[3].replace(b"nvan@", b"nvam@")
    chain.write_bytes(b"".join(raws[: 10 if do == "change" else 9]))
    with pytest.raises(Unproven, match="root a"):
        proofs(root, marks, [1])


def test_what_has_come_since_a_root_is_found_over_segments_of_days(tmp_path: Path) -> None:
    now = [1795723200.0]
    writer = archive(tmp_path, clock=lambda: now[0], steady=lambda: now[0])
    for day in range(4):
        now[0] += 86400
        writer.append([mail(2 * day), mail(2 * day + 1)])
    writer.close()
    for last in range(9):
        assert since(writer.root, last) == hashes(writer.root)[last:]
    [*_, chain] = sorted(writer.root.rglob("*.chain"))
    with chain.open("ab") as file:
        file.write(b'{"n":9')  # it is just being written
    assert since(writer.root, 7) == hashes(writer.root)[7:8]


def test_signed_roots_cover_every_entry_once_and_prove_it(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    root, seed = writer.root, bytes(range(32))
    config = {"root": str(root)}
    for day, count in enumerate((5, 0, 1)):
        writer.append([mail(10 * day + number) for number in range(count)])
        roots.sign(root, seed, ZONE, 1795723200.0 + 86400 * day)
    writer.append([mail(99)])
    writer.close()
    said = [signed["root"] for _, signed in roots.all_of(root / roots.FOLDER)]
    assert [(each["first"], each["n"], bool(each["tree"])) for each in said] == [
        (1, 5, True), (6, 5, False), (6, 6, True),
    ]  # fmt: skip
    answer = agent.QUESTIONS["proof"](config, {"entries": list(range(1, 8))})
    assert sorted(answer["proofs"]) == [1, 2, 3, 4, 5, 6]  # the last one is below no root yet
    assert len(answer["roots"]) == 2
    for number, each in answer["proofs"].items():
        path: list[tuple[Side, str]] = [(side, other) for side, other in each["path"]]
        signed = answer["roots"][each["root"]]
        assert roots.is_signed(signed, roots.public_half(seed))
        assert leads_to(hashes(root)[number - 1], path) == signed["root"]["tree"]
