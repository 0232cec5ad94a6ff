"""Mail to and from free-mail services is counted by agency, and refused only by policy (Điều 4.2).

The outside domain plays a free-mail service.
"""

from __future__ import annotations

import json
import re
import secrets
import smtplib
from collections.abc import Iterator

import pytest
from doors import upload_sieve
from people import Person, trusting
from province import Province, wait_for

from danhba.days import today
from staging.config import OUTSIDE
from staging.tls_domains import DANE_WRONG


@pytest.fixture(scope="module", autouse=True)
def service(province: Province) -> Iterator[None]:
    before = province.directory.read_text(encoding="utf-8")
    _apply(province, f"{{domains: [{OUTSIDE}]}}")
    yield
    province.directory.write_text(before, encoding="utf-8")
    province.apply()


def _apply(province: Province, policy: str) -> None:
    text = re.sub(r"  free_mail: .*\n", "", province.directory.read_text(encoding="utf-8"))
    text = text.replace("\nrequests:", f"\n  free_mail: {policy}\nrequests:", 1)
    province.directory.write_text(text, encoding="utf-8")
    province.apply()


def _counts(province: Province) -> dict[str, tuple[int, int]]:
    month = f"{today(province.compiled.timezone):%Y-%m}"
    said = province.danhba("free-mail", "staging", "--month", month, "--format", "json").stdout
    return {row["agency"]: (row["sent"], row["received"]) for row in json.loads(said)["agencies"]}


def _agency(province: Province, person: Person) -> str:
    [found] = [box.agency for box in province.compiled.mailboxes if box.account == person.local]
    return found


def test_messages_are_counted_by_agency_once_on_either_edge(
    province: Province, official: Person, colleague: Person, outsider: Person
) -> None:
    before = _counts(province)
    second = province.lab.host("mx2").ipv4
    for server, copies in ((official.server, 2), (second, 1)):
        with smtplib.SMTP_SSL(server, 465, timeout=60, context=trusting()) as smtp:
            smtp.login(official.login, official.password)
            for _ in range(copies):
                both = [outsider.address, f"thao@{OUTSIDE}"]  # one message, whatever it has
                sent = official.write([outsider.address], "Ra ngoài", "x\n")
                smtp.send_message(sent, to_addrs=both[:copies])
                outsider.reads(sent)
    colleague.reads(official.send(official.write([colleague.address], "Trong tỉnh", "x\n")))
    nobody = official.send(official.write([f"khongcoai@{OUTSIDE}"], "Ra ngoài", "x\n"))
    official.reads_where("FROM", "MAILER-DAEMON", "TEXT", f'"{nobody["Message-ID"]}"')
    received = outsider.write([official.address, colleague.address], "Vào", "x\n")
    outsider.send(received)
    official.reads(received)
    colleague.reads(received)

    own, other = _agency(province, official), _agency(province, colleague)
    assert own != other
    wanted = {
        **before,
        own: (before[own][0] + 3, before[own][1] + 1),
        other: (before[other][0], before[other][1] + 1),
    }
    wait_for(lambda: _counts(province) == wanted, "all is counted")
    for name in ("mx1", "mx2"):
        province.lab.run(name, ["systemctl", "start", "danhba-free-mail.service"])
        province.lab.run(name, ["systemctl", "reload", "postfix.service"])
    assert _counts(province) == wanted


def _taken_out_of_the_queue(province: Province, official: Person) -> None:
    """By hand: its end is said by no other program."""
    to = f"lan@{DANE_WRONG}"  # it waits
    official.send(official.write([to], "Ra ngoài", "x\n"))

    def waiting() -> list[str]:
        lines = province.lab.run("mx1", ["postqueue", "-j"]).stdout.splitlines()
        queue = [item for item in map(json.loads, lines) if item["queue_name"] == "deferred"]
        return [item["queue_id"] for item in queue if item["recipients"][0]["address"] == to]

    wait_for(lambda: bool(waiting()), "it waits")
    for message in waiting():
        province.lab.run("mx1", ["postsuper", "-d", message])


def test_the_report_and_the_records_name_nobody(
    province: Province, official: Person, outsider: Person
) -> None:
    _taken_out_of_the_queue(province, official)
    month = f"{today(province.compiled.timezone):%Y-%m}"
    said = "".join(
        province.danhba("free-mail", "staging", "--month", month, "--format", form).stdout
        for form in ("text", "csv")
    )
    assert "@" not in said
    assert "Số thư gửi đến hộp thư miễn phí" in said
    for name in ("mx1", "mx2"):
        for word in (official.address, outsider.address):
            look = ["grep", "-rac", word, "/var/lib/danhba-free-mail"]
            found = province.lab.run(name, look).stdout.strip()
            assert found.endswith(":0"), (name, word, found)


def test_by_policy_nothing_is_sent_there_and_answers_and_what_comes_are_as_before(
    province: Province, official: Person, colleague: Person, outsider: Person
) -> None:
    _apply(province, f"{{domains: [{OUTSIDE}], action: refused}}")
    before = _counts(province)
    sent = official.write([outsider.address, colleague.address], "Ra ngoài", "x\n")
    with official.submission() as smtp:
        refused = smtp.send_message(sent, to_addrs=[outsider.address.upper(), colleague.address])
    [(code, text)] = refused.values()
    assert code == 550 and text.startswith(b"5.7.1") and b"Dieu 4.2" in text
    colleague.reads(sent)

    mine = (official.server, official.login, official.password, trusting())
    # Whoever was answered on another run is answered again.
    handle = secrets.token_hex(6)
    upload_sieve(*mine, f'require "vacation"; vacation :handle "{handle}" "Tôi nghỉ phép.";')
    try:
        received = outsider.send(outsider.write([official.address], "Vào", "x\n"))
        official.reads(received)
        outsider.reads_where("HEADER", "In-Reply-To", f'"{received["Message-ID"]}"')
    finally:
        upload_sieve(*mine, "")
    own = _agency(province, official)
    wanted = before | {own: (before[own][0], before[own][1] + 1)}
    wait_for(lambda: _counts(province) == wanted, "what came is counted")
