"""The rule for passwords on the people hosts: the same code that judges first passwords.

slapd's own module (ppm) counts kinds of characters, and refuses any password with a syllable of the
person's name: half of all Vietnamese sentences have one. So slapd gets a module of a page that asks
this program, over a socket that only slapd may open.
"""

from __future__ import annotations

import json
from pathlib import Path

import zxcvbn

from danhba import password_rule
from danhba.compiled import Compiled
from danhba.generations.host.common import sha256
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import TREE

_HOME = "/usr/local/lib/danhba/password"
_RULE = "/etc/danhba/password-rule.json"
_SOCKET = "/run/danhba-password.sock"
_SOURCE = f"{_HOME}/module.c"
_UNIT = "danhba-password"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    known = [directory.province, directory.domain]
    rule = {"min_length": directory.password_min_length, "known": known}
    units = "/etc/systemd/system"
    listens = f"{units}/{_UNIT}.socket"
    return Part(
        name="password_check",
        packages=("tcc", "patchelf"),
        files=(
            *_program(),
            File(_SOURCE, _source()),
            File(_RULE, json.dumps(rule, ensure_ascii=False).encode() + b"\n"),
            File(listens, render("people/password.socket", socket=_SOCKET), effect="restart"),
            File(
                f"{units}/{_UNIT}.service",
                render("people/password.service", home=_HOME, rule=_RULE, tree=TREE),
            ),
            File(
                f"{units}/slapd.service.d/{_UNIT}.conf",
                render("people/password.slapd.conf", unit=_UNIT, build=_build()),
            ),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"{units}/sockets.target.wants/{_UNIT}.socket": listens},
        services=(Service(f"{_UNIT}.socket"),),
        validate=(("sh", "-c", _build()),),  # slaptest loads it
    )


def module() -> str:
    """What slapd loads. Its name changes with its source, and so slapd takes it up."""
    return f"/run/{_UNIT}/{sha256(_source())[:16]}.so"


def _source() -> bytes:
    return render("people/password.c", socket=_SOCKET)


def _build() -> str:
    """Renamed into place: a file that slapd has loaded is never written to. tcc does not say that
    the stack holds no code, and libc loads no module that does not."""
    fresh = f"{module()}.new"
    built = f"tcc -shared -nostdlib -o {fresh} {_SOURCE} && patchelf --clear-execstack {fresh}"
    return f"install -d /run/{_UNIT} && {built} && mv {fresh} {module()}"


def _program() -> tuple[File, ...]:
    """Copies of this program's own files and of zxcvbn's, which Debian 13 does not package."""
    here, library = Path(password_rule.__file__).parent, Path(zxcvbn.__file__).parent
    own = ("__init__.py", "password_rule.py", "password_check.py", "data/common_passwords.txt")
    copies = {f"danhba/{name}": here / name for name in own}
    copies |= {f"zxcvbn/{path.name}": path for path in sorted(library.glob("*.py"))}
    return tuple(File(f"{_HOME}/{name}", path.read_bytes()) for name, path in copies.items())
