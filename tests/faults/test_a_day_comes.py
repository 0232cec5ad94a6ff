"""What is written for a day happens on it without an engineer, and nothing else does (Điều 6)."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from control import ENGINEER, SERVICE, STAMP, TIMER, Control
from province import Province, wait_for
from test_interrupted import watch_and_kill

from danhba.days import months_after, today
from danhba.project import ROOT

PARTS = ("danhba", "deploys", "templates", "inventory", "staging")
ONE = timedelta(days=1)
TODAY = today("Asia/Ho_Chi_Minh")
DAY = TODAY + timedelta(days=20)
ARCHIVED = months_after(DAY, 12) + ONE
REMOVED = ARCHIVED + 30 * ONE
LATER = REMOVED + 30 * ONE
"""Of an archive that was made on REMOVED only."""
NAME = "ngay.nghi"
NOW = "ngay.nay"
"""Whose day is today, on a control machine that has systemd."""
HEIR = "sotaichinh"
FORMERLY = "ngay.cu"
OLD_NAME = FORMERLY + ": {{to: " + HEIR + ", until: {until}}}"
LAST = TODAY + timedelta(days=300)
ARCHIVE = f"/srv/archive/{NAME}.{DAY}.tar"
MAILBOX = f"/srv/mail/{NAME}"
UNPACKED = f"/srv/mail/.{NAME}.restore"
BALLAST = f"{MAILBOX}/ballast"
A_DAY_AHEAD = """
import sys, time
from datetime import date
now = time.time
time.time = lambda: now() + 86400
import on_day
on_day.on(date.fromisoformat(sys.argv[1]))
on_day.main(sys.argv[2:])
"""
HELD = {"who": "an@may-khac", "since": "2026-11-25", "token": "x", "machine": "may-khac"}


@pytest.fixture(scope="module")
def closed(province: Province) -> str:
    """An agency that is part of another one, which has its mail for a year."""
    decided = ("--decision", "9/QĐ-THU")
    added = province.danhba("agency", "add", "Sở Thử ngày", "--kind", "so", *decided).stdout
    address = added.strip().partition("@")[0]
    province.danhba("agency", "merge", address, "--into", HEIR, *decided)
    return address


@pytest.fixture(scope="module")
def committed(
    province: Province, closed: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Province]:
    """A checkout as it was applied yesterday: from today on NOW is withdrawn, and FORMERLY and the
    closed agency receive no more; NAME is withdrawn from DAY on. The days are those of its
    province; the hosts' clocks go on as they do."""
    province.add_officials(NAME, NOW)
    province.edit("\n  postmaster:", f"\n  {OLD_NAME.format(until=LAST)}\n  postmaster:")
    province.apply()
    root = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".gitignore").write_text("__pycache__/\n.danhba/\n")
    directory = root / "directory.yaml"
    # What the tests before have written for today was so yesterday already; what comes earlier is
    # approved anew.
    text = province.directory.read_text().replace(str(TODAY), str(TODAY - ONE))
    text = re.sub(r"(?m)^  (\S+): \{agencies: ", r"  A\1: {agencies: ", text)
    directory.write_text(text)
    own = Province(province.lab, directory, province.passwords, root)
    for name, day in ((NAME, DAY), (NOW, TODAY)):
        own.danhba("withdraw", name, "--reason", "nghỉ hưu", "--decision", "9/QĐ-THU",
                   "--from", str(day))  # fmt: skip
    own.edit(OLD_NAME.format(until=LAST), OLD_NAME.format(until=TODAY - ONE))
    end(own, closed)
    git(root, "init", "-q")
    commit(root)
    replace(own, day=TODAY - ONE).danhba("apply", "staging", "--yes")
    yield own
    for store in province.environment.having("store"):
        archives = f"/srv/archive/{NAME}.* /srv/archive/{NOW}.*"
        province.lab.run(store.name, ["sh", "-c", f"rm -f {BALLAST} {archives}"])
    province.apply()
    assert province.plan_status() == 0


def end(province: Province, agency: str) -> None:
    """As if the agency had been merged long ago, and yesterday was the last day of its address."""
    before, name, after = province.directory.read_text().partition(f"\n  {agency}:\n")
    line = next(row for row in after.splitlines() if f"successors: [{HEIR}]" in row)
    past = re.sub(r"from: \S+,", f"from: {TODAY - 90 * ONE},", line)
    past = re.sub(r"until: [^},]+", f"until: {TODAY - ONE}", past)
    province.directory.write_text(before + name + after.replace(line, past, 1))


@pytest.fixture(scope="module")
def control(committed: Province) -> Iterator[Control]:
    """With the timer as docs/life-cycle.md says."""
    found = Control(committed.lab)
    found.remove()
    try:
        found.place(committed.root)
        found.danhba("timer", "staging", "--install")
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="module")
def kept(committed: Province) -> str:
    """A message from before the withdrawal."""
    return committed.deliver(NAME)


def git(root: Path, *arguments: str) -> None:
    argv = ["git", "-C", str(root), "-c", "user.name=thu", "-c", "user.email=thu@may.test"]
    subprocess.run([*argv, *arguments], check=True)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "thu")


def dated(province: Province, day: date) -> subprocess.CompletedProcess[str]:
    return replace(province, day=day).danhba("apply", "staging", "--dated", check=False)


def status(province: Province, day: date) -> subprocess.CompletedProcess[str]:
    return replace(province, day=day).danhba("status", "staging", check=False)


def live(province: Province) -> list[str]:
    return [province.live(host.name) for host in province.environment.hosts]


def refuses(province: Province, name: str = NAME) -> bool:
    """Is mail for who left refused as it should be, by the edge?"""
    with smtplib.SMTP("198.18.0.11", 25, timeout=30) as smtp:
        smtp.ehlo("may.test")
        smtp.mail("lan@ngoaitinh.test")
        code, text = smtp.rcpt(province.mail(name))
    assert code == 250 or text.startswith(b"5.2.1")
    return code != 250


def test_the_timer_waits_for_two_minutes_after_every_half_hour(control: Control) -> None:
    assert control.run("systemctl", "is-enabled", TIMER) == "enabled"
    assert control.run("systemd-analyze", "verify", SERVICE, TIMER) == ""
    [then] = control.shell(
        f'date +%M -d "$(systemctl show -P NextElapseUSecRealtime {TIMER})"'
    ).splitlines()
    assert then in ("02", "32")
    assert control.shows(SERVICE, "User") == [ENGINEER]


def test_the_timer_carries_the_day_out_and_no_engineer_is_there(
    committed: Province, closed: str, control: Control
) -> None:
    """The unit as installed, by systemd, as somebody who is not root there; only more often."""
    ended = (NOW, FORMERLY, closed)
    assert not any(refuses(committed, name) for name in ended)
    control.often()
    try:
        wait_for(lambda: refuses(committed, NOW), "mail is refused", limit=60)
    finally:
        control.seldom()
    assert all(refuses(committed, name) for name in ended)
    assert control.shows(SERVICE, "Result", "ExecMainStatus") == ["success", "0"]
    assert "Applied." in control.journal()
    assert committed.plan_status() == 0


def test_a_run_that_was_missed_is_made_up_for_when_the_machine_is_back(control: Control) -> None:
    control.shell(f"systemctl stop {TIMER}; touch -d '2 hours ago' {STAMP}")
    [before] = control.shows(SERVICE, "ExecMainStartTimestampMonotonic")
    control.shell(f"systemctl start {TIMER}")

    def made_up() -> bool:
        began, *ended = control.shows(
            SERVICE, "ExecMainStartTimestampMonotonic", "ActiveState", "Result"
        )
        return began != before and ended == ["inactive", "success"]

    wait_for(made_up, "the run that was missed")


def test_a_run_that_fails_is_seen_and_the_next_one_that_does_not_ends_it(control: Control) -> None:
    edit = f"su {ENGINEER} -c 'cd {ROOT} && git %s'"
    control.shell(f"echo '# tay' >>{ROOT}/directory.yaml")
    assert control.start() != 0
    assert control.shows(SERVICE, "Result", "ExecMainStatus") == ["exit-code", "1"]
    assert SERVICE in control.run("systemctl", "--failed", "--no-legend", "--plain")
    assert "not what git has" in control.journal()
    control.shell(edit % "checkout -q directory.yaml")
    assert control.start() == 0
    assert SERVICE not in control.run("systemctl", "--failed", "--no-legend", "--plain")


def test_before_the_day_there_is_nothing_to_do_and_the_day_is_on_the_list(
    committed: Province, kept: str
) -> None:
    before = live(committed)
    done = dated(committed, DAY - ONE)
    assert (done.returncode, live(committed)) == (0, before), done.stderr
    rows = committed.lab.run("mx1", ["cat", "/etc/danhba/ahead"]).stdout.splitlines()
    assert rows[0] == "Asia/Ho_Chi_Minh"
    for day, what in ((DAY, "withdrawn"), (ARCHIVED, "mailbox archived"),
                      (REMOVED, "mailbox removed")):  # fmt: skip
        assert f"{day} {NAME} {what}" in rows
    assert "due since" not in status(committed, DAY - ONE).stdout


def test_what_nobody_has_reviewed_or_applied_does_not_go_along(committed: Province) -> None:
    before, text = live(committed), committed.directory.read_text()
    committed.danhba("lock", "ngay.nghi", "--reason", "lộ mật khẩu")
    done = dated(committed, DAY)
    assert done.returncode == 1
    assert "not what git has" in done.stderr
    commit(committed.root)
    done = dated(committed, DAY)
    assert done.returncode == 1
    assert f"not what this checkout gives for {DAY - ONE}" in done.stderr
    assert live(committed) == before
    committed.directory.write_text(text)
    commit(committed.root)


def test_a_file_that_was_edited_on_a_host_stops_it(committed: Province) -> None:
    path = "/var/lib/danhba/current/files/etc/postfix/main.cf"
    committed.lab.run("mx1", ["sh", "-c", f"cp -p {path} /root/main.cf; echo '# tay' >>{path}"])
    done = dated(committed, DAY)
    committed.lab.run("mx1", ["mv", "/root/main.cf", path])
    assert done.returncode == 1
    assert "mx1: /etc/postfix/main.cf edited" in done.stderr


def test_a_control_machine_whose_clock_is_wrong_brings_no_day(committed: Province) -> None:
    """It would lock people out, and archive their mail, before their time."""
    before = live(committed)
    argv = [sys.executable, "-c", A_DAY_AHEAD, str(DAY), "--directory", str(committed.directory)]
    path = f"{committed.root}:{ROOT / 'tests'}"
    done = subprocess.run(
        [*argv, "apply", "staging", "--dated"], env={**os.environ, "PYTHONPATH": path},
        cwd=committed.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "clocks do not agree" in done.stderr
    assert done.stdout.count(" s behind this machine's") == len(committed.environment.hosts)
    assert live(committed) == before


def test_a_lock_or_a_host_that_is_down_means_later(committed: Province) -> None:
    before = live(committed)
    write = ["sh", "-c", "cat >/var/lib/danhba/lock"]
    committed.lab.run("mx1", write, input=json.dumps(HELD))
    held = dated(committed, DAY)
    committed.lab.run("mx1", ["rm", "/var/lib/danhba/lock"])
    assert held.returncode == 1
    assert "locked by an@may-khac" in held.stderr
    committed.lab.cut("store1")
    try:
        down = dated(committed, DAY)
    finally:
        committed.lab.join("store1")
    assert down.returncode == 1
    assert live(committed) == before
    late = status(committed, DAY + ONE)
    assert late.returncode == 2
    told = late.stdout.count(f"dated changes due since {DAY}, not applied: 1")
    assert told == len(committed.environment.hosts)


def test_on_the_day_it_happens_though_the_run_is_killed_and_then_nothing_is_left(
    committed: Province,
) -> None:
    assert not refuses(committed)
    own = replace(committed, day=DAY)
    process = own.started_until("Swap and reload: edges", "--dated")
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    done = dated(committed, DAY)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: refuses(committed), "mail is refused")
    again = dated(committed, DAY + ONE)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("nothing to do") == len(committed.environment.hosts)
    assert "due since" not in status(committed, DAY + ONE).stdout


def on_store(province: Province, *argv: str) -> str:
    return str(province.lab.run(province.home(NAME), list(argv)).stdout).strip()


def test_when_its_time_has_passed_the_mailbox_is_archived_and_stays(
    province: Province, committed: Province
) -> None:
    """The archive holds every file of it, and the plan says so before."""
    own = replace(committed, day=ARCHIVED)
    kept = f"{NAME} (withdrawn since {DAY}, kept until {ARCHIVED - ONE};"
    plan = own.danhba("plan", "staging", check=False).stdout
    assert f"archive mailbox: {kept} to be removed from {REMOVED})" in plan
    assert "remove mailbox" not in plan
    done = dated(committed, ARCHIVED)
    assert done.returncode == 0, done.stderr
    plan = own.danhba("plan", "staging").stdout
    assert f"keep mailbox: {kept} archive of {ARCHIVED}, to be removed from {REMOVED})" in plan
    files = on_store(committed, "find", MAILBOX, "-type", "f", "-printf", "%P\n")
    packed = on_store(committed, "tar", "-tf", ARCHIVE)
    assert {f"{NAME}/{path}" for path in files.splitlines()} <= set(packed.splitlines())
    assert on_store(committed, "stat", "-c", "%U %a", "/srv/archive", ARCHIVE).splitlines() == [
        "root 700", "root 600",
    ]  # fmt: skip


def test_no_run_that_archives_removes_and_one_that_is_killed_goes_on(
    province: Province, committed: Province
) -> None:
    on_store(committed, "sh", "-c", f"printf x | dd of={ARCHIVE} bs=1 seek=700 conv=notrunc")
    own = replace(committed, day=REMOVED)
    plans = {each["host"]: each for each in own.plan()}
    home = committed.home(NAME)
    assert committed.dn(NAME) in {each["dn"] for each in plans[home]["entries"]}
    [meant] = of_him(plans.pop(home))  # the other store goes by its own archive
    assert meant["action"] == "archive"
    assert meant["why"].endswith(f"its archive is damaged; to be removed from {LATER}")
    assert [box["action"] for each in plans.values() for box in of_him(each)] == ["remove"]
    # Else the archive is whole before anything can be killed.
    on_store(committed, "dd", "if=/dev/zero", f"of={BALLAST}", "bs=1M", "count=200")
    watcher = watch_and_kill(committed, home, f"[ -e /srv/archive/.{NAME}.{DAY}.tar.new ]")
    killed = dated(committed, REMOVED)
    assert watcher.communicate(timeout=60)[0].strip() == "killed"
    assert killed.returncode == 1
    assert on_store(committed, "ls", MAILBOX)
    done = dated(committed, REMOVED)
    assert done.returncode == 0, done.stderr
    plan = own.danhba("plan", "staging").stdout
    assert plan.count("nothing to do") == len(own.environment.hosts)
    assert f"archive of {REMOVED}, to be removed from {LATER})" in plan
    assert on_store(committed, "ls", MAILBOX)
    assert "not this store's" not in status(committed, REMOVED).stdout
    assert committed.in_ldap(f"(uid={NAME})") == set()
    assert refuses(committed)


def of_him(plan: dict[str, Any]) -> list[dict[str, str]]:
    return [box for box in plan["boxes"] if box["account"] == NAME]


def test_it_is_removed_when_it_was_archived_long_enough_ago(committed: Province) -> None:
    text = committed.directory.read_text()
    committed.directory.write_text(retired(text))
    early = replace(committed, day=LATER - ONE).danhba("plan", "staging", check=False)
    committed.directory.write_text(text)
    assert f"REFUSED: would be gone from this host: {NAME} (its mailbox is not yet" in early.stdout
    done = dated(committed, LATER)
    assert done.returncode == 0, done.stderr
    assert f"remove mailbox: {NAME}" in done.stdout
    for store in committed.environment.having("store"):
        there = committed.lab.run(store.name, ["ls", "-A", "/srv/mail"]).stdout.split()
        assert NAME not in there
        assert f".{NAME}.removed" not in there
    assert on_store(committed, "ls", ARCHIVE)
    assert replace(committed, day=LATER).plan_status() == 0


def retired(text: str) -> str:
    """The directory without his line, with his address kept from others."""
    line = next(row for row in text.splitlines() if f"address: {NAME}," in row)
    kept = f"retired:\n  {NAME}: {{was: Nguyễn Thử, since: {REMOVED}}}\nreserved:"
    return text.replace(f"{line}\n", "").replace("reserved:", kept, 1)


def test_the_line_may_leave_the_file_then_and_the_address_stays_refused(
    committed: Province,
) -> None:
    """Before, the check and the apply refuse it: there would be a mailbox of nobody."""
    text = committed.directory.read_text()
    committed.directory.write_text(retired(text))
    own = replace(committed, day=LATER)
    early = replace(committed, day=REMOVED - ONE)
    revision = ("check", "--since", "HEAD")
    assert "is kept until it is archived" in early.danhba(*revision, check=False).stdout
    assert own.danhba(*revision, check=False).returncode == 0
    own.danhba("apply", "staging", "--yes")
    assert refuses(committed)
    committed.directory.write_text(text)


def test_who_comes_back_then_has_the_mail_of_the_archive_again(
    province: Province, committed: Province, kept: str
) -> None:
    """Restored as docs/life-cycle.md says, before the apply that lets him in. Its standby gets what
    comes then."""
    on_store(committed, "mkdir", "-m", "0700", UNPACKED)
    on_store(committed, "tar", "-xpf", ARCHIVE, "-C", UNPACKED)
    on_store(committed, "mv", "-T", f"{UNPACKED}/{NAME}", MAILBOX)
    on_store(committed, "rmdir", UNPACKED)
    own = replace(committed, day=LATER)
    own.danhba("reinstate", NAME, "--decision", "10/QĐ-THU")
    own.danhba("apply", "staging", "--yes")
    assert committed.has(NAME, kept)
    new = committed.deliver(NAME)
    wait_for(lambda: committed.has(NAME, new, committed.standby(NAME)), "on the standby", 60)
    assert NAME not in committed.with_password()
