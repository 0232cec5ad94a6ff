"""What a host remembers of the chain on the vault: fetched every hour, never replaced.

Roots are kept each in a file as they came, hourly ends in one file, a line each, and so is which
years of retention were applied since when. What contradicts what is remembered is kept beside it
and told (health): somebody took back what had been written.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import entry
from .roots import all_of as roots_of
from .roots import is_signed, is_whole, replace
from .roots import write as write_root

_PATIENCE = 60
_OLD = 4 * 3600
"""Seconds after which a fetch that should come every hour is missed."""
_PARTS = 3600


class Memory:
    """Of a host. folder: its own."""

    def __init__(self, folder: Path, public: bytes) -> None:
        self.roots, self.ends, self.refused, self.years, self.damaged = (
            folder / "roots", folder / "ends", folder / "refused", folder / "years",
            folder / "damaged",
        )  # fmt: skip
        self._public = public

    def take(self, answer: Mapping[str, Any], now: float) -> None:
        """What the vault said: {"end": {"n", "hash"}, "roots": {name: signed root}}."""
        for name, signed in sorted(answer["roots"].items()):
            self._root(str(name), signed, now)
        self._end(answer["end"], now)

    def _root(self, name: str, signed: Mapping[str, Any], now: float) -> None:
        path = self.roots / f"{name}.json"
        said = entry.line(signed) + b"\n"
        if not name.isalnum() or not is_signed(signed, self._public):
            self._refuse(f"a root that nobody signed: {said.decode()}", now)
        elif not path.exists():
            write_root(self.roots, name, signed)
        elif (there := path.read_bytes()) != said:
            if is_whole(there) or not said.startswith(there.rstrip(b"\0")):
                self._refuse(f"another root {name}: {said.decode()}", now)
            else:
                self._mend(path, said)

    def _mend(self, path: Path, said: bytes) -> None:
        """Of what a power cut left of a root (earlier versions wrote them in place) this is the
        rest. The part stays, as evidence."""
        self.damaged.mkdir(mode=0o700, exist_ok=True)
        replace(self.damaged / path.name, path.read_bytes())
        replace(path, said)

    def _end(self, end: Mapping[str, Any], now: float) -> None:
        n, hashed = int(end["n"]), str(end["hash"])
        last = self.last
        if last and n < last["n"]:
            self._refuse(f"an end of the chain at entry {n}, and it had {last['n']}", now)
        elif last and n == last["n"] and hashed != last["hash"]:
            self._refuse(f"another entry {n} than the one that was there: {hashed}", now)
        elif not last or n > last["n"]:
            _append(self.ends, {"n": n, "hash": hashed, "time": entry.stamp(now)})
        else:
            os.utime(self.ends, (now, now))

    def _refuse(self, why: str, now: float) -> None:
        _append(self.refused, {"why": why.strip(), "time": entry.stamp(now)})

    def apply(self, years: Mapping[str, int], before: int, now: float) -> None:
        """Years that are applied, by this host's own generation (Rules.years): since some entry
        between the end that was known `before` and the one that is known now."""
        rows, last = _rows(self.years), self.last
        if last and not (rows and rows[-1]["years"] == years):
            # Since when they were applied that were found the first time nobody here can say.
            after = before if rows else last["n"]
            row = {"after": after, "n": last["n"], "years": years, "time": entry.stamp(now)}
            _append(self.years, row)

    @property
    def last(self) -> dict[str, Any] | None:
        """The newest end."""
        found = _rows(self.ends)
        return found[-1] if found else None

    @property
    def newest(self) -> str:
        """Name of the newest root before the first of which there is only a part: what comes after
        it is asked for."""
        last = ""
        for path in sorted(self.roots.glob("*.json")):
            if not is_whole(path.read_bytes()):
                break
            last = path.stem
        return last

    def all(self) -> Iterator[tuple[int, str, str]]:
        """Number and hash of entries, and the day of a root, "" for an hourly end."""
        for _, signed in roots_of(self.roots):
            said = signed["root"]
            yield int(said["n"]), str(said["hash"]), str(said["day"])
        for row in _rows(self.ends):
            yield int(row["n"]), str(row["hash"]), ""

    def applied(self) -> Iterator[dict[str, Any]]:
        """Of policy.Years what this host remembers: "after", "n", "years"."""
        for row in _rows(self.years):
            yield {key: row[key] for key in ("after", "n", "years")}

    def health(self, vault: str, now: float) -> Iterator[str]:
        """For Part.health."""
        for row in _rows(self.refused)[-3:]:
            yield (
                f"the archive on {vault} contradicts what was remembered here"
                f" ({row['time']}): {row['why']}: danhba archive verify"
            )
        seen = self.ends.stat().st_mtime if self.ends.exists() else None
        if seen is None:
            yield f"nothing is known of the archive on {vault} yet: systemctl start danhba-roots"
        elif now - seen > _OLD:
            hours = (now - seen) / _PARTS
            yield (
                f"the end of the archive on {vault} was last seen {hours:.1f} hours ago:"
                " journalctl -u danhba-roots"
            )


def fetch(config: Mapping[str, Any], memory: Memory, now: float) -> None:
    """Ask the vault, and remember. Raises OSError, ValueError."""
    context = ssl.create_default_context(cafile=config["authority"])
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    key = f"{os.environ['CREDENTIALS_DIRECTORY']}/host.key"
    context.load_cert_chain(config["certificate"], key)
    line = http.client.HTTPSConnection(
        config["vault"], config["port"], timeout=_PATIENCE, context=context
    )
    try:
        line.request("GET", f"/{memory.newest}")
        answer = line.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise OSError(f"{config['vault']} answers {answer.status}: {said.decode()[:200]}")
        before = memory.last or {"n": 0}
        memory.take(json.loads(said), now)
        memory.apply(config["years"], before["n"], now)
    except http.client.HTTPException as error:
        raise OSError(f"{config['vault']}: {error}") from None
    finally:
        line.close()


def open_of(config: Mapping[str, Any]) -> Memory:
    """A host's own."""
    return Memory(Path(config["state"]), bytes.fromhex(config["public"]))


def remember(config: Mapping[str, Any]) -> Iterator[str]:
    """Of the timer. Raises OSError, ValueError."""
    fetch(config, open_of(config), time.time())
    yield from ()


def remembered(config: Mapping[str, Any]) -> Iterator[str]:
    """For danhba archive verify: a line of JSON each, number, hash, day; and of Memory.applied."""
    memory = open_of(config)
    return (json.dumps(each) for each in (*memory.all(), *memory.applied()))


def health(config: Mapping[str, Any]) -> Iterator[str]:
    """For Part.health."""
    return open_of(config).health(config["vault"], time.time())


WORK: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "remember": remember,
    "remembered": remembered,
    "memory": health,
}
"""By the word of the command line."""


def _append(path: Path, row: Mapping[str, Any]) -> None:
    opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with open(opened, "r+b") as file:
        file.seek(file.read().rfind(b"\n") + 1)  # of a line that was cut off nothing stays
        file.truncate()
        file.write(entry.line(row) + b"\n")
        file.flush()
        os.fsync(opened)


def _rows(path: Path) -> list[dict[str, Any]]:
    """A line that a power cut has cut short is none."""
    raw = path.read_bytes() if path.exists() else b""
    return [json.loads(row) for row in raw.splitlines(keepends=True) if row.endswith(b"\n")]
