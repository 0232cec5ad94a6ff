"""What tests do with a province: run the CLI, edit the directory, have users."""

from __future__ import annotations

import json
import os
import secrets
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any

import ldap3

from danhba.check import check_file
from danhba.compile import compile_directory
from danhba.compiled import Compiled, Mailbox
from danhba.inventory import Environment
from danhba.project import ROOT, Project
from staging.config import CA_FILE
from staging.lab import Lab


@dataclass(frozen=True)
class _Account:
    account: str
    since: date = date.max


DANHBA = [sys.executable, "-m", "danhba"]
ON_DAY = [sys.executable, str(ROOT / "tests" / "on_day.py")]


def wait_for(met: Callable[[], bool], what: str, limit: float = 30) -> None:
    """Wait until a condition is met, at most `limit` seconds."""
    deadline = time.monotonic() + limit
    while not met():
        assert time.monotonic() < deadline, f"not within {limit} s: {what}"
        time.sleep(0.1)


@dataclass
class Province:
    """The lab, the copy of the directory that is applied to it, and passwords handed out so far.

    day: what day it is for the CLI, for tests in which one comes; None: today.
    """

    lab: Lab
    directory: Path
    passwords: dict[str, str] = field(default_factory=dict)
    root: Path = ROOT
    inventory: str = "staging"
    day: date | None = None

    def danhba(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the CLI as an engineer does."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        if check:
            assert process.returncode == 0, out + err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def start(
        self, *arguments: str, answer: bool = False, out: int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """The CLI in the background, for tests that break it midway. answer: it may ask."""
        program = [*ON_DAY, str(self.day)] if self.day else DANHBA
        argv = [*program, "--directory", str(self.directory), *arguments]
        env = {**os.environ, "PYTHONPATH": str(self.root)}
        return subprocess.Popen(
            argv, cwd=self.root, env=env, text=True, stdout=out,
            stdin=subprocess.PIPE if answer else subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def started_until(self, seen: str, how: str = "--yes") -> subprocess.Popen[str]:
        """An apply in the background that has just said what it begins to do. Nobody reads its
        plan, which may be more than a pipe holds."""
        process = self.start("apply", self.inventory, how, out=subprocess.DEVNULL)
        assert process.stderr is not None
        while (line := process.stderr.readline()).strip() != seen:
            assert line, f"the apply ended before {seen!r}"
        return process

    def apply(self) -> str:
        return self.danhba("apply", self.inventory, "--yes").stdout

    def plan(self) -> list[dict[str, Any]]:
        """The plan as objects, one a host."""
        done = self.danhba("plan", self.inventory, "--format", "json", check=False)
        assert done.stdout, done.stderr
        plans: list[dict[str, Any]] = json.loads(done.stdout)
        return plans

    def plan_status(self) -> int:
        return self.danhba("plan", self.inventory, check=False).returncode

    def add_officials(self, *addresses: str, agency: str = "sotaichinh") -> None:
        """Write new lines into the copy of the directory, as an engineer's commit would."""
        request = next(
            line.split(":")[0].strip()
            for line in self.directory.read_text().splitlines()
            if f"agency: {agency}," in line
        )
        lines = "".join(
            f'      - {{id: "T{address}", name: Nguyễn Thử, address: {address}, '
            f"since: 2026-11-25, request: {request}, decision: 1/QĐ-THU, "
            "exception: {decision: 1/QĐ-THU, reason: tên thử}}\n"
            for address in addresses
        )
        head, staff, rest = self.directory.read_text().partition(f"\n  {agency}:\n")
        before, mark, after = rest.partition("    staff:\n")
        self.directory.write_text(head + staff + before + mark + lines + after)

    def edit(self, old: str, new: str) -> None:
        """Replace text that the copy of the directory has exactly once."""
        text = self.directory.read_text()
        assert text.count(old) == 1, f"{text.count(old)} times {old!r}"
        self.directory.write_text(text.replace(old, new))

    def deliver(self, address: str, source: str = "198.19.0.1") -> str:
        """Hand the edge a message from outside; its Message-ID, which is in its mailbox by then."""
        message = EmailMessage()
        message["From"], message["To"] = "lan@ngoaitinh.test", self.mail(address)
        message["Subject"] = "Thử"
        message["Message-ID"] = f"<{secrets.token_hex(8)}@ngoaitinh.test>"
        message.set_content("Xin chào")
        edge = self.environment.having("edge")[0].ipv4
        with smtplib.SMTP(edge, 25, timeout=30, source_address=(source, 0)) as smtp:
            smtp.send_message(message)
        identity = str(message["Message-ID"])
        wait_for(lambda: self.has(address, identity), f"{identity} in the mailbox of {address}")
        return identity

    def has(self, address: str, identity: str, store: str = "") -> bool:
        """Does the mailbox hold the message? Asked of a store, its home if none is named, so that
        no password is needed."""
        argv = ["doveadm", "search", "-u", self.mail(address), "mailbox", "*"]
        argv += ["header", "message-id", identity]
        return bool(self.lab.run(store or self.home(address), argv).stdout.strip())

    def home(self, address: str) -> str:
        """The store that serves an account, by the inventory and its placement file: all stores of
        the lab were there from the beginning."""
        return self.environment.place(_Account(address)).home

    def standby(self, address: str) -> str:
        """The store that has an account's copy."""
        return self.environment.place(_Account(address)).standby

    def with_password(self) -> set[str]:
        """Local parts of all accounts that have a password."""
        return self.in_ldap("(userPassword=*)")

    def in_ldap(self, search: str) -> set[str]:
        """Local parts of the accounts that an LDAP filter finds."""
        argv = ["ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", "-b", self.suffix]
        people = self.environment.having("people")[0].name
        found = self.lab.run(people, [*argv, search, "uid"]).stdout
        return {row.removeprefix("uid: ") for row in found.splitlines() if row.startswith("uid: ")}

    def live(self, host: str) -> str:
        """The digest of the host's live generation."""
        return self.lab.run(host, ["readlink", "/var/lib/danhba/current"]).stdout.strip()[-64:]

    @property
    def environment(self) -> Environment:
        return Project().environment(self.inventory)

    @cached_property
    def compiled(self) -> Compiled:
        """The model of the directory as it was first applied."""
        directory, findings = check_file(ROOT / "directory.yaml")
        assert directory is not None, findings
        return compile_directory(directory)

    def officials(self, count: int) -> list[Mailbox]:
        """Persons with a password, `count` of them (at most 50), spread over the directory."""
        chosen = self._people[:: len(self._people) // count][:count]
        self.choose_passwords([person.address for person in chosen])
        return chosen

    def stranger(self) -> str:
        """The address of an official whom no other test knows, and who has no password from us."""
        return next(self._strangers)

    @cached_property
    def _people(self) -> list[Mailbox]:
        return [mailbox for mailbox in self.compiled.mailboxes if mailbox.kind == "person"]

    @cached_property
    def _strangers(self) -> Iterator[str]:
        """From the end of the directory, of which `officials` takes nobody."""
        keepers = {grant.keeper for grant in self.compiled.grants}
        last = (box.address for box in reversed(self._people[-(len(self._people) // 50) + 1 :]))
        return (each for each in last if each not in keepers)

    def choose_passwords(self, addresses: Sequence[str]) -> None:
        """As `password` for many: one hand-over for all who have none from us."""
        new = [address for address in addresses if address not in self.passwords]
        if not new:
            return
        asked = [word for address in new for word in ("--address", address)]
        rows = self.danhba("password", "reset", self.inventory, *asked).stdout.splitlines()
        first = dict(row.rsplit(">\t", 1) for row in rows)
        by_address = {name.rpartition("<")[2]: plain for name, plain in first.items()}
        for address in new:
            self._change(address, by_address[self.mail(address)])
        self._arrived()

    def password(self, address: str) -> str:
        """The account's password; when it has none from us its holder gets one and chooses his."""
        if address not in self.passwords:
            self.choose_password(address, self.first_password(address))
        return self.passwords[address]

    def first_password(self, address: str) -> str:
        """A password for hand-over, with which its holder can only choose another one."""
        self.passwords.pop(address, None)
        done = self.danhba("password", "reset", self.inventory, "--address", address)
        return done.stdout.strip().split("\t")[1]

    def choose_password(self, address: str, old: str, new: str = "", host: str = "") -> str:
        """As a user does it (RFC 3062), on any people host; his new password.

        Returns when all people hosts have it: a test may go to a door of another one at once.
        """
        new = self._change(address, old, new, host)
        self._arrived()
        return new

    def _change(self, address: str, old: str, new: str = "", host: str = "") -> str:
        new = new or f"tu-chon-{secrets.token_hex(6)}"
        with self.ldap(address, old, host) as connection:
            done = connection.extend.standard.modify_password(old_password=old, new_password=new)
            assert done, connection.result
        self.passwords[address] = new
        return new

    def _arrived(self) -> None:
        wait_for(lambda: len(self.stamps()) == 1, "the other people hosts have the new password")

    def ldap(self, address: str, password: str, host: str = "") -> ldap3.Connection:
        """Somebody's connection to a people host, over TLS. Raises ldap3's LDAPBindError."""
        server = self.lab.host(host or self.environment.having("people")[0].name)
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED, ca_certs_file=CA_FILE, valid_names=[server.fqdn]
        )
        to = ldap3.Server(server.ipv4, port=636, use_ssl=True, tls=tls, connect_timeout=10)
        return ldap3.Connection(to, self.dn(address), password, auto_bind=True)

    def stamps(self) -> set[str]:
        """What the last changes are that people hosts know of; one set when all know the same."""
        argv = ["ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", "-b", self.suffix]
        argv += ["-s", "base", "contextCSN"]
        hosts = self.environment.having("people")
        said = (self.lab.run(host.name, argv).stdout for host in hosts)
        return {"\n".join(sorted(text.split("\n"))) for text in said}

    @property
    def suffix(self) -> str:
        return ",".join(f"dc={label}" for label in self.compiled.domain.split("."))

    def dn(self, address: str) -> str:
        """The account's LDAP entry."""
        return f"uid={address},ou=people,{self.suffix}"

    def mail(self, address: str) -> str:
        return f"{address}@{self.compiled.domain}"
