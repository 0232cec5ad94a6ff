"""What a service contributes to a host: the vocabulary that every module under deploys/ speaks.

A service is a pure function of the compiled directory and the inventory. It returns a Part;
the parts of a host add up to the host's generation (danhba.assemble).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from danhba.compiled import Leaving

Effect = Literal["none", "reload", "restart"]


@dataclass(frozen=True)
class File:
    """One file that danhba owns on a host.

    path is absolute; content is the whole file; effect says what its service must do to take the
    new content up ("none" for what daemons reread by themselves). secret keeps the
    content out of every plan. accounts: every row is somebody's address; one that goes is never
    removed silently but stops the apply. ways: every row says where somebody's mail goes; one that
    is there may only change in a run that moves it, and with the mail (danhba move). rows: every
    row stands for itself; a plan shows those that come and go, and not their neighbours.
    """

    path: str
    content: bytes
    mode: str = "0644"
    owner: str = "root"
    group: str = "root"
    effect: Effect = "none"
    secret: bool = False
    accounts: bool = False
    ways: bool = False
    rows: bool = False


@dataclass(frozen=True)
class Probe:
    """How to see that a service answers: connect from the host itself, expect a greeting.

    tls: the port speaks TLS from the first byte. expect: bytes the greeting starts with, as text;
    empty when a connection is proof enough. talk: lines to send then, and what each answer starts
    with. timeout in seconds. address: "" for the
    host's own. ca: file of the authority that signs the hosts' certificates, beside those that the
    host trusts anyway.
    """

    port: int
    expect: str = ""
    tls: bool = False
    timeout: int = 20
    address: str = ""
    talk: tuple[tuple[str, str], ...] = ()
    ca: str = "/etc/ssl/danhba/ca.pem"


@dataclass(frozen=True)
class Service:
    """A daemon (systemd unit) that this part keeps enabled, running and up to date.

    A oneshot unit that only
    loads something (nftables) has no process to watch: it counts as running when it is active.
    """

    unit: str
    answers: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class State:
    """What must be true on the host beyond files, and is drift when it is not.

    argv prints it and changes nothing. expected: what it must print; None: what it printed when
    `unit` had last loaded. unit and way: who makes it true again; without a unit,
    systemd-tmpfiles does, which runs at every activation.
    """

    name: str
    argv: tuple[str, ...]
    expected: str | None = None
    unit: str = ""
    way: Literal["reload", "restart"] = "restart"


@dataclass(frozen=True)
class Tree:
    """LDAP entries that danhba keeps: `path` among the files holds one JSON object a line.

    base is the suffix of the tree, top the entry whose description marks the last full load. peers:
    names of the other hosts that hold the same tree.
    """

    path: str
    base: str
    top: str
    peers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Boxes:
    """Mailboxes whose time has passed, and what is to be true of them (host/boxes.py).

    mail: directory of mailboxes, each named by its account. archive: where their archives go.
    timezone: of the province, whose days count.
    """

    mail: str
    archive: str
    timezone: str
    leaving: tuple[Leaving, ...]


@dataclass(frozen=True)
class Expiry:
    """By which rules messages go from the archive (host/expiry.py). argv: who knows and does it;
    rules: as danhba/journal/expiry.py has them."""

    argv: tuple[str, ...]
    rules: Mapping[str, Any]


FINE = "ok: "
"""See Part, health."""


@dataclass(frozen=True)
class Part:
    """What one service brings to one host.

    packages: Debian packages. debconf: answers for debconf-set-selections before they are
    installed. links: symbolic links placed as they are (path to target).
    tables: paths of text files among `files` that Postfix reads as cdb; the host builds FILE.cdb.
    validate: argument vectors run against the staged generation as if it were live; a non-zero
    exit status rejects the generation, and what they print is shown to the engineer.
    health: argument vectors that print, when `danhba status` asks, a line for each thing that an
    engineer has to look at, with what to do; a line that begins with FINE is told, and no trouble.
    """

    name: str
    packages: tuple[str, ...] = ()
    debconf: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    states: tuple[State, ...] = ()
    validate: tuple[tuple[str, ...], ...] = ()
    health: tuple[tuple[str, ...], ...] = ()
    tree: Tree | None = None
    boxes: Boxes | None = None
    expiry: Expiry | None = None
