"""How many logins a second an edge can do, beside a bare Dovecot with the same hashes; what of the
processor a login costs, and how much memory each role has.

Everything shares the cores of this machine, the clients too: a server of its own does more.
"""

from __future__ import annotations

import ssl
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from doors import IMAPS, Door, Line, Refused
from province import wait_for

from benchmarks import processor
from benchmarks.applied import Applied
from benchmarks.memory import Memory, megabytes
from benchmarks.timing import Failed
from danhba import passphrase
from staging.config import CA_FILE, NET1
from staging.shell import say

NEEDED = 50
"""Logins a second: 30,000 officials within ten minutes of a Monday morning."""
SECONDS = 10.0
CLIENTS = 16
PEOPLE = 48
SESSIONS = 200
"""Sessions open while memory is looked at the second time."""

THROUGH = "through an edge"
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

_WORTH_MEGABYTES = 2.0
_WORTH_MILLISECONDS = 0.1

PATH = Path(__file__).with_name("logins.md")
HEAD = f"""\
A login is a connection, TLS, a password, good-bye; an edge passes it on to the store, which asks a
people host; {CLIENTS} clients at once, of {PEOPLE} officials. Median (least–most; runs of
{SECONDS:.0f} seconds). The bare Dovecot has the same hashes in a file, is neither proxy nor
behind one, and starts a process for each session, as it does by default; processes of stores serve
many. Every unit that takes part shares the cores with the clients: the second table says what of a
core each of them needs, hence what a server of its own can do.

Memory is what the processes of a unit have, shared pages counted once on the whole machine; page
caches are not in it."""


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
    """rates: logins a second of each run, by way. spent: processor seconds of all logins through
    the edge, `done` of them, by host and unit. memory: by what was going on."""

    people: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    spent: Counter[tuple[str, str]] = field(default_factory=Counter)
    done: int = 0
    memory: dict[str, Memory] = field(default_factory=dict)


def measured(on: Applied, runs: int) -> str:
    """Markdown. Raises Failed, LabError."""
    found, lab = Logins(on.people), on.lab
    secrets = _secrets(on)
    edge = lab.environment.having("edge")[0]
    hosts = [host.name for host in lab.environment.hosts]
    through = Way(THROUGH, edge.ipv4, edge.fqdn, IMAPS, secrets)
    with bare(on, secrets) as beside:
        for _ in range(runs):
            before = processor.seconds(lab, hosts)
            done = rate(through, found.rates)
            found.done += done
            found.spent.update(processor.used(before, processor.seconds(lab, hosts)))
            rate(beside, found.rates)
    found.memory["no session"] = megabytes(hosts)
    with _open(through, SESSIONS):
        found.memory[f"{SESSIONS} sessions"] = megabytes(hosts)
    roles = {host.name: ", ".join(host.roles) for host in lab.environment.hosts}
    tables = (_rates(found), _processor(found), _memory(found, roles))
    return "\n\n".join("\n".join(rows) for rows in tables)


def _secrets(on: Applied) -> list[tuple[str, str]]:
    """Officials with passwords of their choice: set by root on a people host, all at once, and the
    mark of a first password with them."""
    province = on.province
    chosen = {box.account: passphrase.new() for box in on.active()[:PEOPLE]}
    changes = "".join(
        f"dn: {province.dn(account)}\nchangetype: modify\nreplace: userPassword\n"
        f"userPassword: {passphrase.hashed(password)}\n-\nreplace: pwdReset\n-\n\n"
        for account, password in chosen.items()
    )
    host = province.environment.having("people")[0].name
    on.must(host, ["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"], changes)
    wait_for(lambda: len(province.stamps()) == 1, "the other people hosts have the passwords")
    return [(province.mail(account), password) for account, password in chosen.items()]


def rate(way: Way, rates: dict[str, list[float]]) -> int:
    """Logins of one run, whose rate is added: connection, TLS, password, good-bye; CLIENTS at once.
    Raises Failed."""
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
    rates.setdefault(way.name, []).append(done / (time.monotonic() - begin))
    say(f"{way.name}: {rates[way.name][-1]:.0f} logins/s")
    return done


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
def bare(on: Applied, secrets: Sequence[tuple[str, str]]) -> Iterator[Way]:
    """A Dovecot with a passwd-file and nothing else, on a host where no other has work to do."""
    hashes = "".join(f"{login}:{passphrase.hashed(password)}\n" for login, password in secrets)
    config = _CONFIG.format(place=_PLACE, port=BARE.port)
    on.must(NET1, ["install", "-d", "-m", "0755", _PLACE, f"{_PLACE}/state"])
    on.must(NET1, ["install", "-d", "-o", "mailboxes", f"{_PLACE}/mail"])
    on.must(
        NET1, ["sh", "-c", f"umask 027; cat >{_PLACE}/users; chgrp dovecot {_PLACE}/users"], hashes
    )
    on.must(NET1, ["sh", "-c", f"cat >{_PLACE}/dovecot.conf"], config)
    unit = ["--quiet", "--unit=danhba-bench", "--service-type=notify"]
    on.must(NET1, ["systemd-run", *unit, "dovecot", "-F", "-c", f"{_PLACE}/dovecot.conf"])
    try:
        host = on.lab.host(NET1)
        yield Way("a bare Dovecot", host.ipv4, host.fqdn, BARE, secrets)
    finally:
        on.must(NET1, ["systemctl", "stop", "danhba-bench"])
        on.must(NET1, ["rm", "-r", _PLACE])


def _rates(found: Logins) -> Iterator[str]:
    yield f"| {found.people:,} officials | logins/s | of the {NEEDED}/s needed | of the edge's |"
    yield "|---|---|---|---|"
    edge = statistics.median(found.rates[THROUGH])
    for way, rates in found.rates.items():
        median = statistics.median(rates)
        spread = f"{min(rates):.0f}–{max(rates):.0f}; {len(rates)}"
        ratios = f"{median / NEEDED:.1f} times | {median / edge:.1f} times"
        yield f"| {way} | {median:.0f} ({spread}) | {ratios} |"


def _processor(found: Logins) -> Iterator[str]:
    """Units below a tenth of a millisecond a login are left out."""
    yield f"| processor, ms a login | {THROUGH} | cores for {NEEDED}/s |"
    yield "|---|---|---|"
    for (host, unit), spent in sorted(found.spent.items()):
        if (each := spent / found.done * 1000) >= _WORTH_MILLISECONDS:
            yield f"| {host}: {unit} | {each:.1f} | {each * NEEDED / 1000:.2f} |"


def _memory(found: Logins, roles: dict[str, str]) -> Iterator[str]:
    """Units below two megabytes in every column have no row of their own."""
    moments = list(found.memory)
    yield f"| memory, MB | {' | '.join(moments)} |"
    yield "|---|" + "---|" * len(moments)
    for host in found.memory[moments[0]]:
        units = sorted({unit for memory in found.memory.values() for unit in memory[host]})
        for unit in units:
            used = [memory[host].get(unit, 0.0) for memory in found.memory.values()]
            if max(used) >= _WORTH_MEGABYTES:
                yield f"| {host}: {unit} | {' | '.join(f'{each:.0f}' for each in used)} |"
        whole = [sum(memory[host].values()) for memory in found.memory.values()]
        cells = " | ".join(f"**{each:.0f}**" for each in whole)
        yield f"| **{host}** ({roles[host]}) | {cells} |"


def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=CA_FILE)
