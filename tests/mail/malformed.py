"""Messages that break the rules of MIME, one way each: a corpus."""

from __future__ import annotations

import base64
from collections.abc import Callable

PLAIN = "Content-Type: text/plain; charset=utf-8"
MIXED = 'Content-Type: multipart/mixed; boundary="b"'


def _mail(*headers: str, body: str = "x\n", date: bool = True) -> bytes:
    """A message with these headers. {from}, {to} and {mark} are filled in by whoever sends it."""
    head = ["From: {from}", "To: {to}", "Subject: {mark}", "Message-ID: <{mark}@may.test>"]
    if date:
        head.append("Date: Thu, 26 Nov 2026 08:00:00 +0700")
    text = "\n".join((*head, "MIME-Version: 1.0", *headers)) + "\n\n" + body
    return text.encode("utf-8", "surrogateescape").replace(b"\n", b"\r\n")


def _mixed(*parts: str, end: str = "--b--\n") -> bytes:
    return _mail(MIXED, body="".join(f"--b\n{part}\n" for part in parts) + end)


def _nested(depth: int, closed: bool = True) -> bytes:
    body = "".join(
        f'--b{n}\nContent-Type: multipart/mixed; boundary="b{n + 1}"\n\n' for n in range(depth)
    )
    body += f"--b{depth}\n\nin the middle\n"
    if closed:
        body += "".join(f"--b{n}--\n" for n in range(depth, -1, -1))
    return _mail('Content-Type: multipart/mixed; boundary="b0"', body=body)


def _forwarded(depth: int) -> bytes:
    return _mail("Content-Type: message/rfc822", body="Content-Type: message/rfc822\n\n" * depth)


def _attachment(header: str) -> bytes:
    return _mixed(f"{PLAIN}\n\ntext", f"Content-Type: application/pdf\n{header}\n\n%PDF")


def _encoded(encoding: str, body: str) -> bytes:
    return _mail(PLAIN, f"Content-Transfer-Encoding: {encoding}", body=body)


def _typed(value: str, body: str = "x\n") -> bytes:
    return _mail(f"Content-Type: {value}", body=body)


MALFORMED: dict[str, Callable[[], bytes]] = {
    # Boundaries
    "boundary that never closes": lambda: _mixed(f"{PLAIN}\n\na", end=""),
    "boundary that never occurs": lambda: _mail(MIXED, body="no parts at all\n"),
    "empty boundary": lambda: _typed('multipart/mixed; boundary=""', "--\n\na\n----\n"),
    "no boundary": lambda: _typed("multipart/mixed", "--b\n\na\n--b--\n"),
    "boundary of 1,000 letters": lambda: _typed(
        f"multipart/mixed; boundary={'b' * 1000}", f"--{'b' * 1000}\n\na\n--{'b' * 1000}--\n"
    ),
    "boundary with a blank at its end": lambda: _typed(
        'multipart/mixed; boundary="b "', "--b \n\na\n--b --\n"
    ),
    "boundary of 8 bits": lambda: _typed('multipart/mixed; boundary="bé"', "--bé\n\na\n--bé--\n"),
    "two boundaries": lambda: _typed(
        "multipart/mixed; boundary=a; boundary=b", "--a\n\na\n--a--\n--b\n\nb\n--b--\n"
    ),
    "the same boundary within": lambda: _mixed(f"{MIXED}\n\n--b\n\na\n--b--"),
    "boundary that begins another": lambda: _mixed(
        'Content-Type: multipart/mixed; boundary="bb"\n\n--bb\n\na\n--bb--'
    ),
    "closed twice": lambda: _mixed("\na", end="--b--\n--b--\n--b\n\nbehind\n--b--\n"),
    "only the end": lambda: _mixed(end="--b--\n"),
    "parts without headers": lambda: _mixed("a", "b", "c"),
    "part of headers only": lambda: _mixed(f"{PLAIN}\nX-A: b"),
    "ten thousand parts": lambda: _mixed(*["\na"] * 10_000),
    "ten thousand empty parts": lambda: _mail(MIXED, body="--b\n" * 10_000),
    # Nesting
    "nested 50 deep": lambda: _nested(50),
    "nested 1,000 deep": lambda: _nested(1000),
    "nested 1,000 deep, open": lambda: _nested(1000, closed=False),
    "forwarded 90 times": lambda: _forwarded(90),
    "forwarded 1,000 times": lambda: _forwarded(1000),
    "forwarded in base64": lambda: _mail(
        "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: base64",
        body=base64.encodebytes(b"Subject: inner\n\nx\n").decode(),
    ),
    # Headers as a whole
    "no headers": lambda: b"\r\nOnly text {mark}\r\n",
    "no headers and no blank line": lambda: b"Only text {mark}\r\nand more\r\n",
    "nothing at all": lambda: b"",
    "header only": lambda: _mail()[: -len(b"\r\nx\r\n")],
    "missing blank line": lambda: _mail().replace(b"\r\n\r\n", b"\r\n"),
    "line without a colon among headers": lambda: _mail("this is no header", "X-B: c"),
    "begins with a folded line": lambda: b" folded\r\n" + _mail(),
    "header without a name": lambda: _mail(": value"),
    "blank before the colon": lambda: _mail("Content-Type : text/html"),
    "folded a thousand times": lambda: _mail("X-A: b" + "\n b" * 1000),
    "folded with blank lines": lambda: _mail("X-A: b\n \n \n \n c"),
    "header of 1 MB in a line": lambda: _mail("X-A: " + "a" * 1_048_576),
    "header of 1 MB, folded": lambda: _mail("X-A: b" + ("\n " + "c" * 70) * 14_000),
    "headers of 1 MB together": lambda: _mail(*[f"X-A{n}: {'a' * 90}" for n in range(10_000)]),
    "name of 10,000 letters": lambda: _mail("X" * 10_000 + ": a"),
    "every header twice": lambda: _mail(
        "To: {to}", "Subject: again", "Content-Type: text/html", PLAIN, "MIME-Version: 2.0",
        "Message-ID: <again@may.test>", "Date: Thu, 26 Nov 2026 08:00:00 +0700",
    ),
    "a thousand recipients in To": lambda: _mail("Cc: " + ",\n ".join(["a@may.test"] * 1000)),
    # Letters
    "8 bits in headers": lambda: _mail("X-A: \udce9\udcff\udcfe", "X-B: Nguyễn"),
    "8 bits in a name of a header": lambda: _mail("X-é: a"),
    "8 bits in the subject, not UTF-8": lambda: _mail("Comments: \udcc3(", "Keywords: \udcff"),
    "control characters in headers": lambda: _mail("X-A: \x01\x02\x07\x1b[31m\x7f"),
    "encoded word that does not end": lambda: _mail("Comments: =?utf-8?b?w6k"),
    "encoded word of wrong base64": lambda: _mail("Comments: =?utf-8?b?w6=k==?= =?utf-8?q?=ZZ=?="),
    "encoded word of no charset": lambda: _mail("Comments: =?x-khong-co?q?a?= =???= =??q??="),
    "a letter in two encoded words": lambda: _mail("Comments: =?utf-8?q?=C3?= =?utf-8?q?=A9?="),
    "ten thousand encoded words": lambda: _mail("Comments: " + "=?utf-8?q?=C3=A9?=\n " * 10_000),
    "charset that does not exist": lambda: _typed("text/plain; charset=x-khong-co"),
    "wrong charset": lambda: _typed("text/plain; charset=us-ascii", "\udcff\udcfe\udce9 é\n"),
    "UTF-16 as text": lambda: _typed("text/plain; charset=utf-16", "\ufeffa\x01b\n"),
    "UTF-7": lambda: _typed("text/html; charset=utf-7", "+ADw-script+AD4-\n"),
    "line of 1 MB": lambda: _mail(PLAIN, body="a" * 1_048_576 + "\n"),
    # Encodings
    "wrong base64": lambda: _encoded("base64", "!!!! kh\x0bông ====\nYQ=\n=\n"),
    "base64 with something behind its end": lambda: _encoded("base64", "YQ==\nYQ==YQ==\n%%%\n"),
    "base64 without an end": lambda: _encoded("base64", "YWFhYWF"),
    "wrong quoted-printable": lambda: _encoded("quoted-printable", "=ZZ=\n=4=\n=\n=A"),
    "uuencode": lambda: _encoded("x-uuencode", "begin 644 a.exe\n#86)C\n"),
    "encoding that does not exist": lambda: _encoded("x-khong-co", "abc\n"),
    "two encodings": lambda: _mail(
        PLAIN, "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: 7bit", body="YQ==\n"
    ),
    "base64 around parts": lambda: _mail(
        MIXED, "Content-Transfer-Encoding: base64", body="--b\n\na\n--b--\n"
    ),
    # Types
    "type without a subtype": lambda: _typed("text"),
    "empty type": lambda: _typed(""),
    "type of nonsense": lambda: _typed(";;;=/=;\"';charset"),
    "type of 100,000 parameters": lambda: _typed("text/plain" + "; a=b" * 20_000),
    "quotation mark that does not end": lambda: _typed('text/plain; charset="utf-8'),
    "comment that does not end": lambda: _typed("text/plain (((((( " + "(" * 2000),
    "partial": lambda: _typed("message/partial; id=a; number=1; total=2"),
    "external body": lambda: _typed(
        "message/external-body; access-type=local-file; name=/etc/passwd",
        "Content-Type: text/plain\n\n",
    ),
    "delivery status of nonsense": lambda: _typed("message/delivery-status", "\n\n:::\n \n"),
    "TNEF of nonsense": lambda: _typed("application/ms-tnef; name=winmail.dat", "x>\x01\n"),
    "calendar of nonsense": lambda: _typed("text/calendar", "BEGIN:VCALENDAR\nBEGIN:\n;;\n"),
    "html of 100,000 open tags": lambda: _typed("text/html", "<div><a href=" * 50_000 + "\n"),
    # RFC 2231
    "continued parameters with a gap": lambda: _attachment(
        "Content-Disposition: attachment; filename*0=a; filename*2=c.pdf"
    ),
    "continued parameters out of order": lambda: _attachment(
        "Content-Disposition: attachment; filename*1=b.pdf; filename*0=a"
    ),
    "ten thousand continued parameters": lambda: _attachment(
        "Content-Disposition: attachment;" + ";".join(f"\n filename*{n}=a" for n in range(10_000))
    ),
    "parameter of a huge number": lambda: _attachment(
        "Content-Disposition: attachment; filename*99999999999999999999=a"
    ),
    "parameter of no charset": lambda: _attachment(
        "Content-Disposition: attachment; filename*=x-khong-co'vi'%E9%ZZ%"
    ),
    "parameter that is not encoded": lambda: _attachment(
        "Content-Disposition: attachment; filename*=báo cáo.pdf; filename=a.pdf"
    ),
    "name that leaves its folder": lambda: _attachment(
        'Content-Disposition: attachment; filename="../../../../etc/cron.d/a"'
    ),
    "name of 100,000 letters": lambda: _attachment(
        f'Content-Disposition: attachment; filename="{"a" * 100_000}.pdf"'
    ),
    # Addresses and dates, which IMAP takes apart
    "addresses of nonsense": lambda: _mail("Cc: <<<>>>@,;:\"a\\", "Reply-To: a b c <d@e@f>"),
    "group that does not end": lambda: _mail("Cc: nhom: a@may.test, b@may.test"),
    "ten thousand comments in an address": lambda: _mail("Cc: " + "(" * 10_000 + "a@may.test"),
    "date of nonsense": lambda: _mail("Date: Hôm nay, 99 Foo 99999 99:99:99 +9999", date=False),
    "references of 100,000 bytes": lambda: _mail("References:" + "\n <a@may.test>" * 7000),
}  # fmt: skip
