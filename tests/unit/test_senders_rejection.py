"""Whose filter has refused a message, by what Dovecot writes then."""

from __future__ import annotations

import pytest

from danhba.senders.rejection import Rejection, rejection

TYPE = b' multipart/report; report-type=disposition-notification;\r\n\tboundary="4711/store1"'
WHOSE = "Final-Recipient: rfc822; {}\r\n"


def _body(reason: str, header: str = "Subject: x\r\n") -> bytes:
    return (
        f"--4711/store1\r\nContent-Type: text/plain\r\n\r\n{reason}\r\n"
        "--4711/store1\r\nContent-Type: message/disposition-notification\r\n\r\n"
        "Reporting-UA: store1; Dovecot\r\n" + WHOSE.format("nvan@x.vn") + "Disposition: x\r\n"
        f"\r\n--4711/store1\r\nContent-Type: message/rfc822\r\n\r\n{header}\r\n\r\n"
        "--4711/store1--\r\n"
    ).encode()


@pytest.mark.parametrize("reason", ["Không nhận", WHOSE.format("ttkngan@x.vn"), "--4711/store\r\n"])
def test_it_is_not_who_the_text_says(reason: str) -> None:
    assert rejection(TYPE, _body(reason)) == Rejection("nvan@x.vn", proven=True)


def test_a_sender_that_is_not_proven_is_seen_in_his_header_alone() -> None:
    mark = "X-Auto-Response-Suppress: OOF, AutoReply\r\n"
    assert not rejection(TYPE, _body("x", f"{mark}Subject: x\r\n")).proven
    assert rejection(TYPE, _body(mark)).proven


@pytest.mark.parametrize("kind", [b"", b" text/plain", b' multipart/report; boundary="other"'])
def test_anything_else_is_nobodys(kind: bytes) -> None:
    assert rejection(kind, _body("x")) == Rejection("", proven=False)
