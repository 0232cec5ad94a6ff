"""A plan for people, for a merge request and for programs. No secret ever gets here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from danhba.generations.host.entries import PASSWORD
from danhba.generations.plan import Plan
from danhba.generations.plan_people import DOUBTFUL, EntryChange

ROWS = 40
"""Rows of one file shown in full; of more, the first and a count."""


_NOT_OURS = "not danhba's: somebody added it by hand; it will be deleted (drift)"


def as_text(plans: Iterable[Plan]) -> str:
    return "\n".join(line for plan in plans for line in _host(plan)) + "\n"


def as_markdown(plans: Iterable[Plan]) -> str:
    """For the comment on a merge request: a heading a host, the rest as a diff block."""
    blocks = []
    for plan in plans:
        head, *rest = _host(plan)
        blocks.append(f"### {head}")
        if rest:
            blocks.append("```diff\n" + "\n".join(row.removeprefix("  ") for row in rest) + "\n```")
    return "\n\n".join(blocks) + "\n"


def as_json(plans: Iterable[Plan]) -> str:
    """Stable: keys sorted, one object a host."""
    rows = [{**asdict(plan), "changes": plan.changes} for plan in plans]
    return json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _host(plan: Plan) -> Iterator[str]:
    if plan.locked:
        yield f"{plan.host}: locked by {plan.locked['who']} since {plan.locked['since']}"
    if plan.apart:
        side = "ahead of" if plan.apart > 0 else "behind"
        yield f"{plan.host}: its clock is {abs(plan.apart)} s {side} this machine's"
        yield "  REFUSED by an apply, which might be of a wrong day: mend one (timedatectl)"
    if not plan.changes and not plan.refused:
        yield f"{plan.host}: nothing to do (generation {plan.wanted[:12]})"
        yield from _archived(plan)
        return
    yield f"{plan.host}: generation {(plan.live or 'none')[:12]} -> {plan.wanted[:12]}"
    for path, problem in plan.drift:
        yield f"  drift: {path} {problem}"
    if plan.packages:
        yield f"  install: {' '.join(plan.packages)}"
    for change in plan.files:
        yield f"  {change.action}: {change.path}"
        yield from _cut(f"    {row}" for row in change.rows)
    yield from _cut(row for entry in plan.entries for row in _entry(entry))
    back = [entry.dn for entry in plan.entries if PASSWORD in entry.attributes]
    yield from _cut(f"  clear the password of who is back: {dn}" for dn in back)
    if plan.unread:
        yield "  LDAP does not run, or another people host is to fill it: entries are compared then"
    elif plan.mark and not plan.entries:
        yield "  note in LDAP which directory it holds"
    yield from _cut(f"  {box.action} mailbox: {box.account} ({box.why})" for box in plan.boxes)
    yield from _archived(plan)
    yield from _cut(_expiries(plan))
    for unit, action in plan.services:
        yield f"  {action}: {unit}"
    if plan.followed:
        yield f"  a move that was cut off goes on: {listed(plan.followed)}"
    if plan.vanished:
        yield f"  REFUSED: would be gone from this host: {listed(plan.vanished)}"
        yield "  an address is never removed by leaving it out, nor with a role; put the lines back"
        if any(each.endswith(DOUBTFUL) for each in plan.vanished):
            yield (
                "  LDAP does not say that its last load is this host's live tree, so what somebody"
                " added by hand is not told from what danhba wrote. If the directory ever had it,"
                " put its lines back; if nobody knows it, delete it on a people host:"
                " ldapdelete -Q -Y EXTERNAL -H ldapi:/// DN"
            )
    if plan.displaced:
        yield (
            f"  REFUSED: {len(plan.displaced)} mailboxes would get another home: "
            f"{listed(plan.displaced)}"
        )
        yield (
            "  an apply moves no mailbox. Somebody moved them: git pull brings his placement file. "
            "This host was away at a failover, or a move was cut off: the same command again. "
            "A store is new: give it `since` in the inventory. "
            "You want them moved: danhba move MAILBOX --to STORE"
        )
    for excess in plan.excesses:
        yield f"  REFUSED: {excess}"


def _archived(plan: Plan) -> Iterator[str]:
    """What waits for its day: no change, and nobody should be surprised by it."""
    yield from _cut(f"  keep mailbox: {box.account} ({box.why})" for box in plan.archived)
    yield from _cut(
        f"  keep archive: {each.segment}, {count} messages whose years are over (hold {case})"
        for each in plan.held
        for case, count in each.held
    )
    if plan.unknown:
        yield f"  nobody knows what is to go from the archive: {plan.unknown}"


def _expiries(plan: Plan) -> Iterator[str]:
    for each in plan.expiries:
        whose = f"agencies of the kind {each.kept_as}" if each.kept_as else "all others"
        yield (
            f"  expire archive: {each.segment}, {each.messages} messages, {each.size} bytes"
            f" (kept {each.years} years for {whose})"
        )
    if plan.unfinished:
        yield "  expire archive: end what was cut off"


def _entry(entry: EntryChange) -> Iterator[str]:
    """What becomes of an LDAP entry, and what of it somebody changed by hand."""
    said = ""
    if entry.drift and entry.action != "change":
        said = f"  ({_NOT_OURS if entry.stray else 'drift: was deleted by hand'})"
    yield f"  {entry.action} entry: {entry.dn}{said}"
    if entry.action != "change":
        return
    for name in sorted(entry.attributes.keys() - {PASSWORD}):
        by_hand = "  (drift: edited by hand)" if name in entry.drift else ""
        was, will = entry.was.get(name, []), entry.attributes[name]
        yield from (f"    -{name}: {value}{by_hand}" for value in was)
        yield from (f"    +{name}: {value}" for value in will)
        if not was and by_hand:
            yield f"    {name} was removed by hand (drift)"


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - ROWS} more" if len(names) > ROWS else ""
    return ", ".join(names[:ROWS]) + more


def _cut(rows: Iterable[str]) -> Iterator[str]:
    rows = list(rows)
    yield from rows[:ROWS]
    if len(rows) > ROWS:
        yield f"    ... and {len(rows) - ROWS} more"
