"""Every message that passes an edge has one entry, with the envelope that it had, and none waits
for the vault (Điều 8.4)."""

from __future__ import annotations

import secrets
import smtplib
import time
from collections.abc import Sequence
from email.message import EmailMessage

import pytest
from journals import VAULT, Journal
from people import OUTSIDE_CLIENT, Person, filtering
from province import Province, wait_for

from danhba.journal.ids import journal_id
from staging.config import OUTSIDE


@pytest.fixture(scope="module")
def journal(province: Province) -> Journal:
    return Journal(province)


def _from_outside(
    edge: str, to: Sequence[str], sender: str = f"lan@{OUTSIDE}", header: Sequence[str] = ()
) -> str:
    """One message to all of them; its Message-ID. header: whom its To names."""
    message = EmailMessage()
    message["From"], message["To"] = f"lan@{OUTSIDE}", ", ".join(header or to)
    message["Subject"] = "Thử lưu trữ"
    message["Message-ID"] = f"<{secrets.token_hex(8)}@{OUTSIDE}>"
    message.set_content("Xin chào\n")
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        assert not smtp.send_message(message, sender, list(to))
    return str(message["Message-ID"])


def _alias(province: Province, but: str = "") -> str:
    """An address that leads to a mailbox of another name."""
    names = (name for name in province.compiled.names if name.address != name.account)
    return province.mail(next(names).address)


def test_each_way_leaves_one_entry_with_its_true_envelope(
    journal: Journal, province: Province, edge: str, recipients: list[Person],
    official: Person, colleague: Person, outsider: Person,
) -> None:  # fmt: skip
    begin = journal.end()
    alias = _alias(province)
    homes = {province.home(person.local): person.address for person in recipients}
    assert len(homes) == 2  # mailboxes on both stores
    many = [person.address for person in recipients]
    many += [
        province.mail(box.address) for box in province.compiled.mailboxes if box.kind == "agency"
    ][:10]
    lan = f"lan@{OUTSIDE}"
    expected: dict[str, tuple[str, set[str]]] = {}
    for to in ([official.address], [alias], list(homes.values()), many):
        expected[_from_outside(edge, to)] = (lan, set(to))
    hidden = [official.address, colleague.address]
    expected[_from_outside(edge, hidden, header=[official.address])] = (lan, set(hidden))
    expected[_from_outside(edge, [official.address], sender="")] = ("", {official.address})
    for to in ([outsider.address], [colleague.address], [colleague.address, outsider.address]):
        sent = official.send(official.write(to, "Thử lưu trữ", "x\n"))
        expected[str(sent["Message-ID"])] = (official.address, set(to))
    blind = official.write([colleague.address], "Thử lưu trữ", "x\n")
    with official.submission() as smtp:
        smtp.sendmail(official.address, [colleague.address, outsider.address], blind.as_bytes())
    both = {colleague.address, outsider.address}
    expected[str(blind["Message-ID"])] = (official.address, both)
    journal.settled()
    entries = journal.entries(begin)
    for identity, (sender, to) in expected.items():
        (found,) = [each for each in entries if each["message_id"] == identity]
        assert (found["from"], set(found["to"]), len(found["to"])) == (sender, to, len(to))
    assert len({each["id"] for each in entries}) == len(entries)
    (one,) = [each for each in entries if each["message_id"] == str(blind["Message-ID"])]
    assert b"\r\nMessage-ID: " + str(blind["Message-ID"]).encode() in journal.content(one["n"])
    of = {agency for _, agency in _agencies(province)}
    assert one["agencies"] and set(one["agencies"]) <= of


def _agencies(province: Province) -> list[tuple[str, str]]:
    return [(box.address, box.agency or box.account) for box in province.compiled.mailboxes]


def test_a_mailbox_s_copy_has_the_name_of_its_entry(
    journal: Journal, province: Province, edge: str, official: Person
) -> None:
    begin = journal.end()
    identity = _from_outside(edge, [official.address])
    raw = official.raw_where("HEADER", "Message-ID", f'"{identity}"')
    journal.settled()
    (found,) = journal.of(identity, begin)
    edges = {host.fqdn: host.name for host in province.environment.having("edge")}
    assert journal_id(raw, edges) == found["id"]
    content = journal.content(found["n"])
    assert raw.endswith(content.partition(b"\r\n\r\n")[2])
    assert content.startswith(b"Received: ") or b"\r\nReceived: " in content
    assert b"danhba-journal" not in content


def test_what_filters_send_has_entries_of_its_own(
    journal: Journal, edge: str, official: Person, colleague: Person, outsider: Person
) -> None:
    begin = journal.end()
    answer = f"di-vang-{secrets.token_hex(4)}"
    script = (
        'require ["vacation"];'
        f' vacation :days 1 :handle "{answer}" :addresses "{official.address}"'
        f' :subject "{answer}" "Tôi đi vắng";'
        f' redirect "{colleague.address}"; keep;'
    )
    with filtering(official, script):
        sent = outsider.send(outsider.write([official.address], "Thử lưu trữ", "x\n"))
        identity = str(sent["Message-ID"])
        colleague.reads(sent)
        outsider.reads_where("SUBJECT", answer)
    journal.settled()
    to = [found["to"] for found in journal.of(identity, begin)]
    assert sorted(to) == sorted([[official.address], [colleague.address]])
    answers = [each for each in journal.entries(begin) if each["to"] == [outsider.address]]
    assert [each["from"] for each in answers] == [""]


def test_nobody_writes_to_the_journal_himself(
    journal: Journal, edge: str, official: Person
) -> None:
    begin = journal.end()
    forged = "ai=dau.test@journal.invalid"
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.ehlo("may.test")
        smtp.mail(forged)
        assert smtp.rcpt(official.address)[0] == 554
    with official.submission() as smtp:
        smtp.mail(official.address)
        assert smtp.rcpt(forged)[0] == 554
    journal.settled()
    assert not [each for each in journal.entries(begin) if "ai@dau.test" in each["to"]]


def test_a_vault_that_is_away_stops_no_mail_and_catches_up(
    journal: Journal, province: Province, edge: str, official: Person
) -> None:
    journal.settled()
    begin = journal.end()
    with journal.away():
        sent = [_from_outside(edge, [official.address]) for _ in range(5)]
        for identity in sent:
            official.reads_where("HEADER", "Message-ID", f'"{identity}"')
        wait_for(lambda: journal.waiting("mx1") >= 5, "the copies wait on the edge")
        health = journal.status("mx1")
        assert "messages wait for the vault, the oldest for" in health
        mail = journal.run("mx1", "postqueue", "-j")
        assert "journal.invalid" not in mail, "the mail queue has none of it"
    journal.hurry("mx1")
    journal.settled()
    assert sorted(each["message_id"] for each in journal.entries(begin)) == sorted(sent)
    assert "the vault has all mail" in journal.status("mx1")
    assert "the journal has" in journal.status(VAULT)


def test_an_edge_that_reboots_keeps_what_waits(
    journal: Journal, province: Province, edge: str, official: Person
) -> None:
    journal.settled()
    begin = journal.end()
    with journal.away():
        sent = [_from_outside(edge, [official.address]) for _ in range(3)]
        wait_for(lambda: journal.waiting("mx1") >= 3, "the copies wait on the edge")
        journal.lab.kill("mx1")
        journal.lab.start("mx1")
    wait_for(lambda: _answers(edge), "the edge takes mail again", 60)
    journal.hurry("mx1")
    journal.settled()
    assert sorted(each["message_id"] for each in journal.entries(begin)) == sorted(sent)


def _answers(edge: str) -> bool:
    try:
        with smtplib.SMTP(edge, 25, timeout=5, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
            return smtp.ehlo("may.test")[0] == 250
    except OSError:
        time.sleep(0.2)
        return False
