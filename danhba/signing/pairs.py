"""Pairs of keys, one for each algorithm, and what is known of them: all of it on this edge."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fcntl import LOCK_EX, flock
from pathlib import Path

KINDS = ("rsa", "ed25519")
"""RFC 8301 3.2: RSA of 2048 bits; RFC 8463. A receiver that lacks the one knows the other."""


@dataclass
class Pair:
    """made, seen, ended: seconds since 1970. public: of each kind the p= of its record (RFC 6376
    3.6.1). seen: since when every name server shows both records, 0 when they do not. wait: seconds
    from then until no resolver remembers that there was none. ended: last signature, 0 when it is
    still used, or will be."""

    name: str
    made: int
    public: dict[str, str]
    seen: int = 0
    wait: int = 0
    ended: int = 0

    def selector(self, kind: str) -> str:
        return f"{self.name}-{kind}"


@dataclass
class Keys:
    """signing: name of the pair in use. pairs: by age. templates/rspamd/signing.lua reads both for
    each message, so that what is written here whole counts at once."""

    signing: str = ""
    pairs: list[Pair] = field(default_factory=list)

    def current(self) -> Pair | None:
        return next((pair for pair in self.pairs if pair.name == self.signing), None)

    def next(self) -> Pair | None:
        """What is to be used once the name servers show it."""
        waiting = (pair for pair in self.pairs if pair.name != self.signing and not pair.ended)
        return next(waiting, None)

    def former(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair.ended]


@dataclass(frozen=True)
class Home:
    """place: directory of keys and state. host: name of this edge. user: who signs."""

    place: Path
    host: str
    domain: str
    user: str

    @property
    def _state(self) -> Path:
        return self.place / "state.json"

    def read(self) -> Keys:
        """Raises ValueError when it is no state: nobody then knows what the zone must hold."""
        try:
            found = json.loads(self._state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Keys()
        return Keys(found["signing"], [Pair(**pair) for pair in found["pairs"]])

    def write(self, keys: Keys) -> None:
        """At once and whole, also when the power fails."""
        text = json.dumps(asdict(keys), indent=1) + "\n"
        fresh = self.place / ".state.new"
        with fresh.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        fresh.chmod(0o644)
        fresh.rename(self._state)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One at a time: two rotations would make two pairs."""
        self.place.mkdir(mode=0o711, parents=True, exist_ok=True)
        with (self.place / ".lock").open("w") as lock:
            flock(lock, LOCK_EX)
            yield

    def key(self, pair: Pair, kind: str) -> Path:
        return self.place / pair.name / f"{kind}.key"

    def make(self) -> Pair:
        """A pair with a name that no other ever had: by it a record in DNS is known for good, also
        when this host was set up anew. The caller writes it down."""
        now = time.time()
        day = time.strftime("%Y%m%d", time.localtime(now))
        name = f"{self.host}-{day}-{secrets.token_hex(3)}"
        folder = self.place / name
        folder.mkdir(mode=0o711)
        public = {kind: self._generate(folder / f"{kind}.key", kind) for kind in KINDS}
        return Pair(name, int(now), public)

    def _generate(self, path: Path, kind: str) -> str:
        """rspamd's own tool; it prints the public half. Whoever signs reads the file, and nobody
        else; nobody writes it."""
        argv = ["rspamadm", "dkim_keygen", "-t", kind, "-b", "2048", "-o", "plain", "-k", str(path)]
        done = subprocess.run(argv, umask=0o077, check=True, capture_output=True, text=True)
        path.chmod(0o400)
        shutil.chown(path, user=self.user)
        with path.open("rb") as written:
            os.fsync(written.fileno())
        return done.stdout.strip()

    def usable(self, pair: Pair) -> bool:
        """Whether rspamd can sign with both keys."""
        paths = (self.key(pair, kind) for kind in KINDS)
        return all(path.is_file() and path.owner() == self.user for path in paths)

    def sweep(self, keys: Keys, now: float) -> None:
        """Keys that nobody signs with any more, and what was left half made. A message that is
        being signed has half a minute (rspamd.conf, task_timeout)."""
        known = {pair.name for pair in keys.pairs if not pair.ended or pair.ended > now - 300}
        for path in self.place.iterdir():
            if path.is_dir() and path.name not in known:
                shutil.rmtree(path)
