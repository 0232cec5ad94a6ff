"""What the control machine asks of the archive; each question is one run of this program."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from . import desk, entry, roots
from .begun import missing
from .chain import JournalError
from .expiry import Rules, due, expire, is_unfinished
from .indexed import unlike
from .policy import Policy
from .pour import pour, reader
from .proof import Mark, proofs
from .search import search
from .selection import Selection
from .told import told
from .verify import Memory, sentences, verify

_LINE = 8192
"""Characters: danhba/generations/host/main.py says why."""

Json = dict[str, Any]


def contents(config: Mapping[str, Any]) -> int:
    """Messages, from standard input's request to standard output's frames (pour.py)."""
    return _or_say(
        lambda: pour(Path(config["root"]), desk.noted, sys.stdin.buffer, sys.stdout.buffer)
    )


def entries(config: Mapping[str, Any]) -> int:
    """What the chain says that is no message, a line each, from standard input's time on."""

    def say() -> None:
        for found in told(Path(config["root"]), sys.stdin.readline().strip()):
            print(json.dumps(found))

    return _or_say(say)


def ask(config: Mapping[str, Any]) -> int:
    """Answer the question on standard input, {"ask": one of QUESTIONS, ...}."""

    def answer() -> None:
        question = json.load(sys.stdin)
        print(_packed(QUESTIONS[question["ask"]](config, question)))

    return _or_say(answer)


def _search(config: Mapping[str, Any], question: Json) -> Json:
    """Who, what: Selection.of. The search is in the chain before its answer is said."""
    selection = Selection.of(question)
    who = reader({"why": "danhba archive search", **question})
    desk.noted(entry.READ, who | {"what": "index", **selection.words})
    return search(Path(config["root"]), selection)


def _verify(config: Mapping[str, Any], question: Json) -> Json:
    """ "memories": [hosts, n, hash, day] each; "rules", "asked", "applied": Policy.of; "since": the
    day of the first segments to read, "" for all. The daemon writes an entry first, by the last
    hash as it knows it: a newest line that was changed contradicts it."""
    who = reader({"why": "danhba archive verify", **question})
    last = desk.noted(entry.READ, who | {"what": "proof"})
    began = time.monotonic()
    memories = (Memory(*each) for each in question["memories"])
    root = Path(config["root"])
    report = verify(root, memories, Policy.of(question), question["since"])
    return {
        "findings": [*sentences(report), *unlike(root, last, question["since"])],
        **{key: value for key, value in asdict(report).items() if key not in _OF_OBJECTS},
        "removed": [[*rule, count] for rule, count in sorted(report.removed.items())],
        "seconds": time.monotonic() - began,
    }


_OF_OBJECTS = ("findings", "removed")


def _due(config: Mapping[str, Any], question: Json) -> Json:
    """ "rules": of the manifest, "day"."""
    root, (rules, day) = Path(config["root"]), _rules(config, question)
    return {
        "due": [each.words for each in due(root, rules, day)],
        "unfinished": is_unfinished(root),
    }


def _expire(config: Mapping[str, Any], question: Json) -> Json:
    """Likewise, and "who", "expiries": [{"segment", "class"}]."""
    root, (rules, day) = Path(config["root"]), _rules(config, question)
    if day > datetime.now(rules.zone).date():
        raise JournalError(f"it is not {day} here yet: nothing was removed; see timedatectl")
    return {"gone": expire(root, rules, day, question["expiries"], question["who"], desk.noted)}


def _rules(config: Mapping[str, Any], question: Json) -> tuple[Rules, date]:
    kinds = json.loads(Path(config["classes"]).read_text(encoding="utf-8"))["kinds"]
    return Rules.of(question["rules"], kinds), date.fromisoformat(question["day"])


def _proof(config: Mapping[str, Any], question: Json) -> Json:
    """Of "entries", by number: which root each is below, and the way there (proof.py); the roots
    themselves. Only hashes are told."""
    root = Path(config["root"])
    found = dict(roots.all_of(root / roots.FOLDER))
    marks = [
        Mark(said["first"], said["n"], name, said["tree"])
        for name, said in ((name, signed["root"]) for name, signed in found.items())
        if said["tree"]
    ]
    proven = proofs(root, marks, question["entries"])
    used = {each["root"] for each in proven.values()}
    return {"proofs": proven, "roots": {name: found[name] for name in sorted(used)}}


def _end(config: Mapping[str, Any], question: Json) -> Json:
    """Of a journal that came back from a backup: its last entry. Roots of what is lost are put
    beside, or the next one would begin after them."""
    root = Path(config["root"])
    n, _ = roots.end(root)
    roots.set_aside(root / roots.FOLDER, root / f"{roots.FOLDER}.lost", n)
    return {"end": n}


def _restored(config: Mapping[str, Any], question: Json) -> Json:
    """ "end": as `_end` said; "hosts": whose memories begin anew after it; "who"."""
    what = f"restored at entry {question['end']}: memories begin anew on {question['hosts']}"
    return {"n": desk.noted(entry.RESTORED, {"who": question["who"], "what": what})}


QUESTIONS: dict[str, Callable[[Mapping[str, Any], Json], Json]] = {
    "search": _search,
    "verify": _verify,
    "due": _due,
    "expire": _expire,
    "proof": _proof,
    "end": _end,
    "restored": _restored,
}


def _packed(answer: Json) -> str:
    text = base64.b64encode(zlib.compress(json.dumps(answer).encode())).decode()
    return "\n".join(text[at : at + _LINE] for at in range(0, len(text), _LINE))


def _or_say(work: Callable[[], None]) -> int:
    try:
        work()
    except (JournalError, OSError, ValueError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def sign(config: Mapping[str, Any]) -> int:
    """A root of this moment; the seed is this unit's own."""

    def work() -> None:
        if why := missing(config):
            raise JournalError(why)
        seed = bytes.fromhex(Path(f"{os.environ['CREDENTIALS_DIRECTORY']}/sign").read_text())
        roots.sign(Path(config["root"]), seed, config["timezone"], time.time())

    return _or_say(work)


WORK: dict[str, Callable[[Mapping[str, Any]], int]] = {
    "ask": ask,
    "pour": contents,
    "told": entries,
    "sign": sign,
}
"""By the word of the command line."""
