"""After a first apply and an ordinary day the logs of all hosts have nothing to worry about.

Before tests/mail and tests/faults: what those provoke on purpose is in the logs rightly.
"""

from __future__ import annotations

import imaplib
import json
import poplib
import re
import smtplib
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
from province import Province, wait_for

from staging import internet
from staging.config import CA_FILE, NET1_IPV4, OUTSIDE
from staging.lab import Lab

Rules = tuple[tuple[str, str], ...]
"""Lines that may be there (`identifier: message`), and why."""

ALLOWED: Rules = (
    (
        r"^postfix.* warning: group or other writable: "
        r"/etc/postfix(-journal)?/\./(main|master)\.cf$",
        "they are links to the live generation; a link's own mode is always 0777",
    ),
    (
        r"^dovecot: master: Warning: SIGHUP received - reloading configuration$",
        "how Dovecot says that it was reloaded, which an apply does",
    ),
    (
        r"^dovecot: (master|auth|stats|log\(\d+\)): Warning: Killed with signal 15 "
        r"\(by pid=\d+ uid=0 code=kill\)$",
        "how Dovecot says that root stopped it, or that its master ended an old process",
    ),
    (
        r"^dovecot: master: Warning: (service\((auth|stats)\): Sent SIGTERM to \d+ \w+ processes|"
        r"Processes aren't dying after reload, sent SIGTERM to \d+ processes\.)$",
        "after a reload the old auth and stats live while a client is connected; then they go",
    ),
    (
        r"^dovecot: log\(\d+\): Warning: Shutting down logging for '\w+: ' with \d+ clients$",
        "Dovecot's logger ends while others still have it open; systemd ends them all",
    ),
    (
        r"^systemd: danhba-drill-(fetch|look)\.service: Supervising process \d+ which is not our "
        r"child\. We'll most likely not notice when it exits\.$",
        "systemd 257 looks before the process between them has ended; then it is its child",
    ),
)

ALLOWED_IN_A_REBOOT: Rules = (
    (
        r"^dovecot: auth(-worker\(\d+\))?: Error: ldap\(ldap://127\.0\.0\.1:3389\): "
        r"(Connection lost to LDAP server, reconnecting|Can't connect to server: \S+|"
        r"binding failed \(dn \(none\)\): Server is unavailable|"
        r"Initial binding to LDAP server timed out)$",
        "the host of the passwords is down for a moment, and that is worth an error in the log",
    ),
    (
        r"^postfix/\S*smtpd: warning: problem talking to server 127\.1\.0\.\d+:12340: "
        r"Connection timed out$",
        "a store that has just started takes more than a second to say whether there is room",
    ),
    (
        r"^sshd-session: error: mm_reap: preauth child terminated by signal 15$",
        "somebody was logging in when the host went down, which ends every process (seen once)",
    ),
)

WARNING = 4
"""syslog's number; lower ones are worse."""

WORDS = re.compile(r"\b(warning|error|fatal|panic)\b:?", re.IGNORECASE)
MAIL = re.compile(r"^(postfix|dovecot)")


@dataclass(frozen=True)
class Line:
    identifier: str
    priority: int
    text: str

    @property
    def is_bad(self) -> bool:
        """By its priority, or, since both say everything as "info", by the daemons' own words."""
        in_words = MAIL.match(self.identifier) and WORDS.search(self.text)
        return self.priority <= WARNING or bool(in_words)

    def __str__(self) -> str:
        return f"{self.identifier}: {self.text}"


@dataclass(frozen=True)
class Day:
    """calm and reboot: journalctl's words for the two parts of the day."""

    province: Province
    calm: tuple[str, ...]
    reboot: tuple[str, ...]


@pytest.fixture(scope="module")
def began(request: pytest.FixtureRequest, province: Province) -> tuple[str, ...]:
    """journalctl's words for: from the boot on, unless other tests have had the lab before.

    Those of tests/hosts are `danhba verify`, which belongs to an ordinary day.
    """
    for item in request.session.items:
        if item.path == request.path:
            return ()
        if item.path.parent.name == "hosts":
            continue
        if {"lab", "province"} & set(getattr(item, "fixturenames", ())):
            break
    return ("--since", _now())


@pytest.fixture(scope="module")
def day(province: Province, began: tuple[str, ...]) -> Iterator[Day]:
    """Applies, passwords, mail in every direction, a reboot of every host, mail again."""
    before = province.directory.read_text(encoding="utf-8")
    title = "title: Chuyên viên"
    province.directory.write_text(before.replace(title, f"{title} chính", 1), encoding="utf-8")
    province.apply()
    province.directory.write_text(before, encoding="utf-8")
    province.apply()
    for host in province.environment.hosts:
        province.lab.run(host.name, ["systemctl", "reload", "dovecot", "postfix"])
    _write_and_read(province)
    _said_all(province, 8)  # Dovecot speaks once more 6 s after a reload
    noon = _now()
    for host in province.environment.hosts:
        province.lab.stop(host.name)
        province.lab.start(host.name)
    _write_and_read(province)
    assert province.plan_status() == 0
    _said_all(province, 2)
    yield Day(province, (*began, "--until", noon), ("--since", noon))


def _said_all(province: Province, seconds: int) -> None:
    """Wait until the daemons have been silent for that long."""
    asked = ["journalctl", "-q", f"--since=-{seconds}s", "-u", "dovecot*", "-u", "postfix*"]
    hosts = [host.name for host in province.environment.hosts]

    def silent() -> bool:
        return not any(province.lab.run(host, asked).stdout for host in hosts)

    wait_for(silent, f"nothing is said for {seconds} s", limit=60)


def _now() -> str:
    return f"@{int(time.time())}"


def _write_and_read(province: Province) -> None:
    """Two officials and somebody outside write to each other and read it all."""
    one, other = (person.address for person in province.officials(2))
    edge = province.environment.having("edge")[0].ipv4
    outside = f"lan@{OUTSIDE}"
    passwords = internet.passwords()
    people = {
        province.mail(one): (edge, province.mail(one), province.password(one)),
        province.mail(other): (edge, province.mail(other), province.password(other)),
        outside: (NET1_IPV4, "lan", passwords[outside]),
    }
    written = []
    for sender, (server, login, password) in people.items():
        message = EmailMessage()
        to = [address for address in people if address != sender]
        message["From"], message["To"] = sender, ", ".join(to)
        message["Subject"] = f"An ordinary day, {time.time_ns()}"
        message.set_content("Chào buổi sáng\n")
        with smtplib.SMTP_SSL(server, 465, timeout=60, context=_trusting()) as smtp:
            smtp.login(login, password)
            assert not smtp.send_message(message)
        written += [(address, str(message["Subject"])) for address in to]
    for address, subject in written:
        assert _arrives(*people[address], subject), (address, subject)
    pop = poplib.POP3_SSL(edge, context=_trusting(), timeout=60)
    pop.user(province.mail(one))
    pop.pass_(province.password(one))
    assert pop.stat()[0] >= 2
    pop.quit()


def _arrives(server: str, login: str, password: str, subject: str) -> bool:
    with imaplib.IMAP4_SSL(server, ssl_context=_trusting(), timeout=60) as imap:
        imap.login(login, password)
        imap.select("INBOX")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            imap.noop()
            if imap.search(None, "HEADER", "SUBJECT", f'"{subject}"')[1][0]:
                return True
            time.sleep(0.2)
    return False


def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=CA_FILE)


def journal(province: Province, host: str, window: tuple[str, ...]) -> list[Line]:
    province.lab.run(host, ["journalctl", "--sync"])
    fields = "PRIORITY,MESSAGE,SYSLOG_IDENTIFIER"
    argv = ["journalctl", *window, "--all", "--output=json", f"--output-fields={fields}"]
    done = province.lab.run(host, argv)
    assert done.returncode == 0, done.stderr
    found = []
    for row in map(json.loads, done.stdout.splitlines()):
        text = row.get("MESSAGE") or ""
        if isinstance(text, list):  # not UTF-8: journalctl gives the bytes
            text = bytes(text).decode(errors="replace")
        name = row.get("SYSLOG_IDENTIFIER", "kernel")
        found.append(Line(str(name), int(row.get("PRIORITY", 6)), str(text)))
    return found


def unexpected(lines: list[Line], rules: Rules) -> list[str]:
    bad = {str(line) for line in lines if line.is_bad}
    return sorted(text for text in bad if not any(re.search(rule, text) for rule, _ in rules))


HOSTS = list(Lab.open().hosts)
QUIET = {host.name for host in Lab.open().environment.having("vault")}
"""What takes mail and logins there says nothing of each."""


@pytest.mark.parametrize("host", HOSTS)
def test_a_first_apply_and_a_day_of_mail_log_no_error_and_no_warning(day: Day, host: str) -> None:
    lines = journal(day.province, host, day.calm)
    assert lines
    if host not in QUIET:
        assert any(line.identifier.startswith("postfix/") for line in lines), "no mail was logged"
        assert any(line.identifier == "dovecot" for line in lines), "no login was logged"
    assert unexpected(lines, ALLOWED) == []


@pytest.mark.parametrize("host", HOSTS)
def test_a_reboot_logs_no_error_and_no_warning(day: Day, host: str) -> None:
    lines = journal(day.province, host, day.reboot)
    assert lines
    assert unexpected(lines, ALLOWED + ALLOWED_IN_A_REBOOT) == []


@pytest.mark.parametrize("host", HOSTS)
def test_no_log_is_kept_outside_the_journal(day: Day, host: str) -> None:
    """Else the tests above would look at half of them."""
    find = ["find", "/var/log", "-name", "mail*", "-o", "-name", "syslog*"]
    assert day.province.lab.run(host, find).stdout == ""


def test_an_error_in_the_log_is_seen(day: Day) -> None:
    host = day.province.environment.hosts[0].name
    now = ("--since", _now())
    said = ("postfix/smtpd: warning: seen by the test", "slapd: seen by the test too")
    for priority, line in zip(("mail.info", "daemon.warning"), said, strict=True):
        identifier, _, text = line.partition(": ")
        day.province.lab.run(host, ["logger", "-t", identifier, "-p", priority, text])
    assert set(said) <= set(unexpected(journal(day.province, host, now), ALLOWED))


@pytest.mark.parametrize(("rule", "reason"), ALLOWED + ALLOWED_IN_A_REBOOT)
def test_an_exception_has_a_reason_and_lets_no_other_line_pass(rule: str, reason: str) -> None:
    assert len(reason) > 20
    assert rule.startswith("^") and rule.endswith("$")
