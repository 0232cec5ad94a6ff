"""Who used his mailbox when is known, of him alone and by his own doing (Điều 6.4, 10.1).

Days of the past are fed into the records as Dovecot writes them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from doors import IMAPS, POP3S, SIEVE, SUBMISSIONS, Door, Line, Refused, enter
from people import GUESSER, Person, official, trusting
from province import Province, wait_for

from danhba.usage.records import EVENTS, TABLES

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DOORS = {"imap": IMAPS, "pop3": POP3S, "sieve": SIEVE, "smtp": SUBMISSIONS}
OTHERS = ("sai", "giu", "cu", "ca", "phien", "quay", "thai")
AGENCY = "sotaichinh"
START = "systemctl start danhba-usage.service"
PROGRAM = "/etc/danhba/usage-records"

_ASK = f"""
import base64, json, subprocess, zlib
done = subprocess.run(['{PROGRAM}', 'ask'], input='{{"sessions": true}}', stdout=-1, text=True)
print(json.dumps(json.loads(zlib.decompress(base64.b64decode(done.stdout)))['last']))
"""
_BEGIN = f"""
import sqlite3, sys
db = sqlite3.connect('{TABLES}')
db.execute('UPDATE begun SET second = ?', (int(sys.argv[1]),))
db.commit()
"""


def today() -> date:
    return datetime.now(ZONE).date()


def second(day: date, clock: str) -> float:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE).timestamp()


def address(name: str) -> str:
    return f"dung.{name}"


@pytest.fixture(scope="module")
def staff(province: Province, edge: str) -> dict[str, Person]:
    """Officials who were registered long ago and never came; one keeps his agency's mailbox."""
    names = [address(each) for each in (*DOORS, *OTHERS)]
    province.add_officials(*names, agency=AGENCY)
    text = province.directory.read_text()
    for name in names:
        text = text.replace(f"address: {name}, since: 2026-11-25", f"address: {name}, "
                            "since: 2025-01-06")  # fmt: skip
    province.directory.write_text(text)
    province.danhba("keeper", AGENCY, "--add", address("giu"))
    until = str(today() + timedelta(days=30))
    province.danhba("leave", address("thai"), "--until", until, "--decision", "12/QĐ-STC")
    province.apply()
    province.choose_passwords([address(each) for each in (*DOORS, *OTHERS[:2], "phien")])
    return {each: official(province, edge, address(each)) for each in (*DOORS, *OTHERS)}


@pytest.fixture(scope="module")
def recorded(province: Province, staff: dict[str, Person]) -> Iterator[dict[str, Any]]:
    """What an engineer is told after all of them did what they do, with records of a year."""
    hosts = [host.name for host in province.environment.hosts if host.roles != ("people",)]
    for host in hosts:
        province.lab.run(host, ["sh", "-c", START])
        province.lab.run(
            host, ["python3", "-c", _BEGIN, str(int(second(date(2025, 1, 1), "00:00")))]
        )
    for protocol, door in DOORS.items():
        _enter(door, staff[protocol])
    keeper = staff["giu"]
    _enter(IMAPS, keeper.as_keeper_of(province.mail(AGENCY)))
    for door in (IMAPS, SUBMISSIONS):
        with pytest.raises(Refused):
            enter(door, keeper.server, staff["sai"].login, "sai.mat.khau", trusting(), GUESSER)
    province.has(address("sai"), province.deliver(address("sai")))  # delivered, read by doveadm
    _feed(province, "store1", "cu", _ago(200), _ago(200))
    _feed(province, "store1", "ca", _ago(200), _ago(200))
    _feed(province, "store2", "ca", _ago(170), _ago(170))
    yield _inactive(province)


def _ago(days: int) -> float:
    return second(today() - timedelta(days=days), "10:00")


def _enter(door: Door, person: Person) -> None:
    enter(door, person.server, person.login, person.password, trusting())


def _feed(province: Province, host: str, who: str, first: float, end: float) -> None:
    """An event of Dovecot's, as test_events_hold_account_and_times_and_nothing_else sees them."""
    user = province.mail(address(who))
    row = json.dumps({"start_time": first, "end_time": end, "fields": {"user": user}})
    fed = province.lab.run(host, ["tee", "-a", f"{EVENTS}.{today()}"], f"{row}\n")
    assert fed.returncode == 0, fed.stderr


def _inactive(province: Province) -> dict[str, Any]:
    done = province.danhba("inactive", "staging", "--format", "json")
    rows: dict[str, Any] = {row["address"]: row for row in json.loads(done.stdout)["mailboxes"]}
    return rows


def _last(province: Province, host: str) -> dict[str, int]:
    found: dict[str, int] = json.loads(province.lab.run(host, ["python3", "-c", _ASK]).stdout)
    return found


@pytest.mark.parametrize("protocol", DOORS)
def test_whoever_logs_in_was_there(recorded: dict[str, Any], protocol: str) -> None:
    assert address(protocol) not in recorded


def test_delivery_doveadm_and_wrong_passwords_are_no_access(recorded: dict[str, Any]) -> None:
    row = recorded[address("sai")]
    assert (row["verdict"], row["last"], row["because"]) == ("withdraw", None, "registration")


def test_a_keeper_was_at_the_agency_and_not_at_his_own(recorded: dict[str, Any]) -> None:
    assert recorded[address("giu")]["last"] is None
    assert AGENCY not in recorded


def test_the_later_access_on_either_store_counts(recorded: dict[str, Any]) -> None:
    old, young = recorded[address("cu")], recorded[address("ca")]
    assert (old["verdict"], old["last"]) == ("withdraw", str(today() - timedelta(days=200)))
    assert (young["verdict"], young["last"]) == ("warn", str(today() - timedelta(days=170)))


def test_who_is_on_leave_is_left_out_and_named(recorded: dict[str, Any]) -> None:
    assert recorded[address("thai")]["verdict"] == "spared"


def test_a_session_counts_while_it_lives_and_after_a_reload(
    province: Province, staff: dict[str, Person], recorded: dict[str, Any]
) -> None:
    """A process of before the reload goes on writing to the file of before; so it does when the
    file is set aside meanwhile."""
    person = staff["phien"]
    account, store = address("phien"), province.home(address("phien"))
    with Line(IMAPS, person.server, trusting()) as line:
        line.log_in(person.login, person.password)
        first = _last(province, store)[account]
        wait_for(lambda: _last(province, store)[account] > first, "the session is alive")
        aside, before = f"{EVENTS}.{today()}", f"{EVENTS}.{today() - timedelta(days=1)}"
        assert province.lab.run(store, ["mv", aside, before]).returncode == 0
        assert province.lab.run(store, ["sh", "-c", f"{START} && doveadm reload"]).returncode == 0
        _next_second()  # seconds are what records tell apart
        alive = _last(province, store)[account]
        line.ask("NOOP")
        _next_second()
        ended = int(time.time())
        line.ask("LOGOUT")
    wait_for(lambda: _last(province, store)[account] >= ended > alive, "the end of the session")
    with Line(IMAPS, person.server, trusting()) as line:
        line.log_in(person.login, person.password)
        again = int(time.time())
        line.ask("LOGOUT")
    wait_for(lambda: _last(province, store)[account] >= again, "a session after the rotation")


def _next_second() -> None:
    now = int(time.time())
    wait_for(lambda: int(time.time()) > now, "the next second")


def test_each_slot_of_a_working_day_counts_once(
    province: Province, recorded: dict[str, Any]
) -> None:
    """A session of IDLE over three slots, mail sent in the fourth, all of it told twice."""
    first = (today().replace(day=1) - timedelta(days=1)).replace(day=1)
    day = next(first + timedelta(days=n) for n in range(7) if (first.weekday() + n) % 7 == 1)
    for host in ("store1", "store2", "store1"):
        _feed(province, host, "quay", second(day, "08:30"), second(day, "14:10"))
    for host in ("mx1", "mx2"):
        _feed(province, host, "quay", second(day, "16:05"), second(day, "16:05"))
    saturday = day + timedelta(days=4)
    _feed(province, "store1", "quay", second(saturday, "08:30"), second(saturday, "08:31"))
    done = province.danhba(
        "usage", "staging", "--month", str(first)[:7], "--agency", AGENCY, "--format", "json"
    )
    [row] = [
        row for row in json.loads(done.stdout)["mailboxes"] if row["address"] == address("quay")
    ]
    assert (row["slots"], row["all"]) == ([1, 1, 1, 1], 1)


def test_who_stayed_away_is_withdrawn_by_the_list(
    province: Province, recorded: dict[str, Any]
) -> None:
    kept = province.directory.read_text()
    try:
        done = province.danhba("inactive", "staging", "--write", "--decision", "15/QĐ-STTTT")
        text = province.directory.read_text()
        for name in ("sai", "cu", "giu"):
            [row] = [row for row in text.splitlines() if f"address: {address(name)}," in row]
            assert "status: withdrawn" in row and "không truy xuất 6 tháng" in row
        for name in (*DOORS, "ca", "phien", "thai"):
            [row] = [row for row in text.splitlines() if f"address: {address(name)}," in row]
            assert "status" not in row
        assert f"no longer keeper of {AGENCY}: {address('giu')}" in done.stderr
        assert province.danhba("check").returncode == 0
    finally:
        province.directory.write_text(kept)


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (f"mv {PROGRAM} /root/kept", f"mv /root/kept {PROGRAM}"),
        (f"mv {TABLES} /root/kept && echo x >{TABLES}", f"mv /root/kept {TABLES}"),
    ],
    ids=["no program", "damaged tables"],
)
def test_a_host_that_cannot_answer_ends_the_command(
    province: Province, recorded: dict[str, Any], spoil: str, mend: str
) -> None:
    before = province.directory.read_text()
    assert province.lab.run("mx2", ["sh", "-c", spoil]).returncode == 0
    try:
        _refused(province, "mx2: ")
    finally:
        province.lab.run("mx2", ["sh", "-c", mend])
    assert province.directory.read_text() == before


def test_a_host_that_is_cut_off_ends_the_command(
    province: Province, recorded: dict[str, Any]
) -> None:
    before = province.directory.read_text()
    province.lab.cut("mx2")
    try:
        _refused(province, "mx2")
    finally:
        province.lab.join("mx2")
    assert province.directory.read_text() == before


def _refused(province: Province, host: str) -> None:
    done = province.danhba("inactive", "staging", "--write", "--decision", "15/QĐ", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert host in done.stderr
    assert "nobody is counted while a host's records are missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_lost_records_make_nobody_absent(province: Province, recorded: dict[str, Any]) -> None:
    moved = f"{TABLES}.kept"
    province.lab.run("mx2", ["mv", str(TABLES), moved])
    try:
        done = province.danhba("inactive", "staging")
        assert "nobody stayed away" in done.stdout
        assert f"mx2 {today()}" in done.stdout
        told = province.danhba("inactive", "staging", "--new", "mx2").stdout
        assert f"<{address('sai')}>" in told
    finally:
        province.lab.run("mx2", ["mv", moved, str(TABLES)])
