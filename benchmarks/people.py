"""LDAP: a load from empty and a batch of changes, with and without replication, beside ldap-utils.

python -m benchmarks.people [--people N] [--runs N]

On the lab as it is (script/staging), whose people it takes away: apply again afterwards. Times are
those of the whole command, the connection to the host included, which all have alike.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.nothing import generated
from benchmarks.timing import Failed, Sample
from danhba.check import check_file
from danhba.compile import compile_directory
from danhba.generations import remote
from danhba.generations.host.common import sha256
from danhba.generations.host.entries import _ldif
from danhba.owner import me
from deploys.common import suffix
from deploys.people import tree
from staging.lab import Lab

CONFIG = "/etc/ldap/slapd.conf"
CHANGES = 500
BARE = re.compile(
    r'^database mdb\nsuffix "cn=log".*?(?=^database mdb\nsuffix "dc=)|^syncrepl .*?(?=^\S)'
    r"|^multiprovider on\n|^overlay accesslog\n.*?^logpurge[^\n]*\n|^moduleload accesslog\n",
    re.DOTALL | re.MULTILINE,
)
"""What of the configuration is there for replication."""


class Bench:
    """One tree, and two people hosts to put it on."""

    def __init__(self, lab: Lab, text: bytes, base: str) -> None:
        self.lab, self.base = lab, base
        self.first, self.second = (host.name for host in lab.environment.having("people")[:2])
        rows = [json.loads(line) for line in text.decode().splitlines()]
        self.adds = [{"dn": row["dn"], "add": row["attrs"]} for row in rows]
        people = [row["dn"] for row in rows if row["dn"].startswith("uid=")]
        self.some = people[:: len(people) // CHANGES][:CHANGES]
        self.digest = sha256(text)

    def must(self, host: str, argv: Sequence[str], stdin: str | None = None) -> str:
        done = self.lab.run(host, argv, stdin)
        if done.returncode:
            raise Failed(f"{host}: {' '.join(argv)[:80]}: {done.stderr[-500:]}")
        return done.stdout

    def step(self, host: str, step: str, **request: Any) -> None:
        lines = remote.stdin(step, {"token": me()["token"], **request})
        self.must(host, ["sh", "-c", remote.COMMAND], "\n".join(lines) + "\n")

    def empty(self, replicated: bool, running: bool = True) -> None:
        """Both hosts without an entry; not replicated: the second stays down, and the first knows
        nothing of it."""
        wipe = f"umount -q {CONFIG}; systemctl stop slapd; rm -rf /var/lib/ldap/*; "
        for host in (self.first, self.second):
            self.must(host, ["sh", "-c", wipe + "true"])
            self.step(host, "lock", owner=me(), instead_of=me()["token"])
        if not replicated:
            config = BARE.sub("", self.must(self.first, ["cat", CONFIG]))
            put = f"cat >/run/bare.conf; mount --bind /run/bare.conf {CONFIG}"
            self.must(self.first, ["sh", "-c", put], config)
        for host in (self.first, self.second)[: 1 + replicated]:
            if running:
                self.must(host, ["systemctl", "start", "slapd"])
            else:
                self.must(host, ["install", "-d", "-o", "openldap", "-m", "0700", "/var/lib/ldap"])

    def load(self, changes: list[dict[str, Any]], replicated: bool, digest: str) -> None:
        """As an apply does it."""
        request = {
            "changes": changes, "path": "", "base": self.base, "top": f"ou=people,{self.base}",
            "wanted": digest, "count": len(self.adds),
        }  # fmt: skip
        fqdn = self.lab.host(self.first).fqdn
        other = self.lab.host(self.second).fqdn
        self.step(self.first, "load", **request, peers=[other] if replicated else [])
        if replicated:
            self.step(self.second, "arrived", **request, peers=[fqdn])

    def modify(self, changes: list[dict[str, Any]]) -> None:
        ldif = "".join(map(_ldif, changes))
        argv = ["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"]
        self.must(self.first, argv, ldif)

    def one_by_one(self, changes: list[dict[str, Any]]) -> None:
        """A process for each change, as an operation for each account would be."""
        each = "while IFS= read -r ldif; do printf '%b' \"$ldif\" | ldapmodify -Q -Y EXTERNAL"
        each += " -H ldapi:/// >/dev/null || exit 1; done"
        lines = "".join(_ldif(change).replace("\n", "\\n") + "\n" for change in changes)
        self.must(self.first, ["bash", "-c", each], lines)

    def slapadd(self) -> None:
        """Offline: slapd is down meanwhile."""
        ldif = "".join(map(_ldif, self.adds)).replace("changetype: add\n", "")
        argv = ["runuser", "-u", "openldap", "--", "slapadd", "-q", "-f", CONFIG]
        self.must(self.first, [*argv, "-b", self.base], ldif)

    def titles(self, title: str) -> list[dict[str, Any]]:
        return [{"dn": dn, "replace": {"title": [title]}} for dn in self.some]


def measured(bench: Bench, runs: int) -> dict[str, Sample]:
    found: dict[str, Sample] = {}

    def timed(name: str, work: Callable[[], None]) -> None:
        begin = time.monotonic()
        work()
        found.setdefault(name, Sample()).add(time.monotonic() - begin)

    for run in range(runs):
        for replicated, where in ((False, "one host"), (True, "replicated, arrived")):
            bench.empty(replicated)
            timed(f"load, {where}", lambda to=replicated: bench.load(bench.adds, to, bench.digest))
            some, digest = bench.titles(f"{where} {run}"), sha256(f"{where} {run}".encode())
            timed(f"{CHANGES} changes, {where}",
                  lambda to=replicated, of=some, at=digest: bench.load(of, to, at))  # fmt: skip
        bench.empty(replicated=False)
        timed("load, ldapmodify without a transaction", lambda: bench.modify(bench.adds))
        some = bench.titles(f"m{run}")
        timed(f"{CHANGES} changes, ldapmodify without a transaction",
              lambda of=some: bench.modify(of))  # fmt: skip
        some = bench.titles(f"o{run}")
        timed(f"{CHANGES} changes, ldapmodify for each", lambda of=some: bench.one_by_one(of))
        bench.empty(replicated=False, running=False)
        timed("load, slapadd -q (slapd down)", bench.slapadd)
    bench.empty(replicated=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.people", description=__doc__)
    parser.add_argument("--people", type=int, default=30_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="danhba-bench-") as name:
        directory, findings = check_file(generated(options.people, Path(name)))
    if directory is None:
        raise Failed(str(findings[:3]))
    compiled = compile_directory(directory)
    bench = Bench(Lab.open(), tree(compiled), suffix(compiled))
    try:
        found = measured(bench, options.runs)
    finally:
        for host in (bench.first, bench.second):
            bench.step(host, "unlock")
    print(f"| {len(bench.adds):,} entries | seconds: median (least–most; runs) |\n|---|---|")
    for title in sorted(found):
        print(f"| {title} | {found[title]} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
