"""A server as testinfra sees it, beside what the directory and the inventory say it should be.

Every question that grows with the province is one remote command, asked once and remembered.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testinfra.host import Host as Shell

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from deploys.instance import USUAL, Instance, edge

Attributes = dict[str, list[str]]
Opening = tuple[tuple[str, ...], tuple[int, ...]]
"""Who may connect (addresses; none: everybody) to which TCP ports."""


@dataclass(frozen=True)
class Wanted:
    """All that the servers are measured by."""

    environment: Environment
    compiled: Compiled
    manifests: Mapping[str, Mapping[str, Any]]

    def mail(self, address: str) -> str:
        return f"{address}@{self.compiled.domain}"


@dataclass(frozen=True)
class Server:
    """facts: what the inventory says; shell: testinfra's connection."""

    facts: Host
    shell: Shell
    wanted: Wanted

    @property
    def manifest(self) -> Mapping[str, Any]:
        return self.wanted.manifests[self.facts.name]

    def run(self, command: str, *arguments: str) -> str:
        return str(self.shell.check_output(command, *arguments))

    def python(self, program: str, *arguments: str) -> Any:
        """What a Python program prints as JSON on the server."""
        words = " %s" * len(arguments)
        return json.loads(self.run(f"python3 -c %s{words}", program, *arguments))

    @cached_property
    def files(self) -> dict[str, dict[str, str]]:
        """Every file of the wanted manifest as it is: digest, mode, owner, group, target."""
        found: dict[str, dict[str, str]] = self.python(_FILES, *sorted(self.manifest["files"]))
        return found

    @cached_property
    def links(self) -> dict[str, str]:
        """Every link of the wanted manifest: where it leads, "" when it is none."""
        found: dict[str, str] = self.python(_LINKS, *sorted(self.manifest["links"]))
        return found

    @cached_property
    def units(self) -> dict[str, tuple[str, str]]:
        """Of every unit of the wanted manifest whether it is active, and enabled."""
        names = [service["unit"] for service in self.manifest["services"]]
        words = " %s" * len(names)
        shown = self.run(f"systemctl show -p ActiveState -p UnitFileState{words}", *names)
        blocks = (dict(row.split("=", 1) for row in block.splitlines())
                  for block in shown.split("\n\n"))  # fmt: skip
        states = [(block["ActiveState"], block["UnitFileState"]) for block in blocks]
        return dict(zip(names, states, strict=True))

    @cached_property
    def listening(self) -> set[tuple[str, int]]:
        """(protocol, port) of all sockets that somebody else than the host itself can reach."""
        found = set()
        for row in self.run("ss -Hltun").splitlines():
            protocol, _, _, _, local = row.split()[:5]
            address, _, port = local.rpartition(":")
            address = address.strip("[]").partition("%")[0]
            if not address.startswith("127.") and address != "::1":
                found.add((protocol, int(port)))
        return found

    @cached_property
    def ruleset(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.run("nft -j list ruleset"))["nftables"]
        return rows

    @cached_property
    def openings(self) -> set[Opening]:
        """The rules of nftables that accept a new connection from another host."""
        return {
            opening
            for row in self.ruleset
            if row.get("rule", {}).get("chain") == "input"
            if (opening := _opening(row["rule"]["expr"])) is not None
        }

    @property
    def edge(self) -> Instance:
        """Where the daemons of its edge are, which is beside those of a store."""
        return edge(self.facts)

    def table(self, name: str, instance: Instance = USUAL) -> dict[str, str]:
        """A lookup table of Postfix: every key that is in it, looked up as Postfix does it."""
        kind = f"cdb:{instance.tables}/{name}"
        found = "postmap -s %s | cut -f1 | { postmap -q - %s || test $? -eq 1; }"  # 1: nothing
        text = self.run(found, kind, kind)
        return dict(_row(line) for line in text.splitlines())

    @cached_property
    def users(self) -> set[str]:
        """Everybody whom Dovecot knows."""
        return set(self.run("doveadm user '*'").split())

    @cached_property
    def entries(self) -> dict[str, Attributes]:
        """Every LDAP entry without its password."""
        text = self.run(
            "ldapsearch -LLL -Q -o ldif-wrap=no -Y EXTERNAL -H ldapi:/// -b %s", self.suffix
        )
        entries = (_entry(block) for block in text.split("\n\n") if block.strip())
        return {found.pop("dn")[0]: found for found in entries}

    @property
    def suffix(self) -> str:
        return str(self.manifest["tree"]["base"])


def _row(line: str) -> tuple[str, str]:
    key, _, value = line.partition("\t")
    return key, value


def _entry(block: str) -> Attributes:
    """One entry of unwrapped LDIF (RFC 2849); passwords are left out."""
    found: Attributes = {}
    for line in block.splitlines():
        name, _, value = line.partition(":")
        coded = value.startswith(":")
        if name != "userPassword":
            text = base64.b64decode(value[1:]).decode() if coded else value.strip()
            found.setdefault(name, []).append(text)
    return found


def _opening(expressions: list[dict[str, Any]]) -> Opening | None:
    """None for a rule that lets in no new TCP or UDP connection from another host."""
    if {"accept": None} not in expressions:
        return None
    sources: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    for expression in expressions:
        match = expression.get("match")
        if match is None:
            continue
        left, right = match["left"], match["right"]
        values = right["set"] if isinstance(right, dict) else right
        values = values if isinstance(values, list) else [values]
        if left == {"meta": {"key": "iif"}} and values == ["lo"]:
            return None
        if "ct" in left and "new" not in values:
            return None
        payload = left.get("payload", {})
        if payload.get("protocol") in ("icmp", "icmpv6"):
            return None
        if payload.get("field") == "saddr":
            sources = tuple(sorted(values))
        if payload.get("field") == "dport":
            ports = tuple(sorted(values))
    return sources, ports  # without ports it opens everything, and equals no opening we want


_LINKS = """
import json, os, sys
print(json.dumps({path: os.path.islink(path) and os.readlink(path) or "" for path in sys.argv[1:]}))
"""
_FILES = """
import grp, hashlib, json, os, pwd, sys
found = {}
for path in sys.argv[1:]:
    try:
        facts = os.stat(path)
        found[path] = {
            "sha256": hashlib.sha256(open(path, "rb").read()).hexdigest(),
            "mode": "%04o" % (facts.st_mode & 0o7777),
            "owner": pwd.getpwuid(facts.st_uid).pw_name,
            "group": grp.getgrgid(facts.st_gid).gr_name,
            "real": os.path.realpath(path),
        }
    except OSError as error:
        found[path] = {"problem": error.strerror}
print(json.dumps(found))
"""
