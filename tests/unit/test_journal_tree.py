"""A line of a day is proven by few hashes, and nothing else is."""

from __future__ import annotations

import subprocess
from hashlib import sha256

import pytest

from danhba.journal.tree import Tree, joined, leads_to


def leaves(count: int) -> list[str]:
    return [sha256(str(number).encode()).hexdigest() for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 100, 257])
def test_every_line_is_proven_and_only_where_it_stands(count: int) -> None:
    made, tree = leaves(count), Tree.of(leaves(count))
    for at, leaf in enumerate(made):
        path = tree.path(at)
        assert leads_to(leaf, path) == tree.top
        assert len(path) <= (count - 1).bit_length()
        assert leads_to("0" * 64, path) != tree.top
        if count > 1:
            assert leads_to(made[at - 1], path) != tree.top


def test_any_change_changes_the_top() -> None:
    made = leaves(9)
    top = Tree.of(made).top
    for other in (made[:-1], [*made, made[-1]], [*made[1:], made[0]], made[::-1]):
        assert Tree.of(other).top != top


def test_the_shell_joins_as_we_do() -> None:
    left, right = leaves(2)
    said = subprocess.run(
        ["sh", "-c", 'printf %s%s "$1" "$2" | sha256sum', "-", left, right],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.split()[0] == joined(left, right) == Tree.of([left, right]).top
