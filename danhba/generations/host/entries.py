"""LDAP entries of a generation: what is there, and one batch of changes.

Only the structure belongs to danhba. A password (userPassword) and what slapd keeps by itself are
never read into an answer; a load writes none, and takes one away only from who comes back after a
withdrawal. An entry is only deleted when its mailbox is archived and removed as well, or when the
plan names it as one that somebody added by hand.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from subprocess import CompletedProcess

from danhba.generations.host import peers
from danhba.generations.host.common import GENERATIONS, UNKNOWN, Json, Refused, run, sha256
from danhba.generations.host.ldap import (
    EXTERNAL,
    HANGS,
    LONG,
    PROMPT,
    SOCKET,
    Attributes,
    parse,
    search,
    within,
)
from danhba.generations.host.lock import must_hold
from danhba.generations.host.record import noted

MODIFY = ("ldapmodify", *EXTERNAL, "-H", SOCKET)
WHOLE = ("-E", "!txn=commit")
"""ldapmodify's words for one transaction (RFC 5805), without which it may not go on."""
NO_SUCH_OBJECT = 32
"""Result code of RFC 4511: the tree is empty."""

CHUNK = 2000
"""Changes in one transaction: one commit to disk for all, 16 times as fast as one
for each at 30,000 entries; in larger ones slapd slows down again (measured)."""

CONFIG = "/etc/ldap/slapd.conf"

PASSWORD = "userPassword"
MARK = "danhba-loaded:"
"""Prefix of the description on the tree's top entry that names the last load that ended well."""


def state(question: Json) -> Json:
    """{"ready", "loaded", "entries", "stamps"}: entries (dn to attributes) come only when they are
    needed. stamps: what this host had of each (host/peers.py) before they were read.

    question: {"base": suffix, "top": dn that carries the mark, "wanted": sha256 of the tree file,
    "count": of its entries, "path": of the live tree file}.
    An answer without entries means: all is as the last load left it, and `loaded` is either wanted
    or the live tree file, so that the difference between the two files is all there is to do.
    """
    unknown = {"ready": False, "loaded": None, "entries": None, "stamps": None}
    try:
        here = peers.ask(question["base"])
    except FileNotFoundError:  # not installed yet
        return unknown
    if here["error"]:
        return unknown
    found = search("-b", question["top"], "-s", "base", "description", "entryCSN")
    loaded, stamp = _mark(found.stdout)
    known = {"ready": True, "loaded": loaded, "stamps": here["stamps"]}
    count = question["count"] if loaded == question["wanted"] else _live_count(question, loaded)
    if peers.count(question["base"]) == count and not _changed_since(question["base"], stamp):
        return {**known, "entries": None}
    if peers.is_behind(question):  # what is here now is not what there will be
        return unknown
    return {**known, "entries": dump(question["base"])}


def _live_count(question: Json, loaded: str | None) -> int | None:
    """Of the entries of the live tree file, when that is what was loaded."""
    try:
        live = Path(question["path"]).read_bytes()
    except OSError:
        return None
    return live.count(b"\n") if sha256(live) == loaded else None


def _mark(ldif: bytes) -> tuple[str | None, str]:
    """(digest of the tree that was loaded last, change number of the mark) of the top entry."""
    _, attrs = next(parse(ldif), ("", {}))
    marks = [text for text in attrs.get("description", []) if text.startswith(MARK)]
    loaded = marks[0].removeprefix(MARK) if marks else None
    return loaded, attrs.get("entryCSN", [""])[0]


def _changed_since(base: str, stamp: str) -> bool:
    """Did anybody but the users themselves change an entry since the last load?

    The mark is written last, so whatever has a later change number came after. A user's own
    password change names himself as modifier.
    """
    later = f"(&(objectClass=inetOrgPerson)(entryCSN>={stamp}))"
    done = search("-b", base, later, "modifiersName", "entryCSN")
    for dn, attrs in parse(done.stdout):
        by_self = attrs.get("modifiersName", [""])[0].lower() == dn.lower()
        if attrs.get("entryCSN", [""])[0] > stamp and not by_self:
            return True
    return False


def dump(base: str) -> dict[str, Attributes]:
    """Every entry's user attributes, without passwords."""
    done = search("-b", base, "(objectClass=*)", "*")
    if done.returncode not in (0, NO_SUCH_OBJECT):
        raise Refused(f"ldapsearch: {done.stderr.decode(errors='replace').strip()}")
    found = {}
    for dn, attrs in parse(done.stdout):
        attrs.pop(PASSWORD, None)
        found[dn] = attrs
    return found


def differences(
    wanted: dict[str, Attributes],
    there: dict[str, Attributes],
    top: str,
    last: dict[str, Attributes] | None = None,
    removed: Collection[str] = (),
    strays: Collection[str] = (),
) -> list[Json]:
    """Changes that bring `there` to `wanted`, parents first. Of entries that are not wanted
    only those of the accounts in `removed` are deleted, and `strays`, DNs that the plan is certain
    danhba never wrote.

    An empty list in "replace" removes an attribute that the directory no longer has. Who comes back
    after a withdrawal gets a new password: the old one goes in the same modification that takes the
    status away, hence with it and once, wherever a run is cut off. last: what was loaded last, None
    when that is not known; a status that it does not have was written by hand and takes nobody's
    password.
    """
    going = [dn for dn in there if dn not in wanted and (dn in strays or is_removed(dn, removed))]
    going.sort(key=lambda dn: -dn.count(","))  # what somebody put below another before that one
    changes: list[Json] = [{"dn": dn, "delete": True} for dn in going]
    for dn, attributes in wanted.items():
        if dn not in there:
            changes.append({"dn": dn, "add": attributes})
            continue
        actual = _without_mark(there[dn]) if dn == top else there[dn]
        replace = {
            name: attributes.get(name, [])
            for name in sorted(attributes.keys() | actual.keys())
            if sorted(attributes.get(name, [])) != sorted(actual.get(name, []))
        }
        if replace:
            if _is_back(replace, actual, actual if last is None else last.get(dn, {})):
                replace[PASSWORD] = []
            changes.append({"dn": dn, "replace": replace})
    return changes


def is_removed(dn: str, removed: Collection[str]) -> bool:
    """Is it the entry of one of these accounts?"""
    return dn.partition(",")[0].removeprefix("uid=") in removed


def _is_back(replace: Attributes, *before: Attributes) -> bool:
    """Does a change end a withdrawal (deploys/people.py writes the status)?"""
    withdrawn = all(each.get("employeeType") == ["withdrawn"] for each in before)
    return "employeeType" in replace and withdrawn


def _without_mark(attributes: Attributes) -> Attributes:
    kept = [text for text in attributes.get("description", []) if not text.startswith(MARK)]
    rest = {name: values for name, values in attributes.items() if name != "description"}
    return {**rest, "description": kept} if kept else rest


def ready(batch: Json, live: Json | None) -> list[str]:
    """See that LDAP can take what comes, before anything is swapped anywhere. Answers what the
    engineer should know. Raises Refused.

    batch: as for `load`, with "tree": path of the staged tree file, "touched": DNs that the plan
    changes, None when it does not know, "due": is there anything to write, "writes": is this the
    host that is going to? live: the manifest that the host has now.
    """
    if not live or not live["tree"]:
        if batch["writes"]:
            peers.must_not_be_elsewhere(batch)
        return []
    peers.wake(batch)
    if not batch["due"]:
        return []
    told = peers.catch_up(batch) if batch["writes"] else []
    _must_not_differ(batch)
    if batch["writes"]:
        _must_be_possible(batch)
    return told


ALL = "LDAP here has all changes of"
ANEW = (
    f"Fill it anew, on this host: systemctl stop {peers.UNIT}; rm -rf /var/lib/ldap/*; systemctl"
    f" start {peers.UNIT}; then apply again"
)
"""Only where the others have all changes that were made here, or they would be lost."""


def _must_not_differ(batch: Json) -> None:
    """Of hosts that have the same changes none will ever tell the other what it lacks: what is
    missing does not arrive here, and an entry that was written anew would replace the others', with
    its password. Looks at FEW entries. Raises Refused."""
    wanted = read_tree(Path(batch["tree"]).read_text())
    own = peers.ask(batch["base"])["stamps"]
    touched = (batch["touched"] or [])[:FEW]
    for peer in batch["peers"] if own and touched else ():
        if peers.ask(batch["base"], peer)["stamps"] != own:
            continue
        for dn in touched:
            here, there = _one(dn), _one(dn, peer)
            if _differs({dn: wanted[dn]} if dn in wanted else {}, here, there, batch):
                raise Refused(f"{ALL} {peer}, and still not its {dn}. {ANEW}")


def _differs(
    wanted: dict[str, Attributes],
    here: dict[str, Attributes],
    there: dict[str, Attributes],
    batch: Json,
) -> bool:
    """Of one entry. Who writes mends all but one that is only missing there."""
    if batch["writes"]:
        return bool(wanted and there and not here)
    due = [differences(wanted, found, batch["top"], None, batch["removed"])
           for found in (here, there)]  # fmt: skip
    return bool(due[0] and not due[1])


def _one(dn: str, peer: str = "") -> dict[str, Attributes]:
    """An entry without its password; nothing when there is none. Raises Refused."""
    found = search("-b", dn, "-s", "base", "*", peer=peer, limit=PROMPT)
    if found.returncode not in (0, NO_SUCH_OBJECT):
        raise Refused(f"{dn}: {found.stderr.decode(errors='replace').strip()}")
    return {
        name: {key: values for key, values in attrs.items() if key != PASSWORD}
        for name, attrs in parse(found.stdout)
    }


def _must_be_possible(batch: Json) -> None:
    """The entries that change, as they will be, by slapd's own schema (slapadd(8), -u writes
    nothing). Raises Refused with slapd's words."""
    wanted = read_tree(Path(batch["tree"]).read_text())
    touched = wanted if batch["touched"] is None else batch["touched"]
    rows = [
        _ldif({"dn": dn, "add": wanted[dn]}).replace("changetype: add\n", "")
        for dn in touched
        if dn in wanted
    ]
    if not rows:
        return
    done = run(["slapadd", "-u", "-f", CONFIG, "-b", batch["base"]], "".join(rows).encode())
    if done.returncode:
        raise Refused(done.stderr.decode(errors="replace").strip())


def load(batch: Json) -> Json:
    """Apply {"changes": [{"dn", "add"|"replace"|"delete": attributes}], "top", "wanted"} at once.

    The changes are of the tree that the plan saw ("seen": its stamps). When it is another one by
    now, or slapd did not run then (no changes), they are found here, by the same comparison.
    Interrupted midway, up to CHUNK changes have happened as a whole or not at all; of more, the
    mark still names the old load, so the next plan asks for all entries and finds what is missing.
    Answers {"told": what the engineer should know}. Raises Refused with slapd's words.
    """
    must_hold(batch["token"])
    told = peers.catch_up(batch)
    changes = batch["changes"]
    if changes is None or peers.ask(batch["base"])["stamps"] != batch["seen"]:
        changes = _anew(batch)
    if not _write(batch, changes) and not _write(batch, changes := _anew(batch)):
        _one_by_one(batch, changes)
    return {"told": told}


def _anew(batch: Json) -> list[Json]:
    """What there is to do, by what is there now."""
    wanted = read_tree(Path(batch["path"]).read_text())
    loaded, _ = _mark(search("-b", batch["top"], "-s", "base", "description").stdout)
    last = _tree_of(loaded, batch["path"])
    if last is None:  # who was withdrawn then says only the plan, which the engineer has read
        planned = batch["changes"] or []
        cleared = [each["dn"] for each in planned if PASSWORD in each.get("replace", {})]
        last = {dn: {"employeeType": ["withdrawn"]} for dn in cleared}
    there = dump(batch["base"])
    return differences(wanted, there, batch["top"], last, batch["removed"], batch["strays"])


def _tree_of(loaded: str | None, path: str) -> dict[str, Attributes] | None:
    """The tree of that digest, from the generation on this host that has it: after the swap the
    mark is still of the one before. None when there is none any more."""
    for tree in GENERATIONS.glob(f"*/files{path}"):
        content = tree.read_bytes()
        if sha256(content) == loaded:
            return read_tree(content.decode())
    return None


def _write(batch: Json, changes: list[Json]) -> bool:
    """In transactions; False when slapd refused one. Raises Refused when none can be made."""
    return not any(_modify(ldif, *WHOLE).returncode for ldif in _chunks(batch, changes))


def _modify(ldif: str, *words: str) -> CompletedProcess[bytes]:
    """ldapmodify, which slapd has LONG to answer: CHUNK changes, each flushed to disk, take a
    minute on the slowest that was measured. Raises Refused when it was cut off."""
    done = within(LONG, [*MODIFY, *words], ldif.encode())
    if done.returncode < 0:
        raise Refused(f"{UNKNOWN}ldapmodify was killed; run it again")
    if done.returncode == HANGS:
        raise Refused(
            f"{UNKNOWN}slapd here did not end a change in {LONG} s: journalctl -u {peers.UNIT},"
            f" systemctl restart {peers.UNIT}, then run it again"
        )
    return done


def _chunks(batch: Json, changes: list[Json]) -> Iterator[str]:
    """LDIF of the changes, the mark last."""
    marked = [*changes, _marking(batch["top"], batch["wanted"])]
    for first in range(0, len(marked), CHUNK):
        yield "".join(_ldif(change) for change in marked[first : first + CHUNK])


def arrived(batch: Json) -> Json:
    """Wait until the load of another people host is here, to the last entry, and whatever else the
    others have by now; heal a slapd that stands still. Answers {"told"}. Raises Refused."""
    must_hold(batch["token"])
    patience, written = peers.Patience(), peers.Standing.of(batch).theirs
    while True:
        standing = peers.Standing.of(batch)
        if _is_here(batch) and not peers.lacks(standing.own, {"stamps": written}):
            return {"told": patience.told}
        if not patience.spend(standing):
            raise Refused(_does_not_arrive(batch, standing))


def _does_not_arrive(batch: Json, standing: peers.Standing) -> str:
    """slapd 2.6.10 dies now and then when a client goes within a transaction; who copies from it
    just then may miss entries for ever, with the same stamps (seen)."""
    names, own = ", ".join(batch["peers"]), standing.own["stamps"]
    if not own or own != standing.theirs:
        return f"what {names} wrote does not arrive: danhba status"
    return f"{ALL} {names}, and still not all entries. {ANEW}"


def _is_here(batch: Json) -> bool:
    top = search("-b", batch["top"], "-s", "base", "description", "entryCSN")
    loaded, _ = _mark(top.stdout)
    return bool(loaded == batch["wanted"] and peers.count(batch["base"]) == batch["count"])


def _one_by_one(batch: Json, changes: list[Json]) -> None:
    """Of a transaction slapd does not say which change it refused; of single changes it does."""
    for ldif in _chunks(batch, changes):
        done = _modify(ldif)
        if done.returncode:
            last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
            raise Refused("\n".join([*last, done.stderr.decode(errors="replace").strip()]))


def _marking(top: str, loaded: str) -> Json:
    return {"dn": top, "replace": {"description": [MARK + loaded]}}


def _ldif(change: Json) -> str:
    lines = [_line("dn", change["dn"])]
    if "delete" in change:
        lines.append("changetype: delete")
    elif "add" in change:
        lines.append("changetype: add")
        lines += [_line(key, item) for key, items in change["add"].items() for item in items]
    else:
        lines.append("changetype: modify")
        for key, items in change["replace"].items():
            lines += [f"replace: {key}", *(_line(key, item) for item in items), "-"]
    return "\n".join(lines) + "\n\n"


def _line(key: str, value: str) -> str:
    return f"{key}:: {base64.b64encode(value.encode()).decode()}"


def passwords(request: Json) -> Json:
    """Set first passwords, all or none; plain ones never come here.

    They are good for one thing, to choose another one (pwdReset). request: {"hashes": {dn: hash},
    "replace", "base", "top", "peers", "by": who gives them}. Without "replace" an account that has
    a password keeps it. Answers {"done": dns that got one}. Raises Refused: none got one.
    """
    peers.must_agree_on_time(request)
    top = search("-b", request["top"], "-s", "base", "description", "entryCSN")
    loaded, stamp = _mark(top.stdout)
    untouched = loaded is not None and not _changed_since(request["base"], stamp)
    has = _with_password(list(request["hashes"]), request["base"])  # all exist, before any is set
    done = [dn for dn in request["hashes"] if request["replace"] or dn not in has]
    changes = [
        {"dn": dn, "replace": {PASSWORD: [request["hashes"][dn]], "pwdReset": ["TRUE"]}}
        for dn in done
    ]
    if untouched:  # our own change is no reason to look at the whole tree next time
        changes.append(_marking(request["top"], str(loaded)))
    if done:
        people = [dn.partition(",")[0].partition("=")[2] for dn in done]
        facts = {"who": request["by"], "accounts": people, "replaced": bool(request["replace"])}
        with noted("passwords", **facts):
            _give(changes)
    return {"done": done}


def _give(changes: list[Json]) -> None:
    given = _modify("".join(map(_ldif, changes)), *WHOLE)
    if given.returncode:
        raise Refused(f"ldapmodify: {given.stderr.decode(errors='replace').strip()}")


def credentials(request: Json) -> Json:
    """{"with": which of request["dns"] have a password}. Raises Refused when one is missing."""
    return {"with": sorted(_with_password(request["dns"], request["base"]))}


FEW = 20
"""So many entries are asked for one by one; more, and two looks at the whole tree are sooner."""


def _with_password(dns: list[str], base: str) -> set[str]:
    if len(dns) < FEW:
        return {dn for dn in dns if _has_password(dn)}
    there = _names(base, "(objectClass=inetOrgPerson)")
    if missing := [dn for dn in dns if dn not in there]:
        raise Refused(f"{missing[0]} is not on the servers yet: apply first; no password was set")
    return _names(base, "(userPassword=*)").intersection(dns)


def _names(base: str, wanted: str) -> set[str]:
    """DNs of entries that a search finds."""
    found = search("-b", base, wanted, "1.1")
    if found.returncode:
        raise Refused(f"ldapsearch: {found.stderr.decode(errors='replace').strip()}")
    return {dn for dn, _ in parse(found.stdout)}


def _has_password(dn: str) -> bool:
    found = search("-b", dn, "-s", "base", "(userPassword=*)", "1.1")
    if found.returncode == NO_SUCH_OBJECT:
        raise Refused(f"{dn} is not on the servers yet: apply first; no password was set")
    if found.returncode:
        raise Refused(f"{dn}: {found.stderr.decode(errors='replace').strip()}")
    return bool(found.stdout.strip())


def read_tree(text: str) -> dict[str, Attributes]:
    """A tree file: one JSON object a line, parents before children."""
    rows = (json.loads(line) for line in text.splitlines() if line)
    return {row["dn"]: row["attrs"] for row in rows}
