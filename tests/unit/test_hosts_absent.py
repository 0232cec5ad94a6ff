"""What edges are not told while a store is absent (danhba.commands.hosts)."""

from __future__ import annotations

from collections.abc import Mapping

from test_plan import answer_bare
from test_relocation import environment, host

from danhba.assemble import assemble
from danhba.commands.hosts import _withheld
from danhba.generations.generation import Generation
from danhba.generations.plan import compare
from danhba.inventory import Environment
from danhba.publish import Asked
from danhba.service import File, Part

HOMES = {"an@x": "store:[store1.x]:2525", "binh@x": "store:[store2.x]:2525"}


def edge(rows: Mapping[str, str]) -> Generation:
    text = "".join(f"{key} {way}\n" for key, way in rows.items())
    file = File("/etc/homes", text.encode(), accounts=True, ways=True)
    return assemble([Part("a", files=(file,))], "r")


def withheld(*known: set[str], absent: str = "store2") -> set[str]:
    """known: what each edge has already."""
    names = [f"mx{number}" for number in range(1, 1 + len(known))]
    edges = [host(name, 10 + number, "edge") for number, name in enumerate(names)]
    env = Environment("e", (*environment(2).hosts, *edges))
    asked = {}
    for name, has in zip(names, known, strict=True):
        live = edge({key: HOMES[key] for key in has})
        report = answer_bare(live) | {"contents": {"/etc/homes": live.text("/etc/homes")}}
        wanted = edge(HOMES)
        asked[name] = Asked(wanted, report, compare(name, wanted, report))
    return _withheld(env, [absent], asked)


def test_new_mailboxes_of_an_absent_store_wait() -> None:
    assert withheld({"an@x"}, {"an@x"}) == {"binh"}
    assert withheld(set(), set()) == {"binh"}
    assert withheld(set(), set(), absent="store1") == {"an"}


def test_what_one_edge_knows_its_store_knew_and_no_edge_forgets() -> None:
    """An edge that was down when the mailbox was made is behind the other one."""
    assert withheld({"an@x", "binh@x"}, {"an@x"}) == set()
    assert withheld({"an@x", "binh@x"}, {"an@x", "binh@x"}) == set()


def test_without_edges_nothing_waits() -> None:
    assert withheld() == set()
