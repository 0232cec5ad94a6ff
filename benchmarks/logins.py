"""How many logins a second an edge can do, beside a bare Dovecot with the same hashes, and how much
memory each role has.

Everything shares the cores of this machine, the clients too: a server of its own does more.
"""

from __future__ import annotations

import ssl
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from doors import IMAPS, Door, Line, Refused
from province import Province

from benchmarks.memory import Memory, megabytes
from benchmarks.nothing import generated
from benchmarks.timing import Failed
from danhba import passphrase
from danhba.check import check_file
from danhba.compile import compile_directory
from staging.config import CA_FILE, NET1
from staging.lab import Lab
from staging.shell import say

NEEDED = 50
"""Logins a second: 30,000 officials within ten minutes of a Monday morning."""
SECONDS = 10.0
CLIENTS = 16
PEOPLE = 48
SESSIONS = 200
"""Sessions open while memory is looked at the second time."""

BARE = Door(10993, "imap", implicit_tls=True)
_PLACE = "/run/danhba-bench"
_CONFIG = """\
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
base_dir = {place}/run
state_dir = {place}/state
instance_name = bench
protocols = imap
listen = *
ssl = required
ssl_server_cert_file = /etc/ssl/danhba/host.pem
ssl_server_key_file = /etc/ssl/danhba/host.key
auth_mechanisms = plain
mail_driver = sdbox
mail_path = {place}/mail/%{{user}}
mail_uid = mailboxes
mail_gid = mailboxes
first_valid_uid = 5000
passdb passwd-file {{
  passwd_file_path = {place}/users
  # Else one process checks all hashes, on one core.
  use_worker = yes
}}
userdb static {{
  fields {{
    home = {place}/mail/%{{user}}
  }}
}}
service imap-login {{
  process_min_avail = 1
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
  }}
}}
"""

_WORTH_A_ROW = 2.0

PATH = Path(__file__).with_name("logins.md")
HEAD = """\
# Logins and memory

Written by `script/benchmark --only logins`. {head}

A login is a connection, TLS, a password, good-bye; an edge passes it on to the store, which asks a
people host. Median (least–most; runs of {seconds:.0f} seconds). The bare Dovecot has the same
hashes in a file, and is neither proxy nor behind one. Memory is what the processes of a unit have,
shared pages counted once on the whole machine; page caches are not in it.

{tables}"""


@dataclass(frozen=True)
class Way:
    """name: for the table; host: address; secrets: login and password."""

    name: str
    host: str
    server: str
    door: Door
    secrets: Sequence[tuple[str, str]]


@dataclass
class Logins:
    """rates: logins a second of each run, by way. memory: by what was going on."""

    people: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, Memory] = field(default_factory=dict)


def logins(people: int, folder: Path, runs: int, boot: bool) -> Logins:
    """Raises Failed, LabError."""
    found, lab = Logins(people), Lab.open()
    province = Province(lab, generated(people, folder))
    if boot:
        lab.boot(fresh=True)
    province.apply()
    secrets = _secrets(province)
    edge = lab.environment.having("edge")[0]
    through = Way("through an edge", edge.ipv4, edge.fqdn, IMAPS, secrets)
    with _bare(lab, secrets) as bare:
        for _ in range(runs):
            for way in (through, bare):
                found.rates.setdefault(way.name, []).append(rate(way))
                say(f"{way.name}: {found.rates[way.name][-1]:.0f} logins/s")
    names = [host.name for host in lab.environment.hosts]
    found.memory["no session"] = megabytes(names)
    with _open(through, SESSIONS):
        found.memory[f"{SESSIONS} sessions"] = megabytes(names)
    return found


def _secrets(province: Province) -> list[tuple[str, str]]:
    """Officials with passwords of their choice: set by root on a people host, all at once, and the
    mark of a first password with them."""
    directory, findings = check_file(province.directory)
    if directory is None:
        raise Failed("\n".join(map(str, findings)))
    everybody = compile_directory(directory).mailboxes
    boxes = [box for box in everybody if box.kind == "person" and box.state == "active"][:PEOPLE]
    chosen = {box.account: passphrase.new() for box in boxes}
    changes = "".join(
        f"dn: {province.dn(account)}\nchangetype: modify\nreplace: userPassword\n"
        f"userPassword: {passphrase.hashed(password)}\n-\nreplace: pwdReset\n-\n\n"
        for account, password in chosen.items()
    )
    host = province.environment.having("people")[0].name
    argv = ["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"]
    done = province.lab.run(host, argv, changes)
    if done.returncode:
        raise Failed(f"{host}: {done.stderr}")
    return [(province.mail(account), password) for account, password in chosen.items()]


def rate(way: Way) -> float:
    """Logins a second: connection, TLS, password, good-bye; CLIENTS at once. Raises Failed."""
    end = time.monotonic() + SECONDS

    def work(number: int) -> int:
        done = 0
        while time.monotonic() < end:
            with _log_in(way, number + done * CLIENTS):
                pass
            done += 1
        return done

    begin = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        done = sum(pool.map(work, range(CLIENTS)))
    return done / (time.monotonic() - begin)


def _log_in(way: Way, number: int) -> Line:
    login, password = way.secrets[number % len(way.secrets)]
    try:
        line = Line(way.door, way.host, _trusting(), name=way.server)
        line.log_in(login, password)
    except (OSError, Refused) as error:
        raise Failed(f"{way.name}: {login}: {error}") from error
    return line


@contextmanager
def _open(way: Way, count: int) -> Iterator[None]:
    with ExitStack() as stack:
        for number in range(count):
            stack.enter_context(_log_in(way, number))
        yield


@contextmanager
def _bare(lab: Lab, secrets: Sequence[tuple[str, str]]) -> Iterator[Way]:
    """A Dovecot with a passwd-file and nothing else, on a host where no other has work to do."""
    hashes = "".join(f"{login}:{passphrase.hashed(password)}\n" for login, password in secrets)
    config = _CONFIG.format(place=_PLACE, port=BARE.port)
    _on_net1(lab, ["install", "-d", "-m", "0755", _PLACE, f"{_PLACE}/state"])
    _on_net1(lab, ["install", "-d", "-o", "mailboxes", f"{_PLACE}/mail"])
    _on_net1(
        lab, ["sh", "-c", f"umask 027; cat >{_PLACE}/users; chgrp dovecot {_PLACE}/users"], hashes
    )
    _on_net1(lab, ["sh", "-c", f"cat >{_PLACE}/dovecot.conf"], config)
    unit = ["--quiet", "--unit=danhba-bench", "--service-type=notify"]
    _on_net1(lab, ["systemd-run", *unit, "dovecot", "-F", "-c", f"{_PLACE}/dovecot.conf"])
    try:
        host = lab.host(NET1)
        yield Way("a bare Dovecot", host.ipv4, host.fqdn, BARE, secrets)
    finally:
        _on_net1(lab, ["systemctl", "stop", "danhba-bench"])
        _on_net1(lab, ["rm", "-r", _PLACE])


def _on_net1(lab: Lab, argv: Sequence[str], text: str | None = None) -> None:
    done = lab.run(NET1, argv, text)
    if done.returncode:
        raise Failed(f"net1: {' '.join(argv)}: {done.stderr}")


def tables(found: Logins) -> str:
    """Markdown."""
    return "\n".join([*_rates(found), "", *_memory(found)]) + "\n"


def _rates(found: Logins) -> Iterator[str]:
    yield f"| {found.people:,} officials, {CLIENTS} clients | logins/s | of the {NEEDED}/s needed |"
    yield "|---|---|---|"
    for way, rates in found.rates.items():
        median = statistics.median(rates)
        spread = f"{min(rates):.0f}–{max(rates):.0f}; {len(rates)}"
        yield f"| {way} | {median:.0f} ({spread}) | {median / NEEDED:.1f} times |"


def _memory(found: Logins) -> Iterator[str]:
    """Units below a megabyte in every column are added up."""
    moments = list(found.memory)
    yield f"| memory, MB | {' | '.join(moments)} |"
    yield "|---|" + "---|" * len(moments)
    for host in found.memory[moments[0]]:
        units = sorted({unit for memory in found.memory.values() for unit in memory[host]})
        for unit in units:
            used = [memory[host].get(unit, 0.0) for memory in found.memory.values()]
            if max(used) >= _WORTH_A_ROW:
                yield f"| {host}: {unit} | {' | '.join(f'{each:.0f}' for each in used)} |"
        whole = [sum(memory[host].values()) for memory in found.memory.values()]
        yield f"| **{host}** | {' | '.join(f'**{each:.0f}**' for each in whole)} |"


def write(found: Logins, head: str) -> None:
    PATH.write_text(HEAD.format(head=head, seconds=SECONDS, tables=tables(found)), "utf-8")


def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=CA_FILE)
