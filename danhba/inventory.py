"""Which servers play which role: reads inventory/ENV.py, the same file pyinfra reads."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from danhba import secrets
from danhba.errors import DanhbaError
from danhba.placement import NOTHING, Box, Place, Places, Remembered
from danhba.secrets import Secrets

ROLES = ("vault", "store", "people", "edge")
"""The roles danhba knows; deploys/roles.py says what runs in each."""

_OPTIONAL = ("vault",)
"""Without a vault mail flows, and nothing is archived or backed up."""


SIGNATURES = ("freshclam", "lab")
"""From ClamAV's mirrors; or EICAR's test file and no other, for where there is no Internet."""


class InventoryError(DanhbaError):
    """The inventory cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Host:
    """A server. name is pyinfra's; fqdn its mail name; data everything the inventory says."""

    name: str
    fqdn: str
    ipv4: str
    ipv6: str
    roles: tuple[str, ...]
    data: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def number(self) -> int:
        """What slapd marks changes with that are made here, 1 to 4095 (slapd.conf(5), serverID).

        Of the address, so that it stays the same whatever hosts come and go.
        """
        return int(IPv4Address(self.ipv4)) % 4096

    @property
    def signatures(self) -> str:
        """Of an edge: where ClamAV's signatures come from, one of SIGNATURES."""
        return str(self.data.get("signatures", SIGNATURES[0]))

    @property
    def dns_root(self) -> str:
        """Of an edge: directory with root.hints and root.key, where DNS has another root than the
        Internet's; "" where it has not."""
        return str(self.data.get("dns_root", ""))

    @property
    def second_place(self) -> str:
        """Of the vault: where copies of all backups go, as restic writes it (sftp:..., s3:...); ""
        for nowhere."""
        return str(self.data.get("second_place", ""))

    @property
    def since(self) -> date:
        """Of a store: the first day on which it takes new mailboxes."""
        given: date = self.data.get("since", date.min)
        return given


@dataclass(frozen=True)
class Environment:
    """All hosts of one inventory file, in its order, and what its placement file remembers."""

    name: str
    hosts: tuple[Host, ...]
    remembered: Remembered = NOTHING

    def having(self, role: str) -> tuple[Host, ...]:
        return tuple(host for host in self.hosts if role in host.roles)

    def host(self, name: str) -> Host:
        return next(host for host in self.hosts if host.name == name)

    @property
    def vault(self) -> Host | None:
        """What keeps archive and backups."""
        return next(iter(self.having("vault")), None)

    @property
    def secrets_folder(self) -> Path:
        """Where the vault's master secret is on the control machine. Raises InventoryError."""
        if self.vault is None:
            raise InventoryError(f"{self.name}: no host has the role vault")
        return Path(self.vault.data["secrets"])

    @cached_property
    def secrets(self) -> Secrets:
        """What everything between the vault and the others comes from. Raises SecretsError."""
        return secrets.load(self.secrets_folder, self.name)

    @cached_property
    def _places(self) -> Places:
        return Places(self.having("store"), self.remembered)

    def place(self, box: Box) -> Place:
        """Which stores have a mailbox."""
        return self._places.of(box)


def load(path: Path) -> Environment:
    """Read inventory/ENV.py. Raises InventoryError."""
    if not path.is_file():
        raise InventoryError(f"{path}: there is no such inventory")
    names = {
        key: value
        for key, value in runpy.run_path(str(path)).items()
        if not key.startswith("_") and isinstance(value, (list, tuple))
    }
    if unknown := sorted(names.keys() - {"hosts", *ROLES}):
        known = ", ".join(ROLES)
        raise InventoryError(f"{path.stem}: {unknown[0]} is no role; there are {known}")
    data: dict[str, dict[str, Any]] = {}
    roles: dict[str, list[str]] = {}
    for group, members in names.items():
        shared: Mapping[str, Any] = {}
        if isinstance(members, tuple):
            members, shared = members
        for member in members:
            name, own = member if isinstance(member, tuple) else (member, {})
            data.setdefault(name, {}).update({**shared, **own})
            if group in ROLES:
                roles.setdefault(name, []).append(group)
    env = build(path.stem, data, roles)
    return replace(env, remembered=_remembered(path, env))


def placement_of(path: Path) -> Path:
    """The file beside inventory/ENV.py that remembers moves and failures."""
    return path.with_suffix(".placement.yaml")


def _remembered(path: Path, env: Environment) -> Remembered:
    if not placement_of(path).exists():
        return NOTHING
    from danhba import placement_file  # reads YAML, which `danhba check` can do without

    stores = [store.name for store in env.having("store")]
    found, findings = placement_file.load(placement_of(path), stores)
    if findings:
        raise InventoryError("\n".join(map(str, findings)))
    return found


def build(
    name: str, data: Mapping[str, Mapping[str, Any]], roles: Mapping[str, list[str]]
) -> Environment:
    """An Environment from per-host data and roles, checked; with nothing remembered. Raises
    InventoryError."""
    hosts = []
    for host, facts in data.items():
        missing = [key for key in ("fqdn", "ipv4", "ipv6") if not facts.get(key)]
        if missing:
            raise InventoryError(f"{name}: host {host} lacks {', '.join(missing)}")
        if not isinstance(facts.get("since", date.min), date):
            raise InventoryError(f"{name}: host {host}: since is a date, as date(2027, 3, 1)")
        if (given := facts.get("signatures", SIGNATURES[0])) not in SIGNATURES:
            known = " or ".join(SIGNATURES)
            raise InventoryError(f"{name}: host {host}: signatures is {given!r}: write {known}")
        own = tuple(role for role in ROLES if role in roles.get(host, ()))
        if not own:
            raise InventoryError(f"{name}: host {host} has no role ({', '.join(ROLES)})")
        hosts.append(Host(host, facts["fqdn"], facts["ipv4"], facts["ipv6"], own, dict(facts)))
    env = Environment(name, tuple(hosts))
    _all_different(env)
    _different_numbers(env)
    if len(env.having("vault")) > 1:
        raise InventoryError(f"{name}: two hosts have the role vault; there is one at most")
    if env.vault and not env.vault.data.get("secrets"):
        raise InventoryError(
            f"{name}: host {env.vault.name} lacks secrets: a directory on this machine, outside git"
        )
    for role in ROLES:
        if role not in _OPTIONAL and not env.having(role):
            raise InventoryError(f"{name}: no host has the role {role}")
    return env


def _different_numbers(env: Environment) -> None:
    held: dict[int, str] = {}
    for host in env.having("people"):
        if held.setdefault(host.number, host.name) != host.name or not host.number:
            raise InventoryError(
                f"{env.name}: the address of {host.name} will not do for a people host: the last"
                f" 12 bits of {host.ipv4} are 0, or those of another one as well"
            )


def _all_different(env: Environment) -> None:
    for what in ("fqdn", "ipv4", "ipv6"):
        held: dict[str, str] = {}
        for host in env.hosts:
            value = getattr(host, what)
            if value in held:
                both = f"{held[value]} and {host.name}"
                raise InventoryError(f"{env.name}: {both} have one {what}, {value}")
            held[value] = host.name
