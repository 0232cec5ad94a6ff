"""Who comes back after a withdrawal starts with a new password (Điều 6.2); nobody else does."""

from __future__ import annotations

from typing import Any

from test_plan import answer, entry, generation, ldap

from danhba import plan_text
from danhba.generations.generation import Generation
from danhba.generations.host.entries import differences
from danhba.generations.plan import Plan, compare

WITHDRAWN = generation(people=(entry("a", employeeType="withdrawn"), entry("b")))
ACTIVE = generation(people=(entry("a"), entry("b")))
LOCKED = generation(people=(entry("a", employeeType="locked"), entry("b")))


def tree(of: Generation) -> str:
    return str(of.manifest["files"]["/etc/people"]["sha256"])


def plan(live: Generation, wanted: Generation, state: dict[str, Any] | None = None) -> Plan:
    report = answer(live) if state is None else answer(live, entries=state)
    return compare("h", wanted, report)


def cleared(found: Plan) -> list[str]:
    return [each.dn for each in found.entries if each.attributes.get("userPassword") == []]


def test_the_password_goes_with_the_status_and_the_plan_says_so() -> None:
    for wanted in (ACTIVE, LOCKED):
        found = plan(WITHDRAWN, wanted)
        assert cleared(found) == ["uid=a,ou=people,dc=x"]
        said = "clear the password of who is back: uid=a,ou=people,dc=x"
        assert said in plan_text.as_text([found])


def test_of_nobody_else() -> None:
    for live, wanted in (
        (ACTIVE, WITHDRAWN), (ACTIVE, LOCKED), (LOCKED, ACTIVE), (LOCKED, WITHDRAWN),
    ):  # fmt: skip
        assert cleared(plan(live, wanted)) == []


def test_a_run_that_was_cut_off_does_it_when_it_comes_again_and_once() -> None:
    """Files are swapped, LDAP is not loaded yet; then it is."""
    before = ldap(WITHDRAWN, loaded=tree(WITHDRAWN))
    assert cleared(plan(ACTIVE, ACTIVE, before)) == ["uid=a,ou=people,dc=x"]
    assert plan(ACTIVE, ACTIVE, ldap(ACTIVE, loaded=tree(WITHDRAWN))).entries == ()


def test_a_status_written_by_hand_is_mended_and_takes_no_password() -> None:
    by_hand = ldap(WITHDRAWN, loaded=tree(ACTIVE))
    assert [each.attributes for each in plan(ACTIVE, ACTIVE, by_hand).entries] == [
        {"employeeType": []}
    ]
    other = generation(people=(entry("a"), entry("b", title="Chuyên viên")))
    assert cleared(plan(ACTIVE, other, by_hand)) == []


def test_a_host_that_compares_by_itself_finds_the_same() -> None:
    there = {"uid=a": {"employeeType": ["withdrawn"], "cn": ["An"]}}
    wanted = {"uid=a": {"cn": ["An"]}}
    [change] = differences(wanted, there, "top")
    assert change["replace"] == {"employeeType": [], "userPassword": []}
    [change] = differences(wanted, there, "top", last=wanted)
    assert change["replace"] == {"employeeType": []}
