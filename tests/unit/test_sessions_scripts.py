"""The scripts that end sessions, run as a host runs them, with commands that note their arguments
and answer what a test says."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from danhba.render import render

DOVEADM = """#!/bin/sh
{{ printf '<%s>' "$@"; echo; }} >>{here}/calls
case "$*" in
*who) cat {here}/sessions; exit "$(cat {here}/who_exits)" ;;
*) exit "$(cat {here}/kick_exits)" ;;
esac
"""
PKILL = """#!/bin/sh
{{ printf '<%s>' "$@"; echo; }} >>{here}/calls
exit "$(cat {here}/pkill_exits)"
"""
HEAD = "username\t#\tproto\t(pids)\t(ips)\n"
WHO = "<-f><tab><who>"
NO_HOST = 68
TEMPORARY = 75


class Host:
    """Whose files lie below a folder."""

    def __init__(self, here: Path, role: str) -> None:
        self.here = here
        self.seen, self.grants, self.blocked = here / "seen", here / "grants", here / "blocked"
        paths = {"seen": self.seen, "grants": self.grants, "blocked": self.blocked}
        self._put("end-sessions", render(f"sessions/{role}", **paths).decode())
        self._put("bin/doveadm", DOVEADM.format(here=here))
        self._put("bin/pkill", PKILL.format(here=here))
        self.exits(who=0, kick=0, pkill=0)
        self.has([], [], [])

    def _put(self, name: str, script: str) -> None:
        path = self.here / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def exits(self, **codes: int) -> None:
        """With what the commands end."""
        for command, code in codes.items():
            (self.here / f"{command}_exits").write_text(str(code), encoding="utf-8")

    def has(self, sessions: Iterable[str], blocked: Iterable[str], grants: Iterable[str]) -> None:
        """Who is logged in; what the tables say, in any order."""
        rows = "".join(f"{user}\t1\timap\t(7)\t(198.18.0.1)\n" for user in sessions)
        (self.here / "sessions").write_text(HEAD + rows, encoding="utf-8")
        for path, keys in ((self.blocked, blocked), (self.grants, grants)):
            path.write_text("".join(f"{key}:::::::\n" for key in keys), encoding="utf-8")

    def run(self, *accounts: str) -> tuple[int, list[str]]:
        """How the script ends, and how it has called the commands."""
        calls = self.here / "calls"
        calls.write_text("", encoding="utf-8")
        path = f"{self.here / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            [self.here / "end-sessions", *accounts],
            env={**os.environ, "PATH": path}, check=False, cwd="/",
        )  # fmt: skip
        return done.returncode, calls.read_text(encoding="utf-8").splitlines()


def kicks(*users: str) -> list[str]:
    return [WHO, *(f"<kick><{user}>" for user in users)]


# A store


ALL = ("an@x", "binh@x", "chi@x", "soyte@x", "sonoivu@x")
GRANTS = ("an@x>soyte@x", "binh@x>soyte@x", "chi@x>sonoivu@x")


@pytest.fixture
def store(tmp_path: Path) -> Host:
    return Host(tmp_path, "store")


@pytest.fixture
def running(store: Host) -> Host:
    """Since its start nobody has lost anything."""
    store.has(ALL, [], GRANTS)
    assert store.run() == (0, kicks())
    return store


def test_who_is_blocked_and_logged_in_is_kicked(store: Host) -> None:
    store.has(["an@x", "binh@x", "an@x"], ["chi@x", "an@x"], GRANTS)
    assert store.run() == (0, kicks("an@x"))


def test_nobody_is_kicked_where_nobody_is_logged_in(store: Host) -> None:
    store.has([], ["chi@x", "an@x"], GRANTS)
    assert store.run() == (0, kicks())
    store.has([], ["chi@x", "an@x"], [])
    assert store.run() == (0, kicks())


@pytest.mark.parametrize(("left", "kicked"), [
    (GRANTS[1:], ["soyte@x"]), (GRANTS[:1], ["sonoivu@x", "soyte@x"]),
    ((), ["sonoivu@x", "soyte@x"]), (GRANTS[::-1], []), ((*GRANTS, "chi@x>soyte@x"), []),
    (("chi@x>soyte@x", *GRANTS[:2]), ["sonoivu@x"]),
])  # fmt: skip
def test_a_mailbox_that_has_lost_a_keeper_is_left_by_all_and_no_other_one(
    running: Host, left: tuple[str, ...], kicked: list[str]
) -> None:
    running.has(ALL, [], left)
    assert running.run() == (0, kicks(*kicked))
    assert running.run() == (0, kicks())  # once


def test_who_is_blocked_and_what_he_kept_end_together(running: Host) -> None:
    running.has(ALL, ["an@x"], GRANTS[1:])
    assert running.run() == (0, kicks("an@x", "soyte@x"))


def test_after_a_boot_nothing_was_seen_before(running: Host) -> None:
    for path in running.seen.iterdir():
        path.unlink()
    running.seen.rmdir()
    running.has(ALL, ["chi@x"], GRANTS[1:])
    assert running.run() == (0, kicks("chi@x"))
    running.has(ALL, ["chi@x"], [])
    assert running.run() == (0, kicks("chi@x", "sonoivu@x", "soyte@x"))


def test_who_has_just_left_by_himself_is_no_failure(running: Host) -> None:
    running.exits(kick=NO_HOST)
    running.has(ALL, ["an@x", "chi@x"], GRANTS[1:])
    assert running.run() == (0, kicks("an@x", "chi@x", "soyte@x"))
    assert running.run() == (0, kicks("an@x", "chi@x"))


@pytest.mark.parametrize(("command", "code"), [("who", TEMPORARY), ("who", 1), ("kick", 1),
                                               ("kick", TEMPORARY)])  # fmt: skip
def test_what_was_not_ended_is_a_failure_and_is_not_forgotten(
    running: Host, command: str, code: int
) -> None:
    running.has(ALL, [], GRANTS[1:])
    running.exits(**{command: code})
    for _ in range(2):
        returned, calls = running.run()
        assert returned != 0
        assert calls == (kicks() if command == "who" else kicks("soyte@x"))
    running.exits(who=0, kick=0)
    assert running.run() == (0, kicks("soyte@x"))
    assert running.run() == (0, kicks())


def test_a_keeper_who_is_lost_while_it_fails_is_not_forgotten_either(running: Host) -> None:
    running.exits(who=TEMPORARY)
    for left in (GRANTS[1:], GRANTS[1:2]):
        running.has(ALL, [], left)
        assert running.run()[0] != 0
    running.exits(who=0)
    assert running.run() == (0, kicks("sonoivu@x", "soyte@x"))


@pytest.mark.parametrize("name", ["a  b@x", "$(id)@x", "*@x", "a;b@x", "a\\nb@x", "a'b@x"])
def test_a_name_is_one_argument_whatever_is_in_it(store: Host, name: str) -> None:
    store.has([name, "an@x"], [name], [])
    assert store.run() == (0, kicks(name))


# An edge


@pytest.fixture
def edge(tmp_path: Path) -> Host:
    return Host(tmp_path, "edge")


KILL = ["<-f><^smtpd -n submissions? >"]


def test_after_a_boot_there_is_nothing_to_end(edge: Host) -> None:
    edge.has([], ["an"], ["an@x>stc@x"])
    assert edge.run() == (0, [])


@pytest.mark.parametrize(
    ("blocked", "grants", "calls"),
    [
        (["an"], ["an@x>stc@x"], []),
        (["an", "binh"], ["an@x>stc@x"], KILL),
        ([], ["an@x>stc@x"], []),
        (["an"], [], KILL),
        (["an"], ["an@x>stc@x", "binh@x>stc@x"], []),
        (["an"], ["binh@x>stc@x"], KILL),
    ],
    ids=["nothing", "a lock", "an unlock", "a keeper less", "a keeper more", "another keeper"],
)
def test_sending_ends_when_somebody_may_less(
    edge: Host, blocked: list[str], grants: list[str], calls: list[str]
) -> None:
    edge.has([], ["an"], ["an@x>stc@x"])
    edge.run()
    edge.has([], blocked, grants)
    assert [edge.run(), edge.run()] == [(0, calls), (0, [])]


def test_nothing_to_kill_is_no_failure(edge: Host) -> None:
    edge.run()
    edge.exits(pkill=1)
    edge.has([], ["an"], [])
    assert edge.run() == (0, KILL)


@pytest.mark.parametrize("code", [2, 3])
def test_a_kill_that_fails_is_a_failure_and_done_again(edge: Host, code: int) -> None:
    edge.run()
    edge.exits(pkill=code)
    edge.has([], ["an"], [])
    returned, calls = edge.run()
    assert returned and calls == KILL
    edge.exits(pkill=0)
    assert edge.run() == (0, KILL)


# A new password: with accounts as arguments


def test_who_has_a_new_password_is_kicked_and_so_are_the_mailboxes_he_keeps(running: Host) -> None:
    assert running.run("an@x") == (0, kicks("an@x", "soyte@x"))
    assert running.run("an@xx", "an") == (0, kicks())
    assert running.run() == (0, kicks())


def test_one_waits_for_the_other(running: Host) -> None:
    """An apply and a new password at once: each writes the same files."""
    other = os.open(running.seen, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    script, path = running.here / "end-sessions", f"{running.here / 'bin'}:{os.environ['PATH']}"
    (running.here / "calls").write_text("", encoding="utf-8")
    with subprocess.Popen([script, "an@x"], env={**os.environ, "PATH": path}) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
        assert (running.here / "calls").read_text(encoding="utf-8") == ""
        os.close(other)
        assert waiting.wait(10) == 0
    calls = (running.here / "calls").read_text(encoding="utf-8").splitlines()
    assert calls == kicks("an@x", "soyte@x")


def test_an_account_does_not_make_a_store_forget_what_an_apply_has_to_end(running: Host) -> None:
    running.has(ALL, [], GRANTS[1:])
    running.run("chi@x")
    assert running.run() == (0, kicks("soyte@x"))


def test_a_store_that_does_not_say_who_is_there_has_ended_nothing(running: Host) -> None:
    running.exits(who=TEMPORARY)
    assert running.run("an@x") == (TEMPORARY, [WHO])


def test_an_edge_ends_sending_for_an_account_whether_it_ran_before_or_not(tmp_path: Path) -> None:
    edge = Host(tmp_path, "edge")
    _, calls = edge.run("an@x")
    assert len(calls) == 1
