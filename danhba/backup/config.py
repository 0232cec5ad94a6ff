"""What a host is told of its backups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """Of a host that is backed up. vault: its name in its certificate, and port; ca: file of the
    authority that signed that. secret: file with the passwords of repository and server. homes:
    file with the accounts whose mail is backed up here, "" for none. mail, state: folders. paths:
    what is backed up besides; apart: patterns of what is not. ldap: configuration of slapd and
    suffix of its tree, empty without one."""

    host: str
    vault: str
    port: int
    ca: str
    secret: str
    homes: str
    mail: str
    state: str
    paths: Sequence[str]
    apart: Sequence[str]
    ldap: Sequence[str]

    @classmethod
    def read(cls, path: str) -> Config:
        return cls(**json.loads(Path(path).read_text()))

    def accounts(self) -> list[str]:
        """Whose home is here: their copies on standbys are nobody's backup."""
        return Path(self.homes).read_text().split() if self.homes else []


@dataclass(frozen=True)
class VaultConfig:
    """Of the vault. hosts: names, each with whether it has mail; place: folder with a repository
    for each; second: where their copies go, as restic writes it without the host, "" for nowhere;
    sftp: words for ssh on the way there; keep: days, weeks and months; mail: folder of mailboxes on
    stores; user: whose all of it is; held: accounts of which no snapshot is forgotten, because an
    authority has asked to keep their mail; own: the vault's name; archive: folder of all mail;
    copies: folder of the lists of messages on stores."""

    hosts: Mapping[str, bool]
    place: str
    secret: str
    second: str
    sftp: str
    keep: Mapping[str, int]
    mail: str
    user: str
    state: str
    held: Sequence[str]
    own: str = ""
    archive: str = ""
    copies: str = ""

    @classmethod
    def read(cls, path: str) -> VaultConfig:
        return cls(**json.loads(Path(path).read_text()))
