"""One step of a rotation, or none: what is due is seen from what is there, so that a rotation that
was cut off goes on when it is called again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from . import records
from .pairs import KINDS, Home, Keys, Pair
from .servers import NoAnswer, Said, ask

_DAY = 24 * 3600
RECENT = 7 * _DAY
"""A pair that signs for less time is not rotated again: who calls twice rotates once."""
KEPT = 30 * _DAY
"""From the last signature on the record stays that long. A message waits up to five days here, and
as long at each server on its way (RFC 5321 4.5.4.1); programs of users look at signatures again."""


@dataclass(frozen=True)
class View:
    """trouble: why DNS could not be asked. missing: of each pair the servers that lack a record of
    it. there: names of pairs of which some server has one."""

    trouble: str
    missing: dict[str, list[str]]
    there: set[str]
    ttl: int


def look(home: Home, keys: Keys) -> View:
    """What DNS has of all pairs."""
    names = [
        records.name(pair.selector(kind), home.domain) for pair in keys.pairs for kind in KINDS
    ]
    try:
        said = ask(names)
    except NoAnswer as error:
        return View(str(error), {}, set(), 0)
    missing = {pair.name: sorted({each.server for each in said if not _has(home, each, pair)})
               for pair in keys.pairs}  # fmt: skip
    there = {pair.name for pair in keys.pairs for each in said if _any(home, each, pair)}
    return View("", missing, there, max((each.ttl for each in said), default=0))


def _has(home: Home, said: Said, pair: Pair) -> bool:
    return all(
        records.shows(said.texts[records.name(pair.selector(kind), home.domain)], kind, public)
        for kind, public in pair.public.items()
    )


def _any(home: Home, said: Said, pair: Pair) -> bool:
    return any(said.texts[records.name(pair.selector(kind), home.domain)] for kind in KINDS)


def first(home: Home) -> None:
    """The pair of an edge that never had one. It signs at once: a signature that nobody can check
    yet counts as none (RFC 6376 6.1), and there is no other."""
    keys = home.read()
    if keys.pairs:
        return
    home.sweep(keys, time.time())
    pair = home.make()
    home.write(Keys(pair.name, [pair]))


def rotate(home: Home, again: bool) -> list[str]:
    """Do what is due; what was done, in words. again: also when the pair in use is young."""
    keys, now, done = home.read(), time.time(), []
    if keys.next() is None and _is_due(home, keys, now, again):
        home.sweep(keys, now)
        keys.pairs.append(home.make())
        home.write(keys)
        done.append(f"made {keys.pairs[-1].name}")
    view = look(home, keys)
    if (pair := keys.next()) is not None:
        done += _towards(home, keys, pair, view, now)
    done += _forget(home, keys, view, now)
    home.sweep(keys, now)
    return done


def _is_due(home: Home, keys: Keys, now: float, again: bool) -> bool:
    current = keys.current()
    if again or current is None or not home.usable(current):
        return True
    # A rotation ends when the records of the pair before are gone.
    return not keys.former() and _since(keys, current) < now - RECENT


def _since(keys: Keys, current: Pair) -> int:
    """Since when a pair signs: the last one ended then."""
    return max([current.made, *(pair.ended for pair in keys.pairs)])


def _towards(home: Home, keys: Keys, pair: Pair, view: View, now: float) -> list[str]:
    """To the switch: only when every server has shown the records for so long that no resolver
    remembers that they were not there."""
    shown = not view.trouble and not view.missing[pair.name]
    if not shown:
        pair.seen = 0
    elif not pair.seen:
        pair.seen, pair.wait = int(now), view.ttl
    if shown and now >= pair.seen + pair.wait:
        if (last := keys.current()) is not None:
            last.ended = int(now)
        keys.signing = pair.name
        home.write(keys)
        return [f"signs with {pair.name}"]
    home.write(keys)
    return []


def _forget(home: Home, keys: Keys, view: View, now: float) -> list[str]:
    """Retired pairs of which DNS has no record any more."""
    gone = [pair for pair in keys.former() if retired(pair, now)
            and not view.trouble and pair.name not in view.there]  # fmt: skip
    if gone:
        keys.pairs = [pair for pair in keys.pairs if pair not in gone]
        home.write(keys)
    return [f"forgot {pair.name}" for pair in gone]


def retired(pair: Pair, now: float) -> bool:
    return bool(pair.ended) and pair.ended < now - KEPT


def state(home: Home, keys: Keys, view: View, now: float) -> list[dict[str, object]]:
    """Of each pair what an engineer is to know and to do."""
    return [
        {
            "name": pair.name,
            "role": _role(keys, pair, now),
            "since": _since(keys, pair) if pair.name == keys.signing else pair.ended or pair.made,
            "usable": bool(pair.ended) or home.usable(pair),
            "records": {
                records.name(pair.selector(kind), home.domain): records.text(kind, public)
                for kind, public in pair.public.items()
            },
            "missing": view.missing.get(pair.name, []),
            "there": pair.name in view.there,
            "left": max(0, int(pair.seen + pair.wait - now) + 1) if pair.seen else None,
            "until": pair.ended + KEPT if pair.ended else None,
        }
        for pair in keys.pairs
    ]


def _role(keys: Keys, pair: Pair, now: float) -> str:
    if pair.name == keys.signing:
        return "signing"
    if not pair.ended:
        return "next"
    return "retired" if retired(pair, now) else "former"


def troubles(home: Home, keys: Keys) -> Sequence[str]:
    """For `danhba status`, as Part.health has it."""
    view = look(home, keys)
    current = keys.current()
    if current is None or not home.usable(current):
        return ["no key to sign with (DKIM), so no mail is sent here: danhba dkim rotate ENV"]
    if view.trouble:
        return [f"ok: DKIM: {view.trouble}"]
    lines = []
    if lacking := view.missing[current.name]:
        lines.append(f"{', '.join(lacking)} lacks the DKIM records of {current.name}:"
                     " danhba dkim show ENV")  # fmt: skip
    if (pair := keys.next()) is not None:
        lines.append(f"ok: DKIM: {pair.name} waits to be used: danhba dkim rotate ENV")
    now = time.time()
    lines += [f"ok: DKIM: take the records of {pair.name} out of DNS" for pair in keys.former()
              if retired(pair, now)]  # fmt: skip
    return lines
