"""What a plan says, from a generation and a host's answer."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyinfra.api.host import Host

from danhba import guards, plan_text
from danhba.assemble import assemble
from danhba.compiled import Guard
from danhba.generations.generation import Generation
from danhba.generations.host.common import service_actions, sha256
from danhba.generations.plan import Plan, batch, compare
from danhba.generations.plan_people import DOUBTFUL
from danhba.publish import Asked, Displaced, Unapproved, carry_out
from danhba.service import File, Part, Service, Tree

TOP = "ou=people,dc=x"


def entry(name: str, **attributes: str) -> dict[str, Any]:
    values = {key: [value] for key, value in attributes.items()}
    return {"dn": f"uid={name},{TOP}", "attrs": {"uid": [name], **values}}


def generation(rows: str = "an 1\nbinh 2\n", people: tuple[Any, ...] = ()) -> Generation:
    tree = [{"dn": TOP, "attrs": {"ou": ["people"]}}, *people]
    text = "".join(json.dumps(row) + "\n" for row in tree)
    files = (
        File("/etc/a.conf", b"listen = 1\n", effect="reload"),
        File("/etc/key", b"hush", mode="0600", secret=True, effect="restart"),
        File("/etc/table", rows.encode(), accounts=True),
        File("/etc/people", text.encode()),
    )
    part = Part(
        "a", packages=("a",), files=files, services=(Service("a.service"),),
        tree=Tree("/etc/people", "dc=x", TOP),
    )  # fmt: skip
    return assemble([part], "r")


def answer(live: Generation, **changed: Any) -> dict[str, Any]:
    """The report of a host on which `live` runs and nothing is wrong."""
    service = live.manifest["services"][0]
    loaded = {key: service[f"{key}_digest"] for key in ("reload", "restart")}
    report = {
        "live": live.digest, "manifest": live.manifest, "revision": "r", "generations": [],
        "previous": None, "drift": [], "packages": {"a": "1"}, "lock": None, "boxes": [],
        "forgotten": [], "clock": time.time(),
        "contents": {
            path: live.contents[facts["sha256"]].decode()
            for path, facts in live.manifest["files"].items()
        },
        "units": {"a.service": {"active": True, "enabled": True}},
        "loaded": {"a.service": loaded},
        "entries": live.manifest["tree"]
        and {"ready": True, "loaded": _tree(live), "entries": None},
    }  # fmt: skip
    return report | changed


def answer_bare(live: Generation) -> dict[str, Any]:
    """As answer, for a generation without services and LDAP."""
    return {
        "live": live.digest, "manifest": live.manifest, "drift": [], "packages": {}, "lock": None,
        "contents": {}, "units": {}, "loaded": {}, "entries": None, "boxes": [], "forgotten": [],
    }  # fmt: skip


def _tree(of: Generation) -> str:
    return str(of.manifest["files"]["/etc/people"]["sha256"])


def ldap(of: Generation, *extra: dict[str, Any], loaded: str = "older") -> dict[str, Any]:
    rows = [json.loads(line) for line in of.tree_text.splitlines()] + list(extra)
    return {"ready": True, "loaded": loaded, "entries": {row["dn"]: row["attrs"] for row in rows}}


def test_nothing_to_do() -> None:
    plan = compare("h", generation(), answer(generation()))
    assert not plan.changes
    assert plan_text.as_text([plan]).startswith("h: nothing to do")


def test_one_row_more_is_one_line_and_no_reload() -> None:
    plan = compare("h", generation("an 1\nbinh 2\nchi 3\n"), answer(generation()))
    assert [(change.path, change.rows) for change in plan.files] == [("/etc/table", ("+chi 3",))]
    assert plan.services == ()


def test_one_person_more_is_one_entry() -> None:
    before, after = generation(people=(entry("an"),)), generation(people=(entry("an"), entry("b")))
    plan = compare("h", after, answer(before, entries=ldap(before)))
    assert [(change.dn, change.action) for change in plan.entries] == [(f"uid=b,{TOP}", "add")]
    loaded = batch(plan, after, None)
    assert loaded is not None
    assert loaded["changes"] == [{"dn": f"uid=b,{TOP}", "add": {"uid": ["b"]}}]
    assert loaded["wanted"] == _tree(after)


def test_what_the_last_load_left_need_not_be_listed() -> None:
    """The live tree file tells what LDAP has: the two files' difference is what there is to do."""
    before, after = generation(people=(entry("an"),)), generation(people=(entry("an"), entry("b")))
    state = {"ready": True, "loaded": _tree(before), "entries": None}
    plan = compare("h", after, answer(before, entries=state))
    assert [(change.dn, change.action) for change in plan.entries] == [(f"uid=b,{TOP}", "add")]
    assert plan.mark
    back = compare("h", before, answer(after, entries=state | {"loaded": _tree(after)}))
    assert back.vanished == (f"uid=b,{TOP}",)


def test_a_password_or_a_mark_is_no_difference() -> None:
    live = generation(people=(entry("an"),))
    state = ldap(live, loaded=_tree(live))
    state["entries"][TOP] = {"ou": ["people"], "description": ["danhba-loaded:abc"]}
    assert not compare("h", live, answer(live, entries=state)).changes


def test_an_attribute_that_went_is_removed() -> None:
    before, after = generation(people=(entry("an", title="x"),)), generation(people=(entry("an"),))
    plan = compare("h", after, answer(before, entries=ldap(before)))
    assert plan.entries[0].attributes == {"title": []}


def test_a_vanished_account_is_named_and_never_removed() -> None:
    live = generation(people=(entry("an"),))
    plan = compare("h", generation(), answer(live, entries=ldap(live)))
    assert plan.vanished == (f"uid=an,{TOP}",)
    assert plan.entries == ()
    assert "REFUSED" in plan_text.as_text([plan])


HACKER = entry("hacker", mail="hacker@x")


def test_an_entry_that_somebody_added_by_hand_is_drift_and_stops_no_apply() -> None:
    """Also below another one, in the order in which slapd lets them be deleted."""
    live, wanted = generation(people=(entry("an"),)), generation(people=(entry("an", title="x"),))
    below = {"dn": f"cn=x,{HACKER['dn']}", "attrs": {"cn": ["x"]}}
    for after in (live, wanted):
        report = answer(live, entries=ldap(live, HACKER, below, loaded=_tree(live)))
        if after is live:
            del report["contents"]["/etc/people"]  # as it is wanted: it does not come along
        plan = compare("h", after, report)
        assert plan.vanished == () and not plan.refused
        said = plan_text.as_text([plan])
        told = "(not danhba's: somebody added it by hand; it will be deleted (drift))"
        assert f"  delete entry: {HACKER['dn']}  {told}" in said
        loaded = batch(plan, after, None)
        assert loaded is not None
        assert loaded["strays"] == [below["dn"], HACKER["dn"]]
        assert loaded["changes"][:2] == [{"dn": dn, "delete": True} for dn in loaded["strays"]]


def test_what_danhba_may_have_written_is_never_deleted() -> None:
    """The mark names another load; a table has the name; danhba's own entry under another one."""
    live = generation(people=(entry("an", employeeNumber="1"), entry("b")))
    unknown = compare("h", live, answer(live, entries=ldap(live, HACKER)))
    assert unknown.vanished == (f"{HACKER['dn']}{DOUBTFUL}",)
    assert "ldapdelete" in plan_text.as_text([unknown])
    renamed = ldap(live, entry("nv", employeeNumber="1"), loaded=_tree(live))
    del renamed["entries"][f"uid=an,{TOP}"]
    in_a_table = ldap(live, entry("binh"), loaded=_tree(live))
    other_case = ldap(live, entry("B"), loaded=_tree(live))
    of_a_load_cut_off = ldap(live, entry("c"), loaded=_tree(live))
    after = generation(people=(entry("an", employeeNumber="1"), entry("b"), entry("c")))
    for wanted, report, gone in (
        (live, answer(live, entries=renamed), f"uid=nv,{TOP}"),
        (live, answer(live, entries=in_a_table), f"uid=binh,{TOP}"),
        (live, answer(live, entries=other_case), f"uid=B,{TOP}"),
        (live, answer(after, entries=of_a_load_cut_off), f"uid=c,{TOP}"),
    ):
        plan = compare("h", wanted, report)
        assert plan.vanished == (gone,)
        assert not any(each.action == "delete" for each in plan.entries)


@pytest.mark.parametrize(("path", "action"), [("/etc/a.conf", "reload"), ("/etc/key", "restart")])
def test_drift_is_named_mended_and_taken_up(path: str, action: str) -> None:
    drift = [{"path": path, "problem": "edited"}]
    plan = compare("h", generation(), answer(generation(), drift=drift))
    assert plan.drift == ((path, "edited"),)
    assert [change.action for change in plan.files] == ["mend"]
    assert plan.services == (("a.service", action),)


def test_a_missing_package_and_a_stopped_service_are_named() -> None:
    stopped = {"a.service": {"active": False, "enabled": True}}
    plan = compare("h", generation(), answer(generation(), packages={}, units=stopped))
    assert plan.packages == ("a",)
    assert plan.services == (("a.service", "start"),)


def test_no_secret_in_any_form_of_the_plan() -> None:
    report = answer(generation(), drift=[{"path": "/etc/key", "problem": "edited"}])
    plan = compare("h", generation(), report)
    for form in (plan_text.as_text, plan_text.as_markdown, plan_text.as_json):
        assert "hush" not in form([plan])
        assert "/etc/key" in form([plan])


def test_what_a_service_loaded_decides_not_what_this_run_changed() -> None:
    """An apply that was cut off after the swap: the files are there, the service is not told."""
    live = generation()
    plan = compare("h", live, answer(live, loaded={"a.service": {}}))
    assert plan.services == (("a.service", "restart"),)
    assert plan.changes


def test_reload_and_restart_are_told_apart() -> None:
    service = {
        "unit": "u", "reload_digest": sha256(b"1"), "restart_digest": sha256(b"2"),
    }  # fmt: skip
    states = {"u": {"active": True, "enabled": True}}
    loaded = {"u": {"reload": sha256(b"1"), "restart": sha256(b"2")}}
    assert service_actions([service], states, loaded) == []
    loaded["u"]["reload"] = "old"
    assert service_actions([service], states, loaded) == [("u", "reload")]
    loaded["u"]["restart"] = "old"
    assert service_actions([service], states, loaded) == [("u", "restart")]


def test_without_a_running_slapd_the_host_compares_the_entries_itself() -> None:
    live = generation(people=(entry("an"),))
    down = {"ready": False, "loaded": None, "entries": None}
    plan = compare("h", live, answer(live, entries=down))
    assert plan.changes
    assert "LDAP does not run" in plan_text.as_text([plan])
    loaded = batch(plan, live, None)
    assert loaded is not None
    assert loaded["changes"] is None
    assert loaded["path"] == "/etc/people"


def test_what_was_edited_in_ldap_by_hand_is_told_from_what_the_directory_changes() -> None:
    live = generation(people=(entry("an", title="x", cn="An"), entry("b", cn="B"), entry("c")))
    wanted = generation(people=(entry("an", title="y", cn="An"), entry("b", cn="B"), entry("c")))
    state = ldap(live, loaded=_tree(live))
    dn = f"uid=an,{TOP}"
    state["entries"][dn] |= {"cn": ["Boss"], "carLicense": ["hush"], "employeeType": ["locked"]}
    del state["entries"][f"uid=b,{TOP}"]
    plan = compare("h", wanted, answer(live, entries=state))
    said = plan_text.as_text([plan])
    assert (
        f"""
  change entry: {dn}
    -carLicense: (not shown)  (drift: edited by hand)
    -cn: Boss  (drift: edited by hand)
    +cn: An
    -employeeType: locked  (drift: edited by hand)
    -title: x
    +title: y
"""
        in said
    )
    assert f"  add entry: uid=b,{TOP}  (drift: was deleted by hand)" in said
    assert "hush" not in said + plan_text.as_json([plan])
    by_directory = compare("h", wanted, answer(live))
    assert "drift" not in plan_text.as_text([by_directory])
    assert "    -title: x\n    +title: y\n" in plan_text.as_text([by_directory])


def test_what_was_loaded_before_is_not_known_so_nothing_is_called_drift() -> None:
    live = generation(people=(entry("an", title="x"),))
    state = ldap(live, loaded="older")
    state["entries"][f"uid=an,{TOP}"] |= {"title": ["z"]}
    said = plan_text.as_text([compare("h", live, answer(live, entries=state))])
    assert "    -title: z\n    +title: x\n" in said


def test_an_attribute_that_was_taken_away_by_hand_is_drift() -> None:
    live = generation(people=(entry("an", title="x"),))
    state = ldap(live, loaded=_tree(live))
    del state["entries"][f"uid=an,{TOP}"]["title"]
    said = plan_text.as_text([compare("h", live, answer(live, entries=state))])
    assert "    +title: x\n    title was removed by hand (drift)\n" in said


def test_an_address_that_vanished_from_a_table_is_named_on_any_host() -> None:
    """An edge has no LDAP tree, and slapd may be down: the tables tell as well."""

    def edge(rows: str) -> Generation:
        file = File("/etc/homes", rows.encode(), accounts=True)
        return assemble([Part("a", files=(file,), services=(Service("a.service"),))], "r")

    live = edge("an@x store:1\nbinh@x store:1\n")
    plan = compare("h", edge("an@x store:2\n"), answer(live, entries=None, packages={}))
    assert plan.vanished == ("binh@x",)


def test_with_its_role_a_host_would_lose_every_address_and_its_service() -> None:
    file = File("/etc/homes", b"an@x store:1\n", accounts=True)
    service = Service("b.service")
    store = assemble([Part("b", files=(file,), services=(service,))], "r")
    bare = assemble([Part("a")], "r")
    report = answer_bare(store) | {
        "loaded": {"b.service": {}}, "contents": {"/etc/homes": "an@x store:1\n"},
    }  # fmt: skip
    plan = compare("h", bare, report)
    assert plan.vanished == ("an@x",)
    assert plan.services == (("b.service", "stop"),)


def test_a_table_emptied_by_hand_hides_nobody() -> None:
    """What Postfix still reads names him who is gone from the text and from the file alike."""
    before, after = "an@x store:1\nbinh@x store:1\n", "an@x store:1\n"
    live, wanted = (
        assemble([Part("a", files=(File("/etc/homes", rows.encode(), accounts=True),))], "r")
        for rows in (before, after)
    )
    report = answer_bare(live) | {
        "drift": [{"path": "/etc/homes", "problem": "edited"}],
        "contents": {"/etc/homes": "", "/etc/homes.cdb": "an@x\nbinh@x"},
    }
    assert compare("h", wanted, report).vanished == ("binh@x",)


def test_a_link_that_leads_elsewhere_is_in_the_plan() -> None:
    live, wanted = (
        assemble([Part("a", links={"/etc/localtime": f"/usr/share/zoneinfo/{zone}"})], "r")
        for zone in ("Asia/Ho_Chi_Minh", "Asia/Bangkok")
    )
    plan = compare("h", wanted, answer_bare(live))
    said = plan_text.as_text([plan])
    assert "change: /etc/localtime" in said
    assert "+/usr/share/zoneinfo/Asia/Bangkok" in said


def test_rows_of_a_table_that_was_empty_are_shown() -> None:
    plan = compare("h", generation("an 1\n"), answer(generation("")))
    assert next(change.rows for change in plan.files) == ("+an 1",)
    assert plan.arriving == ("an",)


def test_who_holds_an_account_is_told_by_the_staff_code() -> None:
    before = generation(people=(entry("an", cn="An", employeeNumber="1"),))
    for other in ({"employeeNumber": "2"}, {}):
        after = generation(people=(entry("an", cn="An", **other),))
        for state in (ldap(before), {"ready": False, "loaded": None, "entries": None}):
            plan = compare("h", after, answer(before, entries=state))
            assert plan.vanished == (
                f"uid=an,{TOP} (of 1, would be of {other.get('employeeNumber', 'an agency')})",
            )
    renamed = generation(people=(entry("an", cn="An Khánh", employeeNumber="1"),))
    assert compare("h", renamed, answer(before, entries=ldap(before))).vanished == ()


# Guards


GUARD = Guard(
    people=40, agencies={"soyte": 10, "ty": 30}, people_percent=5, agency_percent=30,
    protected={"postmaster": "soyte"}, approvals={}, withheld={},
)  # fmt: skip
THREE = {f"p{number}": "withdrawn soyte 2026-11-25" for number in range(3)}
GONE = replace(GUARD, people=37, agencies={"soyte": 7, "ty": 30}, withheld=THREE)
SAID = "3 of 40 people are withdrawn, locked or sent elsewhere, more than 5%"
YES = {"1/NQ": {"people": 3, "agencies": {}, "protected": []}}
HOMES = "".join(f"p{number}@x store:1\n" for number in range(40))


def guarded(guard: Guard, homes: str = HOMES, aliases: str = "") -> Generation:
    """Of a host that has a guard and says where mail goes."""
    content = {
        key: value for key, value in vars(guard).items() if key not in ("people", "agencies")
    }
    files = (
        File(guards.FILE, json.dumps(content).encode()),
        File("/etc/homes", homes.encode(), accounts=True, ways=True),
        File("/etc/aliases", aliases.encode(), accounts=True),
    )
    return assemble([Part("a", files=files)], "r", guard)


def asked(live: Generation, wanted: Generation, **contents: str) -> Mapping[str, Any]:
    """The answer of a host: the contents of files that differ."""
    differing = {
        path: live.text(path)
        for path, facts in wanted.manifest["files"].items()
        if live.manifest["files"].get(path) not in (None, facts)
    }
    return answer_bare(live) | {"contents": differing | contents}


def excesses(live: Generation, wanted: Generation) -> tuple[str, ...]:
    return compare("h", wanted, asked(live, wanted)).excesses


def moved(count: int) -> str:
    """Where mail goes when some are on another store."""
    rows = HOMES.splitlines(keepends=True)
    return "".join([*(row.replace("store:1", "store:2") for row in rows[:count]), *rows[count:]])


def test_a_change_that_disturbs_many_is_refused_and_says_what_would_allow_it() -> None:
    plan = compare("h", guarded(GONE), asked(guarded(GUARD), guarded(GONE)))
    assert plan.refused and plan.changes and not plan.vanished
    assert f"  REFUSED: {SAID}; approve: DECISION: {{people: 3}}\n" in plan_text.as_text([plan])
    assert f"REFUSED: {SAID}" in plan_text.as_markdown([plan])
    assert json.loads(plan_text.as_json([plan]))[0]["excesses"] == list(plan.excesses)


def test_an_approval_that_comes_with_it_allows_it_once() -> None:
    wanted = guarded(replace(GONE, approvals=YES))
    assert excesses(guarded(GUARD), wanted) == ()
    assert len(excesses(guarded(replace(GUARD, approvals=YES)), wanted)) == 1
    assert (
        len(
            excesses(
                guarded(replace(GUARD, approvals={"1/NQ": YES["1/NQ"] | {"people": 4}})), wanted
            )
        )
        == 1
    )


def test_what_is_live_disturbs_nobody() -> None:
    for guard in (GUARD, GONE, replace(GONE, approvals=YES)):
        plan = compare("h", guarded(guard), asked(guarded(guard), guarded(guard)))
        assert not plan.refused and not plan.changes


def test_who_comes_back_is_not_asked_about() -> None:
    assert excesses(guarded(GONE), guarded(GUARD)) == ()


def test_a_share_of_an_agency_is_one_of_those_who_were_there() -> None:
    four = {**THREE, "p3": "locked soyte 2026-11-25"}
    wanted = replace(GUARD, people=397, agencies={"soyte": 7, "ty": 390}, withheld=four)
    [said] = excesses(guarded(replace(GUARD, people=400)), guarded(wanted))
    assert said.startswith("4 of 10 people of soyte are withdrawn")
    three = replace(wanted, people=397, agencies={"soyte": 7, "ty": 390}, withheld=THREE)
    assert excesses(guarded(replace(GUARD, people=400)), guarded(three)) == ()


def test_a_policy_that_allows_more_is_one_for_the_next_apply() -> None:
    free = replace(GONE, people_percent=100, agency_percent=100)
    assert len(excesses(guarded(GUARD), guarded(free))) == 1
    assert excesses(guarded(replace(GUARD, people_percent=100)), guarded(free)) == ()
    strict = replace(GUARD, people_percent=100)
    assert len(excesses(guarded(strict), guarded(GONE))) == 1


def test_a_protected_address_that_leads_elsewhere_is_refused_alone() -> None:
    wanted = replace(GUARD, protected={"postmaster": "ty"})
    [said] = excesses(guarded(GUARD), guarded(wanted))
    assert said.startswith("the protected address postmaster is touched")
    assert "approve: DECISION: {protected: [postmaster]}" in said


def displaced(live: Generation, wanted: Generation, *moving: str) -> tuple[str, ...]:
    return compare("h", wanted, asked(live, wanted), moving).displaced


def test_who_would_get_another_home_is_named_and_nobody_moves() -> None:
    live, wanted = guarded(GUARD), guarded(GUARD, moved(2))
    found = displaced(live, wanted)
    assert found == ("p0@x (store:1 -> store:2)", "p1@x (store:1 -> store:2)")
    said = plan_text.as_text([compare("h", wanted, asked(live, wanted))])
    assert "REFUSED: 2 mailboxes would get another home: p0@x (store:1 -> store:2), p1@x" in said
    assert "danhba move MAILBOX --to STORE" in said
    with pytest.raises(Displaced, match="p0@x"):
        carried_out(wanted, asked(live, wanted))


def test_rows_that_an_edit_by_hand_left_without_a_way_are_mended() -> None:
    live = guarded(GUARD)
    edited = HOMES.replace("p1@x store:1\n", "\n  \np1@x\n")
    drift = [{"path": "/etc/homes", "problem": "edited"}]
    report = {**asked(live, live), "drift": drift, "contents": {"/etc/homes": edited}}
    plan = compare("h", live, report)
    assert not plan.refused
    assert [(change.path, change.action) for change in plan.files] == [("/etc/homes", "mend")]


def test_only_whom_the_run_moves_may_get_another_home() -> None:
    live, wanted = guarded(GUARD), guarded(GUARD, moved(2))
    assert displaced(live, wanted, "p0@x", "p1@x") == ()
    assert displaced(live, wanted, "p0@x") == ("p1@x (store:1 -> store:2)",)


def test_a_store_may_forget_whom_the_run_moves_away_from_it() -> None:
    live, wanted = guarded(GUARD), guarded(GUARD, HOMES.replace("p3@x store:1\n", ""))
    assert compare("h", wanted, asked(live, wanted)).vanished == ("p3@x",)
    assert compare("h", wanted, asked(live, wanted), ["p3@x"]).vanished == ()


def test_who_comes_and_who_is_called_otherwise_keeps_his_home() -> None:
    more = HOMES + "".join(f"n{number}@x store:2\n" for number in range(9))
    names = "".join(f"n{number}@x p{number}@x\n" for number in range(9))
    others = names.replace(" p", " p1")
    assert displaced(guarded(GUARD), guarded(GUARD, more)) == ()
    assert displaced(guarded(GUARD, aliases=names), guarded(GUARD, aliases=others)) == ()


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", '{"withheld": {}}', "7"])
def test_a_guard_that_is_damaged_is_drift_and_what_was_approved_before_is_not_known(
    text: str,
) -> None:
    drift = [{"path": guards.FILE, "problem": "edited"}]

    def plan(guard: Guard) -> Plan:
        wanted = guarded(guard)
        report = asked(guarded(GUARD), wanted, **{guards.FILE: text})
        return compare("h", wanted, {**report, "drift": drift})

    assert plan(GUARD).drift and not plan(GUARD).refused
    assert not plan(GONE).refused  # nothing is known of who was withdrawn before


def test_a_host_that_had_no_guard_is_not_stuck() -> None:
    homes = File("/etc/homes", HOMES.encode(), accounts=True)
    live = assemble([Part("a", files=(homes,))], "r")
    assert excesses(live, guarded(GONE)) == ()
    empty = answer_bare(live) | {"manifest": None, "live": None}
    assert not compare("h", guarded(GONE), empty).refused


def carried_out(wanted: Generation, report: Mapping[str, Any]) -> None:
    hosts = type("Hosts", (list,), {"get_active_hosts": lambda self: self})()
    host = SimpleNamespace(state=SimpleNamespace(limit_hosts=[], inventory=hosts))
    carry_out(cast(Host, host), Asked(wanted, report, compare("h", wanted, report)))


def test_what_is_not_approved_is_not_carried_out() -> None:
    wanted = guarded(GONE)
    with pytest.raises(Unapproved, match="3 of 40 people are withdrawn"):
        carried_out(wanted, asked(guarded(GUARD), wanted))
