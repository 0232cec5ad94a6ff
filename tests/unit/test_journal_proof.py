"""Entries are proven below the root that covers them; a changed chain proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from journal_parts import archive, mail

from danhba.journal import entry
from danhba.journal.chain import lines
from danhba.journal.proof import Mark, Unproven, proofs
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
