"""Who wrote a message: SPF, DKIM, DMARC, ARC, and the reports of it (docs/authentication.md)."""

from __future__ import annotations

import gzip
import re
import secrets
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from xml.etree import ElementTree

import dns.resolver
import pytest
from folders import named
from greylist import later
from outside import identity, said, sealed, signed, written
from people import Person, wait_for
from province import Province

from staging.config import NET1_IPV4, OUTSIDE
from staging.outsiders import QUARANTINING, REJECTING, REPORTS, SAMPLING, UNSURE, WATCHING
from staging.zones import BAD_NAME, BLOCK_LIST, REFUSING_LIST, SILENT_LIST

LIST = OUTSIDE
"""Whose mailing lists the province trusts here, and from whom the tests' server may send."""
HONEST, BOUNCES = f"lan@{LIST}", f"list-bounces@{LIST}"
BAD_LINK = f"lua-dao.{REJECTING}"

FORGED = "5.7.1 Thu bi tu choi: khong chung thuc duoc la cua {} (DMARC)"
SEVERAL = "5.7.1 Thu bi tu choi: nhieu nguoi gui (From)"
UNREADABLE = "5.7.1 Thu bi tu choi: dong nguoi gui (From) phai co mot dia chi dung mau"
AGAIN = "4.7.1 Chua kiem tra duoc nguoi gui {} (DNS)"


@pytest.fixture(scope="module", autouse=True)
def policy(province: Province) -> Iterator[None]:
    before = province.directory.read_text(encoding="utf-8")
    lists = f"[{BLOCK_LIST}, {REFUSING_LIST}, {SILENT_LIST}]"
    more = f"arc_sealers: [{LIST}]\n  bad_links: [{BAD_LINK}]\n  link_lists: {lists}"
    province.edit("  dmarc_reports: ", f"  {more}\n  dmarc_reports: ")
    province.danhba("fmt")
    province.apply()
    # Processes of before answer until their last connection ends, of whichever test it is.
    province.lab.run("mx1", ["systemctl", "restart", "rspamd"])
    yield
    province.directory.write_text(before, encoding="utf-8")
    province.apply()


def _headed(head: str, message_id: str) -> bytes:
    """With whatever in place of From."""
    plain = written("X", message_id)
    return plain.replace(b"From: X\r\n", head.encode() + b"\r\n")


def _tampered(raw: bytes) -> bytes:
    """As whoever has it on its way."""
    return re.sub(
        rb"(?m)^Subject: .*\r\n( .*\r\n)*",
        b"Subject: " + secrets.token_hex(4).encode() + b"\r\n",
        raw,
    )


def _read(person: Person, message_id: str, folder: str = "INBOX") -> EmailMessage:
    return person.reads_where("HEADER", "Message-ID", f'"{message_id}"', folder=folder)


def _results(read: EmailMessage) -> str:
    """What the edge has written of it, in one line."""
    (found,) = (each for each in read.get_all("Authentication-Results", []) if "angiang" in each)
    return " ".join(str(found).split())


def _by(author: str) -> Callable[[str], bytes]:
    return partial(written, author)


def _signed(author: str, domain: str) -> Callable[[str], bytes]:
    return lambda message_id: signed(written(author, message_id), domain)


def _broken(author: str, domain: str) -> Callable[[str], bytes]:
    return lambda message_id: _tampered(signed(written(author, message_id), domain))


# What arrives, and what the edge says of it

ARRIVES: dict[str, tuple[str, Callable[[str], bytes], tuple[str, ...]]] = {
    "SPF": (f"x@{REJECTING}", _by(f"x@{REJECTING}"), ("spf=pass", "dmarc=pass")),
    "DKIM": (
        f"x@{WATCHING}", _signed(f"x@{REJECTING}", REJECTING),
        ("spf=fail", "dkim=pass", f"header.d={REJECTING}", "dmarc=pass"),
    ),
    "DKIM in the name of a part": (
        HONEST, _signed(f"x@con.{REJECTING}", REJECTING), ("dkim=pass", "dmarc=pass"),
    ),
    "SPF fails": (f"x@{WATCHING}", _by(HONEST), ("spf=fail",)),
    "SPF fails softly": (f"x@{QUARANTINING}", _by(HONEST), ("spf=softfail",)),
    "DKIM broken": (HONEST, _broken(HONEST, WATCHING), ("spf=pass", "dkim=fail")),
    "DMARC fails and asks for nothing": (
        HONEST, _broken(f"x@{WATCHING}", WATCHING), ("dkim=fail", "dmarc=fail", "policy=none"),
    ),
    "DNS of the author's domain is silent": (
        HONEST, _by(f"x@{SILENT_LIST}"), ("spf=pass", "dmarc=temperror"),
    ),
    "no sender": ("", _signed(f"x@{REJECTING}", REJECTING), ("dmarc=pass",)),
}  # fmt: skip
"""Envelope sender, message, what the edge has found."""


@pytest.mark.parametrize("what", ARRIVES)
def test_what_arrives_bears_what_the_edge_has_found(
    what: str, edge: str, official: Person, province: Province
) -> None:
    sender, make, wanted = ARRIVES[what]
    message_id = identity()
    raw = make(message_id)
    code, text = said(edge, sender, official.address, raw)
    if code == 451:  # who is not authenticated is a stranger in doubt
        later(province, "mx1")
        code, text = said(edge, sender, official.address, raw)
    assert code == 250, text
    read = _read(official, message_id)
    found = _results(read)
    assert found.startswith("mx1.angiang.gov.vn;")
    assert all(each in found for each in wanted), found
    assert read["X-Spam"] is None


JUNK: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "quarantine": (HONEST, _by(f"x@{QUARANTINING}")),
    "quarantine, broken": (HONEST, _broken(f"x@{QUARANTINING}", QUARANTINING)),
    "sp=quarantine": (HONEST, _by(f"x@con.{REJECTING}")),
    "p=reject of none in a hundred": (HONEST, _by(f"x@{SAMPLING}")),
    "a bad link": (HONEST, lambda each: written(HONEST, each, f"https://a.{BAD_LINK}/mat-khau\n")),
    "a link on a list": (HONEST, lambda each: written(HONEST, each, f"https://a.{BAD_NAME}/\n")),
}  # fmt: skip


@pytest.mark.parametrize("what", JUNK)
def test_what_is_doubtful_is_filed_as_junk(what: str, edge: str, official: Person) -> None:
    sender, make = JUNK[what]
    message_id = identity()
    code, text = said(edge, sender, official.address, make(message_id))
    assert code == 250, text
    assert _read(official, message_id, named("Thư rác"))["X-Spam"] == "Yes"


def test_a_link_to_anywhere_else_is_none_though_two_lists_do_not_answer(
    edge: str, official: Person
) -> None:
    """One is silent, one says that it does not answer."""
    message_id = identity()
    raw = written(
        HONEST, message_id, f"https://tin.{WATCHING}/ http://x{BAD_LINK}/ http://{REJECTING}/\n"
    )
    assert said(edge, HONEST, official.address, raw)[0] == 250
    assert _read(official, message_id)["X-Spam"] is None


# Links that show another address

SHOWN: dict[str, tuple[str, str, float]] = {
    "a bank": ("https://evil.example/login", "https://www.vietcombank.com.vn", 4.0),
    "no protocol": ("http://evil.com/login", "dichvucong.gov.vn", 4.0),
    "a portal of ours": ("http://192.0.2.3/login", "https://thu.angiang.gov.vn", 4.0),
    "alike": ("http://vietc0mbank.com.vn/", "http://vietcombank.com.vn/", 4.0),
    "itself": ("https://tin.example.com/ho-so?id=1", "https://example.com/ho-so", 0.0),
    "the author's own counter": (
        f"https://dem.{REJECTING}/x?u=1",
        "https://dichvucong.gov.vn/",
        0.0,
    ),
    "words": ("https://click.example/x", "Mời quý vị xem tại đây", 0.0),
}
"""Where it leads, what it shows, points."""


def _linking(message_id: str, leads: str, shows: str) -> bytes:
    """A newsletter, as honest ones are: signed, the same in plain text, and how to have no more."""
    text = "Kính gửi quý vị, dưới đây là tin trong tuần của chúng tôi.\n" * 9
    message = message_from_bytes(written(f"x@{REJECTING}", message_id), policy=SMTP)
    assert isinstance(message, EmailMessage)
    message["List-Unsubscribe"] = f"<https://tin.{REJECTING}/thoi>"
    message.set_content(f"{text}{shows}\n", cte="base64")
    page = f'<html><body><p>{text}</p><a href="{leads}">{shows}</a></body></html>'
    message.add_alternative(page, subtype="html", cte="base64")
    return signed(message.as_bytes(), REJECTING)


@pytest.mark.parametrize("what", SHOWN)
def test_a_link_that_shows_another_address_scores(
    what: str, edge: str, official: Person, province: Province
) -> None:
    """Not so much that a newsletter which counts its readers is junk."""
    leads, shows, points = SHOWN[what]
    message_id = f"<{secrets.token_hex(8)}@{REJECTING}>"
    raw, sender = _linking(message_id, leads, shows), f"x@{REJECTING}"
    code, text = said(edge, sender, official.address, raw)
    if code == 451:
        later(province, "mx1")
        code, text = said(edge, sender, official.address, raw)
    assert code == 250, text
    assert _read(official, message_id)["X-Spam"] is None
    journal = ["journalctl", "-u", "rspamd", "-o", "cat", "-g", message_id.strip("<>")]
    found = re.search(r"PHISHING\(([\d.]+)\)", province.lab.run("mx1", journal).stdout)
    assert (float(found[1]) if found else 0.0) == points


# What is refused

OWN = "angiang.gov.vn"
REFUSED: dict[str, tuple[str, Callable[[str], bytes], str]] = {
    "reject": (HONEST, _by(f"x@{REJECTING}"), FORGED.format(REJECTING)),
    "reject, broken": (HONEST, _broken(f"x@{REJECTING}", REJECTING), FORGED.format(REJECTING)),
    "signed by somebody else": (
        HONEST, _signed(f"x@{REJECTING}", WATCHING), FORGED.format(REJECTING),
    ),
    "ours": (HONEST, _by(f"Giám đốc <giamdoc@{OWN}>"), FORGED.format(OWN)),
    "ours in capitals": (HONEST, _by(f"giamdoc@{OWN.upper()}"), FORGED.format(OWN)),
    "ours, without a sender": ("", _by(f"giamdoc@{OWN}"), FORGED.format(OWN)),
    "ours, a sender of no domain": ("root", _by(f"giamdoc@{OWN}"), FORGED.format(OWN)),
    "ours, signed by somebody else": (
        HONEST, _signed(f"giamdoc@{OWN}", WATCHING), FORGED.format(OWN),
    ),
    "a part of ours": (HONEST, _by(f"x@so.{OWN}"), FORGED.format(OWN)),
    "a host of ours": (HONEST, _by(f"root@store1.{OWN}"), FORGED.format(OWN)),
    "two authors": (HONEST, _by(f"{HONEST}, giamdoc@{OWN}"), SEVERAL),
    "two headers": (
        HONEST, partial(_headed, f"From: {HONEST}\r\nFrom: giamdoc@{OWN}"), SEVERAL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_forged_is_refused(what: str, edge: str, official: Person) -> None:
    sender, make, wanted = REFUSED[what]
    code, text = said(edge, sender, official.address, make(identity()))
    assert code == 554 and text.startswith(wanted), (code, text)


OWNS = f"giamdoc@{OWN}"
UNCLEAR: dict[str, str] = {
    "none": "X-From: x",
    "empty": "From:",
    "no address": "From: Chu tich UBND tinh",
    "no domain": "From: root",
    "a blank before the colon": f"From : {OWNS}",
    "two, one with a blank": f"From: {HONEST}\r\nFrom\t: {OWNS}",
    "two, the first with a blank": f"X: x\r\nFrom : {OWNS}\r\nFrom: {HONEST}",
    "blanks around @": f"From: Chu tich <giamdoc @ {OWN}>",
    "a blank before @": f"From: Chu tich <giamdoc @{OWN}>",
    "folded in the address": f"From: Chu tich <giamdoc@\r\n {OWN}>",
    "a blank behind a dot": "From: giamdoc@angiang. gov.vn",
    "a blank before a dot": "From: <giamdoc@angiang .gov.vn>",
    "a comment in the address": f"From: <giamdoc(x)@(y){OWN}>",
    "a comment in the domain": "From: <giamdoc@angiang(x).gov.vn>",
    "semicolon": f"From: {OWNS};",
    "a control character": f"From: Chu tich <{OWNS}\x01>",
    "a blank of another kind": f"From: Chu tich <{OWNS}\u00a0>",
    "one that is not seen": f"From: Chu tich <{OWNS}\u200b>",
    "a literal": f"From: Chu tich <giamdoc@[{OWN}]>",
    "a dot at the end": f"From: {OWNS}.",
    "a backslash": f"From: Chu tich <giamdoc\\@{OWN}>",
    "a quotation that does not end": f'From: "Chu tich <{OWNS}>',
    "another before": f"From: {OWNS} <{HONEST}>",
    "two addresses of one": f"From: Chu tich <{HONEST}> <{OWNS}>",
    "a route": f"From: <@a.{OUTSIDE}:{OWNS}>",
    "an encoded word that another program reads": f"From: =?utf-8?q?x,{OWNS},?= <{HONEST}>",
    "longer than Postfix reads": f'From: "{"a " * 60_000}" <{OWNS}>',
    "another's": f"From: x <x @ {REJECTING}>",
}


@pytest.mark.parametrize("what", UNCLEAR)
def test_who_is_named_so_that_programs_disagree_is_refused(
    what: str, edge: str, official: Person, province: Province
) -> None:
    for each in (edge, province.lab.host("mx2").ipv4):
        for sender in (HONEST,) if what == "no domain" else (HONEST, ""):
            code, text = said(each, sender, official.address, _headed(UNCLEAR[what], identity()))
            assert code in (550, 554) and text.startswith((UNREADABLE, SEVERAL)), (code, text)


ODD = (
    f"From: Chu tich: {OWNS};", f'From: "Chu tich": <{OWNS}>;', f"From: <>, <{OWNS}>",
    f"X: x\r\nFrom : {OWNS}",
)  # fmt: skip


@pytest.mark.parametrize("head", ODD)
def test_nobody_hides_in_a_group_or_behind_a_blank(head: str, edge: str, official: Person) -> None:
    """Refused as unreadable or as forged."""
    code, text = said(edge, HONEST, official.address, _headed(head, identity()))
    assert code == 554 and text.startswith("5.7.1 Thu bi tu choi: "), (code, text)


CLEAR: dict[str, tuple[str, str]] = {
    "small letters": (HONEST, f"from:{HONEST}"),
    "folded before the address": (HONEST, f"From: =?utf-8?q?L=C3=AA?=\r\n\t<{HONEST}>"),
    "letters as they are": (HONEST, f"From: Lê Thị Lan [STC] <{HONEST}>"),
    "a quotation": (HONEST, f'From: "Lan @ STC, \\"(Lê\\"" <{HONEST}>'),
    "an encoded comma": (HONEST, f"From: =?UTF-8?Q?L=C3=AA,_Lan_(STC)?= <{HONEST}>"),
    "a comment": (HONEST, f"From: {HONEST} (Lan (STC))"),
    "twice": (HONEST, f"From: {HONEST} <{HONEST.upper()}>"),
    "a dot": (HONEST, f"From: TS. Lan <{HONEST}>"),
    "blanks within the brackets": (HONEST, f"From: Lan < {HONEST} >"),
    "a name of a host": (HONEST, "From: Cron <root@localhost>"),
    "letters of others": (HONEST, "From: Lan <lan@thử-nghiệm.example.com>"),
    "a bounce": ("", f"From: Mail Delivery System <MAILER-DAEMON@{OUTSIDE}>"),
    "a bounce from nobody": ("", "From: <>"),
    "a bounce of no domain": ("", "From: MAILER-DAEMON"),
}


@pytest.mark.parametrize("what", CLEAR)
def test_who_is_named_carelessly_is_heard(
    what: str, edge: str, official: Person, province: Province
) -> None:
    sender, head = CLEAR[what]
    raw = _headed(head, identity())
    code, text = said(edge, sender, official.address, raw)
    if code == 451:
        later(province, "mx1")
        code, text = said(edge, sender, official.address, raw)
    assert code == 250, text


def test_the_sender_of_ours_is_no_outsiders_either(edge: str, official: Person) -> None:
    sender = official.address
    code, text = said(edge, sender, official.address, written(sender, identity()))
    assert code == 554 and text.startswith(FORGED.format(OWN)), (code, text)


def test_who_cannot_be_asked_is_asked_later(edge: str, official: Person) -> None:
    """The domain wants forged mail refused, and DNS does not say what is forged."""
    sender = f"x@{UNSURE}"
    code, text = said(edge, sender, official.address, written(sender, identity()))
    assert code == 451 and text.startswith(AGAIN.format(UNSURE)), (code, text)


_SILENT = f'printf "server:\\n local-zone: _dmarc.{OWN} deny\\n" >>/etc/unbound/unbound.conf'
_PASSED_OVER = "rspamd_config:add_condition('DMARC_CHECK', function() return false end)\n"


def test_who_writes_as_ours_waits_when_nobody_can_say_whether_he_may(
    edge: str, official: Person, province: Province
) -> None:
    """DNS is silent about our own record; whatever it may be kept DMARC from looking."""
    run, conf = province.lab.run, "/etc/unbound/unbound.conf"
    raw, lua = written(OWNS, identity()), "/etc/rspamd/lua.local.d/zz.lua"
    run("mx1", ["sh", "-c", f"cp -p {conf} {conf}.bak && {_SILENT} && systemctl restart unbound"])
    try:
        code, text = said(edge, HONEST, official.address, raw)
    finally:
        run("mx1", ["sh", "-c", f"mv {conf}.bak {conf} && systemctl restart unbound"])
    assert code == 451 and text.startswith(AGAIN.format(OWN)), (code, text)
    run("mx1", ["sh", "-c", f"cat >{lua} && systemctl restart rspamd"], _PASSED_OVER)
    try:
        code, text = said(edge, HONEST, official.address, raw)
    finally:
        run("mx1", ["sh", "-c", f"rm {lua} && systemctl restart rspamd"])
    assert code == 451 and text.startswith(AGAIN.format(OWN)), (code, text)


# Mailing lists

PASSED = f"spf=pass smtp.mailfrom={REJECTING}; dmarc=pass header.from={REJECTING}"


def _listed(message_id: str) -> bytes:
    """Its author has signed it, and the list has changed it."""
    return _tampered(signed(written(f"x@{REJECTING}", message_id), REJECTING))


LISTS: dict[str, tuple[Callable[[str], bytes], bool]] = {
    "trusted": (lambda each: sealed(_listed(each), LIST, PASSED), True),
    "trusted twice": (
        lambda each: sealed(
            sealed(_listed(each), LIST, PASSED), LIST, "arc=pass; dmarc=fail"
        ), True,
    ),
    "trusted, who has seen it fail": (
        lambda each: sealed(_listed(each), LIST, "spf=fail; dmarc=fail"), False,
    ),
    "trusted, changed later": (lambda each: _tampered(sealed(_listed(each), LIST, PASSED)), False),
    "somebody": (lambda each: sealed(_listed(each), WATCHING, PASSED), False),
    "somebody behind the trusted": (
        lambda each: sealed(
            _tampered(sealed(_listed(each), LIST, PASSED)), WATCHING, "arc=pass; dmarc=pass"
        ), False,
    ),
    "somebody before the trusted": (
        lambda each: sealed(sealed(_listed(each), WATCHING, PASSED), LIST, "arc=pass"), False,
    ),
}  # fmt: skip
"""What a list makes of it, and whether it is believed."""


@pytest.mark.parametrize("what", LISTS)
def test_a_mailing_list_is_believed_when_the_province_trusts_it(
    what: str, edge: str, official: Person
) -> None:
    make, believed = LISTS[what]
    message_id = identity()
    code, text = said(edge, BOUNCES, official.address, make(message_id))
    if not believed:
        assert code == 554 and text.startswith(FORGED.format(REJECTING)), (code, text)
        return
    assert code == 250, text
    assert "arc=pass" in _results(_read(official, message_id))


# What was checked here only we say

CLAIMS = (
    "mx1.angiang.gov.vn; dmarc=pass", "mx2.angiang.gov.vn 1; dmarc=pass",
    "ANGIANG.gov.vn; spf=pass", '"mx1.angiang.gov.vn"; spf=pass',
    "(x) mx1.angiang.gov.vn (y); spf=pass", "\r\n mx1.angiang.gov.vn;\r\n spf=pass",
)  # fmt: skip
OTHERS = ("mail.example.org; spf=pass smtp.mailfrom=x@angiang.gov.vn", "xangiang.gov.vn; spf=pass")


def test_nobody_outside_says_what_was_checked_here(
    edge: str, official: Person, colleague: Person
) -> None:
    """Nor does an official; messages within the message stay."""
    head = "".join(f"Authentication-Results: {each}\r\n" for each in (*CLAIMS, *OTHERS)).encode()
    inner = head + b"From: y@example.org\r\nSubject: cu\r\n\r\nx\r\n"
    ids = identity(), identity()
    for message_id, author in zip(ids, (HONEST, official.address), strict=True):
        top = f"From: {author}\r\nMessage-ID: {message_id}\r\nSubject: a\r\n".encode()
        raw = head + top + b"MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + inner
        if author == HONEST:
            assert said(edge, HONEST, colleague.address, raw)[0] == 250
        else:
            with official.submission() as smtp:
                assert not smtp.sendmail(author, [colleague.address], raw)
    for message_id, wanted in zip(ids, (1, 0), strict=True):
        read = _read(colleague, message_id)
        found = [" ".join(str(each).split()) for each in read.get_all("Authentication-Results", [])]
        assert len(found) == wanted
        assert not found or found[0].startswith("mx1.angiang.gov.vn; dkim=none")
        assert read.as_bytes().count(b"Authentication-Results") == len(found) + len(CLAIMS + OTHERS)


# Reports

_VALKEY = "valkey-cli -s /run/valkey/valkey"


def _reported(province: Province) -> None:
    """What was counted today is made yesterday's, by the day of the host, and the night comes."""
    names = " ".join(f'"dmarc_idx;$(date -d {day} +%Y%m%d)"' for day in ("today", "yesterday"))
    script = f"{_VALKEY} RENAME {names} && systemctl start danhba-dmarc-reports.service"
    province.lab.run("mx1", ["sh", "-c", script])


def test_what_was_seen_is_reported_to_who_asks_for_it_and_may(
    edge: str, official: Person, outsider: Person, province: Province
) -> None:
    empty = f"{_VALKEY} --scan --pattern 'dmarc_*' | xargs -rd '\\n' {_VALKEY} DEL"
    province.lab.run("mx1", ["sh", "-c", empty])
    own = f"x@{REJECTING}"
    for sender, raw in (
        (own, written(own, identity())),
        (own, written(own, identity())),
        (HONEST, written(own, identity())),
        (BOUNCES, sealed(_listed(identity()), LIST, PASSED)),
        (HONEST, written(f"x@{QUARANTINING}", identity())),
        (HONEST, written(f"x@{WATCHING}", identity())),
    ):
        said(edge, sender, official.address, raw)
    _reported(province)
    read = outsider.reads_where("FROM", f"dmarc@{OWN}", "SUBJECT", f'"{REJECTING}"')
    assert read["To"] == REPORTS
    assert len(read.get_all("DKIM-Signature")) == 2
    report = ElementTree.fromstring(_attached(read))
    assert report.findtext("policy_published/domain") == REJECTING
    assert report.findtext("policy_published/sp") == "quarantine"
    assert sorted(_row(record) for record in report.iter("record")) == [
        ("198.19.0.1", "1", "none", "fail", "fail", "trusted_forwarder"),
        ("198.19.0.1", "1", "reject", "fail", "fail", ""),
        ("198.19.0.1", "2", "none", "fail", "pass", ""),
    ]
    left = f"{_VALKEY} --scan --pattern 'dmarc_*'"
    assert province.lab.run("mx1", ["sh", "-c", left]).stdout == ""
    with outsider.inbox() as imap:
        assert imap.uid("SEARCH", "FROM", f"dmarc@{OWN}", "SUBJECT", QUARANTINING)[1] == [b""]


def _attached(read: EmailMessage) -> bytes:
    (attached,) = (part for part in read.walk() if part.get_content_type() == "application/gzip")
    name = attached.get_filename() or ""
    assert re.fullmatch(rf"{OWN}!{REJECTING}!\d+!\d+\.xml\.gz", name), name
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    return gzip.decompress(content)


def _row(record: ElementTree.Element) -> tuple[str, ...]:
    within = ("disposition", "dkim", "spf", "reason/type")
    paths = ("source_ip", "count", *(f"policy_evaluated/{each}" for each in within))
    return tuple((record.findtext(f"row/{each}") or "").strip() for each in paths)


def test_others_reports_arrive_where_the_zone_says(edge: str, province: Province) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [NET1_IPV4]
    record = resolver.resolve(f"_dmarc.{OWN}", "TXT")[0].to_text()
    address = re.search(r"rua=mailto:(\S+?)[;\"]", record)
    assert address and address[1] == f"dmarc@{OWN}"
    message_id = identity()
    assert said(edge, HONEST, address[1], written(HONEST, message_id))[0] == 250
    agency = next(name.account for name in province.compiled.names if name.address == "dmarc")

    def look() -> bytes | None:
        return b"there" if province.has(agency, message_id) else None

    wait_for(look, f"the report is in the mailbox of {agency}")


def test_only_reports_leave_by_their_door(province: Province) -> None:
    asks = (
        "import smtplib; smtp = smtplib.SMTP('127.0.0.1', 10026); smtp.ehlo('a.test');"
        "print(smtp.mail('root@angiang.gov.vn')[0], smtp.rcpt('x@ngoaitinh.test')[0])"
    )
    assert province.lab.run("mx1", ["python3", "-c", asks]).stdout.split() == ["250", "554"]
