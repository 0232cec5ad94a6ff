"""LDAP: a load from empty and a batch of changes, with and without replication, beside ldap-utils.

Takes the people away that are on the lab; an apply brings them back, without passwords.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from province import wait_for

from benchmarks.applied import Applied
from benchmarks.timing import Sample
from danhba.generations import remote
from danhba.generations.host.common import sha256
from danhba.generations.host.entries import _ldif
from danhba.owner import me
from deploys.common import TREE, suffix
from deploys.people import tree
from staging.shell import say

CONFIG = "/etc/ldap/slapd.conf"
CHANGES = 500
BARE = re.compile(
    r'^database mdb\nsuffix "cn=log".*?(?=^database mdb\nsuffix "dc=)|^syncrepl .*?(?=^\S)'
    r"|^multiprovider on\n|^overlay accesslog\n.*?^logpurge[^\n]*\n|^moduleload accesslog\n",
    re.DOTALL | re.MULTILINE,
)
"""What of the configuration is there for replication."""

PATH = Path(__file__).with_name("people.md")
HEAD = """\
Seconds: median (least–most; number of runs), of the whole command, the connection to the host
included, which all have alike. danhba's are the steps of an apply: transactions, and the mark that
all is there; replicated: until the second people host has the last entry. One host: no log of
changes is kept, no other host has to be told; so it is for ldap-utils. slapadd writes the database
while slapd is down, and leaves the other host to be told."""

_DANHBA = "danhba, one host"
_REPLICATED = "danhba, replicated and arrived"
_PLAIN = "ldapmodify without a transaction"
_EACH = "ldapmodify for each"
_OFFLINE = "slapadd -q, slapd down"


class Bench:
    """One tree, and two people hosts to put it on."""

    def __init__(self, on: Applied) -> None:
        text = tree(on.compiled)
        self.on, self.base = on, suffix(on.compiled)
        self.first, self.second = (h.name for h in on.lab.environment.having("people")[:2])
        rows = [json.loads(line) for line in text.decode().splitlines()]
        self.adds = [{"dn": row["dn"], "add": row["attrs"]} for row in rows]
        people = [row["dn"] for row in rows if row["dn"].startswith("uid=")]
        self.some = people[:: len(people) // CHANGES][:CHANGES]
        self.digest = sha256(text)

    def step(self, host: str, step: str, **request: Any) -> None:
        lines = remote.stdin(step, {"token": me()["token"], **request})
        self.on.must(host, ["sh", "-c", remote.COMMAND], "\n".join(lines) + "\n")

    def lock(self) -> None:
        for host in (self.first, self.second):
            self.step(host, "lock", owner=me())

    def unlock(self) -> None:
        for host in (self.first, self.second):
            self.step(host, "unlock")

    def empty(self, replicated: bool, running: bool = True) -> None:
        """Both hosts without an entry; not replicated: the second stays down, and the first knows
        nothing of it."""
        wipe = f"umount -q {CONFIG}; systemctl stop slapd; rm -rf /var/lib/ldap/*; "
        for host in (self.first, self.second):
            self.on.must(host, ["sh", "-c", wipe + "true"])
        if not replicated:
            config = BARE.sub("", self.on.must(self.first, ["cat", CONFIG]))
            put = f"cat >/run/bare.conf; mount --bind /run/bare.conf {CONFIG}"
            self.on.must(self.first, ["sh", "-c", put], config)
        hosts = (self.first, self.second)[: 1 + replicated]
        for host in hosts:
            if running:
                self.on.must(host, ["systemctl", "start", "slapd"])
            else:
                place = ["install", "-d", "-o", "openldap", "-m", "0700", "/var/lib/ldap"]
                self.on.must(host, place)
        if running:
            wait_for(lambda: all(map(self._answers, hosts)), "slapd answers")

    def _answers(self, host: str) -> bool:
        argv = ["ldapwhoami", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"]
        return self.on.lab.run(host, argv).returncode == 0

    def load(self, changes: list[dict[str, Any]], replicated: bool, digest: str) -> None:
        """As an apply does it."""
        request = {
            "changes": changes, "path": TREE, "base": self.base, "top": f"ou=people,{self.base}",
            "wanted": digest, "count": len(self.adds), "removed": [], "strays": [],
            "seen": self._stamps(),
        }  # fmt: skip
        fqdn = self.on.lab.host(self.first).fqdn
        other = self.on.lab.host(self.second).fqdn
        others = [other] if replicated else []
        self.step(self.first, "load", **request, peers=others, here=others)
        if replicated:
            self.step(self.second, "arrived", **request, peers=[fqdn], here=[fqdn])

    def _stamps(self) -> dict[str, str]:
        """Of the tree as it is: an apply plans from it, and computes anew when it has changed."""
        argv = ["ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", "-b", self.base]
        said = self.on.lab.run(self.first, [*argv, "-s", "base", "contextCSN"]).stdout
        stamps = re.findall("^contextCSN: (.*)$", said, re.MULTILINE)
        return {stamp.split("#")[2]: stamp for stamp in stamps}

    def modify(self, changes: list[dict[str, Any]]) -> None:
        ldif = "".join(map(_ldif, changes))
        argv = ["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"]
        self.on.must(self.first, argv, ldif)

    def one_by_one(self, changes: list[dict[str, Any]]) -> None:
        """A process for each change, as an operation for each account would be."""
        each = "while IFS= read -r ldif; do printf '%b' \"$ldif\" | ldapmodify -Q -Y EXTERNAL"
        each += " -H ldapi:/// >/dev/null || exit 1; done"
        lines = "".join(_ldif(change).replace("\n", "\\n") + "\n" for change in changes)
        self.on.must(self.first, ["bash", "-c", each], lines)

    def slapadd(self) -> None:
        """Offline: slapd is down meanwhile."""
        ldif = "".join(map(_ldif, self.adds)).replace("changetype: add\n", "")
        argv = ["runuser", "-u", "openldap", "--", "slapadd", "-q", "-f", CONFIG]
        self.on.must(self.first, [*argv, "-b", self.base], ldif)

    def titles(self, title: str) -> list[dict[str, Any]]:
        return [{"dn": dn, "replace": {"title": [title]}} for dn in self.some]


Found = dict[str, dict[str, Sample]]
"""What was done, by which way."""


def measured(on: Applied, runs: int) -> str:
    """Markdown. Raises Failed, LabError."""
    bench = Bench(on)
    loads = f"load from empty, {len(bench.adds):,} entries"
    found: Found = {loads: {}, f"{CHANGES} changes": {}}
    bench.lock()
    try:
        for run in range(runs):
            _run(bench, run, found[loads], found[f"{CHANGES} changes"])
    finally:
        bench.empty(replicated=True)
        bench.unlock()
    return "\n".join(_table(found))


def _run(bench: Bench, run: int, loads: dict[str, Sample], changes: dict[str, Sample]) -> None:
    for way, replicated in ((_DANHBA, False), (_REPLICATED, True)):
        bench.empty(replicated)
        _timed(loads, way, partial(bench.load, bench.adds, replicated, bench.digest))
        some, digest = bench.titles(f"{way} {run}"), sha256(f"{way} {run}".encode())
        _timed(changes, way, partial(bench.load, some, replicated, digest))
    bench.empty(replicated=False)
    _timed(loads, _PLAIN, partial(bench.modify, bench.adds))
    _timed(changes, _PLAIN, partial(bench.modify, bench.titles(f"m{run}")))
    _timed(changes, _EACH, partial(bench.one_by_one, bench.titles(f"o{run}")))
    bench.empty(replicated=False, running=False)
    _timed(loads, _OFFLINE, bench.slapadd)


def _timed(samples: dict[str, Sample], way: str, work: Callable[[], None]) -> None:
    begin = time.monotonic()
    work()
    samples.setdefault(way, Sample()).add(time.monotonic() - begin)
    say(f"{way}: {samples[way].seconds[-1]:.1f} s")


def _table(found: Found) -> Iterator[str]:
    yield f"| | seconds | of {_DANHBA} |"
    yield "|---|---|---|"
    for what, samples in found.items():
        for way, sample in samples.items():
            ratio = sample.median / samples[_DANHBA].median
            yield f"| {what}: {way} | {sample} | {ratio:.2f} times |"
