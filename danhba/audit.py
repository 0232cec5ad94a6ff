"""What was done to the mail system, by whom and when, in one timeline from records that only grow.

Each host records what steps do there (danhba/generations/host/record.py); beside that there are the
record of keepers' logins, that of incidents, that of restore drills, and the chain of the archive,
which says who read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from danhba.keeper_log import Opening

Lines = Mapping[str, Iterable[Iterable[Mapping[str, Any]]]]
"""By host, as its records have them: a machine that was rebuilt has those of before as well, and
the lines of each are numbered from 1."""


@dataclass(frozen=True)
class Event:
    """when: with time zone. kind: apply, rollback, move, ... passwords, keeper, incident, lockout,
    read, expired, hold, clock. who: as the record names him, "" for nobody. what: in words. hosts:
    where. facts: all that is recorded."""

    when: datetime
    kind: str
    who: str
    what: str
    hosts: tuple[str, ...]
    facts: Mapping[str, Any] = field(compare=False)


def events(
    records: Lines,
    keepers: Iterable[Opening] = (),
    incidents: Iterable[Mapping[str, Any]] = (),
    chain: Iterable[Mapping[str, Any]] = (),
    drills: Iterable[Mapping[str, Any]] = (),
) -> list[Event]:
    """All of them, by time."""
    found = [*_of_records(records), *map(_opening, keepers), *_incidents(incidents)]
    found += map(_chain, chain)
    found += map(_drill, drills)
    return sorted(found, key=lambda each: (each.when, each.kind, each.what))


# What steps did


@dataclass
class _Run:
    """From a lock to its end on one host. ends: when another could begin; over: it has ended;
    taken: its lock was taken over. swaps: with what became of each."""

    host: str
    begun: Mapping[str, Any]
    ends: datetime
    over: bool = False
    taken: bool = False
    swaps: list[dict[str, Any]] = field(default_factory=list)
    mailboxes: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def starts(self) -> datetime:
        return _time(self.begun)


def _of_records(records: Lines) -> Iterator[Event]:
    runs: list[_Run] = []
    for host, lines in ((host, [*one]) for host, several in records.items() for one in several):
        runs += _runs(host, lines)
        for line in lines:
            if line["what"] not in _OF_RUNS:
                yield _alone(host, line, lines)
    for several in _together(runs):
        yield _run_event(several)


_OPEN = datetime.max.replace(tzinfo=UTC)
_OF_RUNS = ("begun", "swap", "live", "mailbox", "ended", "failed")


def _runs(host: str, lines: list[Mapping[str, Any]]) -> Iterator[_Run]:
    run: _Run | None = None
    for line in lines:
        what = line["what"]
        if what == "begun":
            if run:
                run.taken, run.ends = bool(line.get("over")), _time(line)
                yield run
            run = _Run(host, line, _time(line))
        elif run and line.get("token") == run.begun["token"]:
            _add(run, line)
            if run.over:
                yield run
                run = None
        elif run and what == "failed":
            _fail(run, line)
    if run:
        run.ends = _OPEN
        yield run


def _add(run: _Run, line: Mapping[str, Any]) -> None:
    run.ends, what = _time(line), line["what"]
    if what == "swap":
        run.swaps.append({**line, "host": run.host, "outcome": "not known"})
    elif what == "live" and run.swaps:
        run.swaps[-1]["outcome"] = "live"
    elif what == "mailbox":
        run.mailboxes.append(line)
    elif what == "ended":
        run.over = True


def _fail(run: _Run, line: Mapping[str, Any]) -> None:
    for swap in run.swaps:
        if swap["n"] == line["of"]:
            swap["outcome"] = f"failed: {line['why']}"
    run.mailboxes = [each for each in run.mailboxes if each["n"] != line["of"]]


def _together(runs: list[_Run]) -> Iterator[list[_Run]]:
    """Of all hosts, what was one: of one process, with locks held at the same time."""
    by_token: dict[str, list[_Run]] = {}
    for run in sorted(runs, key=lambda each: each.starts):
        by_token.setdefault(run.begun["token"], []).append(run)
    for several in by_token.values():
        group: list[_Run] = []
        for run in several:
            if group and run.starts > max(each.ends for each in group):
                yield group
                group = []
            group.append(run)
        yield group


def _run_event(runs: list[_Run]) -> Event:
    first = runs[0].begun
    swaps = [swap for run in runs for swap in run.swaps]
    hosts = tuple(sorted(run.host for run in runs))
    facts = {
        "command": first.get("command", ""),
        "revisions": sorted({str(swap["revision"]) for swap in swaps}),
        "swaps": {
            swap["host"]: {key: swap[key] for key in ("from", "to", "outcome")} for swap in swaps
        },
        "mailboxes": [
            {"host": run.host, "account": each["account"], "action": each["action"]}
            for run in runs
            for each in run.mailboxes
        ],
        "not_ended": sorted(run.host for run in runs if not run.over),
        "taken_over": sorted(run.host for run in runs if run.taken),
    }
    return Event(runs[0].starts, _kind(first), str(first["who"]), _run_words(facts), hosts, facts)


def _kind(begun: Mapping[str, Any]) -> str:
    """What it was, or the command that did it: `danhba --directory d.yaml rollback staging`."""
    if begun.get("undoes"):
        return "rollback"
    if does := begun.get("does"):
        return str(does)
    words = _WITH_DIRECTORY.sub(r"\1 ", str(begun.get("command", ""))).split()
    named = len(words) > 1 and words[0] in ("danhba", "__main__.py")
    return words[1] if named and _COMMAND.fullmatch(words[1]) else "apply"


_WITH_DIRECTORY = re.compile(r"^(\S+)\s+--directory[ =](?:'[^']*'|\S)+\s+")
_COMMAND = re.compile(r"[a-z][a-z-]*")


def _run_words(facts: Mapping[str, Any]) -> str:
    parts = []
    by_outcome: dict[str, list[str]] = {}
    for host, swap in sorted(facts["swaps"].items()):
        said = f"{swap['to'][:12]} {swap['outcome']}"
        by_outcome.setdefault(said, []).append(host)
    if facts["revisions"]:
        parts.append(f"revision {', '.join(each[:13] for each in facts['revisions'])}")
    parts += [f"{', '.join(hosts)}: {said}" for said, hosts in by_outcome.items()]
    if not facts["swaps"]:
        parts.append("no generation swapped")
    for each in facts["mailboxes"]:
        parts.append(f"{each['host']}: mailbox {each['account']}: {each['action']}")
    for host in facts["not_ended"]:
        rest = "and the next run took the lock over" if host in facts["taken_over"] else (
            "or it is still at work"
        )  # fmt: skip
        parts.append(f"{host}: NOT ENDED: cut off, {rest}")
    return "; ".join(parts)


def _alone(host: str, line: Mapping[str, Any], lines: list[Mapping[str, Any]]) -> Event:
    """Something that holds no lock."""
    failed = [each for each in lines if each["what"] == "failed" and each.get("of") == line["n"]]
    words = _WORDS.get(line["what"], _plain)(line)
    if failed:
        words = f"FAILED: {words}: {failed[0]['why']}"
    kind = {"lifted": "lockout"}.get(line["what"], line["what"])
    facts = {key: value for key, value in line.items() if key not in ("n", "prev", "time", "what")}
    return Event(_time(line), kind, str(line.get("who", "")), words, (host,), facts)


def _passwords(line: Mapping[str, Any]) -> str:
    accounts = line["accounts"]
    sort = "new password" if line["replaced"] else "first password"
    some = ", ".join(accounts[:_FEW]) + (", ..." if len(accounts) > _FEW else "")
    return f"{sort} for {len(accounts)}: {some}"


def _lifted(line: Mapping[str, Any]) -> str:
    return f"lifted for {line.get('account') or 'all'} {line.get('source', '')}".strip()


def _plain(line: Mapping[str, Any]) -> str:
    own = ("n", "prev", "time", "what", "who")
    return ", ".join(f"{key} {value}" for key, value in line.items() if key not in own)


_WORDS = {"passwords": _passwords, "lifted": _lifted}
_FEW = 5


def _time(line: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(line["time"]).replace("Z", "+00:00"))


# What other records have


def _opening(found: Opening) -> Event:
    did = "opened" if found.opened else "was refused"
    words = f"{did} {found.agency} by {found.protocol} from {found.client}"
    facts = {**vars(found), "when": found.when.isoformat()}
    return Event(found.when, "keeper", found.keeper or "(none)", words, (found.store,), facts)


def _incidents(incidents: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    for each in incidents:
        for what, event in each["events"].items():
            when = datetime.fromtimestamp(event["at"], UTC)
            words = f"{each['account']} {_INCIDENT.get(what, what)}, {each['id']}"
            if what == "opened":
                words += f": {each['why']}"
            host = (str(event["host"]),) if event.get("host") else ()
            yield Event(when, "incident", str(event.get("by", "")), words, host, dict(event))


_INCIDENT = {"opened": "suspended", "released": "released", "told": "told of",
             "merged": "seen twice"}  # fmt: skip


def _chain(entry: Mapping[str, Any]) -> Event:
    case = f", case {entry['case']}" if entry.get("case") else ""
    why = f": {entry['why']}" if entry.get("why") else ""
    words = f"archive, entry {entry['n']}: {entry.get('what', entry['kind'])}{case}{why}"
    return Event(
        _time(entry), entry["kind"], str(entry.get("who", "")), words, ("vault",), dict(entry)
    )


def _drill(line: Mapping[str, Any]) -> Event:
    became = "good" if line["good"] else f"FAILED: {'; '.join(line['told'])}"
    words = f"{line['name']}, {line['mailboxes']} mailboxes restored: {became}"
    when = datetime.fromisoformat(line["ended"])
    return Event(when, "drill", line["by"] or "(timer)", words, (str(line["host"]),), dict(line))
