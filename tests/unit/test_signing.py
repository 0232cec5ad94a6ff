"""Keys for DKIM: when one takes the other's place, whatever DNS says and wherever a run ended."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from danhba.signing import rotation
from danhba.signing.pairs import KINDS, Home, Pair
from danhba.signing.records import shows, text, zone_line
from danhba.signing.servers import NoAnswer, Said

DAY = 24 * 3600


class Dns:
    """Two name servers; records: what each has. ttl: of everything."""

    def __init__(self) -> None:
        self.servers: dict[str, dict[str, str]] = {"ns1.": {}, "ns2.": {}}
        self.silent = False

    def ask(self, names: Iterable[str]) -> list[Said]:
        if self.silent:
            raise NoAnswer("ns2. is silent")
        names = list(names)
        return [
            Said(server, {name: ((rows[name],) if name in rows else ()) for name in names}, 60)
            for server, rows in self.servers.items()
        ]

    def publish(self, pair: Pair, *servers: str) -> None:
        for server in servers or self.servers:
            for kind, public in pair.public.items():
                name = f"{pair.selector(kind)}._domainkey.a.vn."
                self.servers[server][name] = text(kind, public)


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Dns:
    found = Dns()
    monkeypatch.setattr(rotation, "ask", found.ask)
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass."""
    now = [1_800_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dns: Dns, clock: Callable[[float], None]
) -> Home:
    """An edge that has its first pair."""

    def generate(self: Home, path: Path, kind: str) -> str:
        path.write_text("secret")
        return f"{kind}{path.parent.name[-6:]}"

    monkeypatch.setattr(Home, "_generate", generate)
    found = Home(tmp_path / "keys", "mx1", "a.vn", pwd.getpwuid(os.getuid()).pw_name)
    with found.locked():
        rotation.first(found)
    return found


def test_the_first_pair_signs_at_once_and_stays(home: Home) -> None:
    keys = home.read()
    assert keys.signing == keys.pairs[0].name
    rotation.first(home)
    assert home.read() == keys


def test_young_keys_are_not_rotated(home: Home, clock: Callable[[float], None]) -> None:
    assert rotation.rotate(home, again=False) == []
    clock(rotation.RECENT + 1)
    assert rotation.rotate(home, again=False) == [f"made {home.read().pairs[1].name}"]
    # The next call goes on with it.
    assert rotation.rotate(home, again=True) == []


def _begun(home: Home) -> tuple[Pair, Pair]:
    """The pair in use, and the next one."""
    rotation.rotate(home, again=True)
    keys = home.read()
    old, new = keys.current(), keys.next()
    assert old and new
    return old, new


def test_switched_when_all_servers_have_it_and_all_resolvers_forgot(
    home: Home, dns: Dns, clock: Callable[[float], None]
) -> None:
    old, new = _begun(home)
    dns.publish(new, "ns1.")
    for _ in range(2):
        assert rotation.rotate(home, again=False) == []
        clock(1000)
    dns.publish(new)
    assert rotation.rotate(home, again=False) == []
    clock(59)
    assert rotation.rotate(home, again=False) == []
    clock(1)
    assert rotation.rotate(home, again=False) == [f"signs with {new.name}"]
    assert home.read().signing == new.name
    assert home.read().former()[0].name == old.name


def test_a_record_that_goes_again_is_waited_for_anew(
    home: Home, dns: Dns, clock: Callable[[float], None]
) -> None:
    _, new = _begun(home)
    dns.publish(new)
    rotation.rotate(home, again=False)
    gone, dns.servers["ns2."] = dns.servers["ns2."], {}
    rotation.rotate(home, again=False)
    clock(1000)
    dns.servers["ns2."] = gone
    assert rotation.rotate(home, again=False) == []
    clock(60)
    assert rotation.rotate(home, again=False) == [f"signs with {new.name}"]


@pytest.mark.parametrize("wrong", ["silent", "other key", "one kind"])
def test_nothing_is_switched_on_the_word_of_half_a_dns(
    home: Home, dns: Dns, clock: Callable[[float], None], wrong: str
) -> None:
    old, new = _begun(home)
    dns.publish(new)
    name = f"{new.selector('ed25519')}._domainkey.a.vn."
    if wrong == "silent":
        dns.silent = True
    elif wrong == "other key":
        dns.servers["ns2."][name] = text("ed25519", "other")
    else:
        del dns.servers["ns2."][name]
    for _ in range(2):
        assert rotation.rotate(home, again=False) == []
        clock(1000)
    assert home.read().signing == old.name


def test_old_records_stay_thirty_days_and_are_forgotten_when_dns_has(
    home: Home, dns: Dns, clock: Callable[[float], None]
) -> None:
    old, new = _begun(home)
    dns.publish(old)
    dns.publish(new)
    rotation.rotate(home, again=False)
    clock(60)
    rotation.rotate(home, again=False)
    clock(600)
    rotation.rotate(home, again=False)
    # Nobody can sign with it any more; that there was one is still known.
    assert not home.key(old, "rsa").exists() and home.usable(new)
    clock(6 * DAY)
    rotation.rotate(home, again=False)
    assert _role(home, old) == "former"
    clock(24 * DAY)
    # A rotation ends with that: no other one begins before.
    assert rotation.rotate(home, again=False) == []
    assert _role(home, old) == "retired"
    for rows in dns.servers.values():
        for kind in KINDS:
            del rows[f"{old.selector(kind)}._domainkey.a.vn."]
    dns.silent = True
    rotation.rotate(home, again=False)
    assert _role(home, old) == "retired"
    dns.silent = False
    assert rotation.rotate(home, again=False) == [f"forgot {old.name}"]
    assert rotation.rotate(home, again=False)[0].startswith("made ")


def _role(home: Home, pair: Pair) -> object:
    keys = home.read()
    rows = rotation.state(home, keys, rotation.look(home, keys), rotation.time.time())
    return next(row["role"] for row in rows if row["name"] == pair.name)


def test_what_a_cut_left_half_made_is_swept(home: Home) -> None:
    half = home.place / "mx1-20261126-ffffff"
    half.mkdir()
    (half / "rsa.key").write_text("secret")
    _, new = _begun(home)
    assert not half.exists() and home.usable(new)


def test_unusable_keys_are_replaced_however_young(home: Home) -> None:
    old = home.read().pairs[0]
    home.key(old, "ed25519").unlink()
    assert rotation.troubles(home, home.read()) == [
        "no key to sign with (DKIM), so no mail is sent here: danhba dkim rotate ENV"
    ]
    assert rotation.rotate(home, again=False)[0].startswith("made ")


def test_status_names_what_dns_lacks(home: Home, dns: Dns) -> None:
    pair = home.read().pairs[0]
    dns.publish(pair, "ns1.")
    assert rotation.troubles(home, home.read()) == [
        f"ns2. lacks the DKIM records of {pair.name}: danhba dkim show ENV"
    ]
    dns.publish(pair)
    assert rotation.troubles(home, home.read()) == []
    dns.silent = True
    assert all(line.startswith("ok: ") for line in rotation.troubles(home, home.read()))


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        (["v=DKIM1; k=rsa; p=AB"], True),
        (["v=DKIM1;p=A B"], True),
        (["v=DKIM1; k=ed25519; p=AB"], False),
        (["v=DKIM1; k=rsa; p=AC"], False),
        (["v=DKIM1; k=rsa; p="], False),
        (["v=DKIM1; k=rsa; p=AB", "v=DKIM1; k=rsa; p=AB"], False),
        ([], False),
    ],
)
def test_a_record_is_there_however_it_is_written(rows: list[str], seen: bool) -> None:
    assert shows(rows, "rsa", "AB") == seen


def test_a_long_record_is_several_strings() -> None:
    line = zone_line("a.", "x" * 600)
    parts = line.split('"')[1::2]
    assert "".join(parts) == "x" * 600 and max(map(len, parts)) <= 255
    assert line.startswith("a. IN TXT ( ") and line.endswith(" )")
