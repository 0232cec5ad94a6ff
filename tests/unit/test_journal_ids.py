"""The journal's name of a message comes from the edge's own Received header, and from no other."""

from __future__ import annotations

import pytest

from danhba.journal.ids import carried, journal_id

EDGES = {"mx1.angiang.gov.vn": "mx1", "mx2.angiang.gov.vn": "mx2"}

OUTSIDE = b"""Received: from mail.ngoaitinh.test (mail.ngoaitinh.test [198.19.0.53])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
\t key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256)
\t(No client certificate requested)
\tby mx1.angiang.gov.vn (Postfix) with ESMTPS id 4dHx7Y3T4qz1X
\tfor <nvan@angiang.gov.vn>; Thu, 26 Nov 2026 20:00:00 +0700 (+07)
"""
FORGED = b"Received: by mx2.angiang.gov.vn (Postfix) id 4dFORGEDz9\n\tfor <a@b>; yesterday\n"
REST = b"Subject: x\n\nReceived: by mx2.angiang.gov.vn (Postfix) id 4dBODYz9; now\n"
STORE = b"""Return-Path: <lan@ngoaitinh.test>
Delivered-To: nvan@angiang.gov.vn
Received: from store1.angiang.gov.vn
\tby store1.angiang.gov.vn with LMTP
\tid qH1+Abc (envelope-from <lan@ngoaitinh.test>)
\tfor <nvan@angiang.gov.vn>; Thu, 26 Nov 2026 20:00:01 +0700
Received: from mx1.angiang.gov.vn (mx1.angiang.gov.vn [198.18.0.11])
\tby store1.angiang.gov.vn (danhba-store) with ESMTPS id 4dHx7Z0000z1Y; Thu, 26 Nov 2026 20:00:01
Authentication-Results: mx1.angiang.gov.vn; spf=pass
"""
HIDDEN = b"Received: by mx2.angiang.gov.vn (Postfix) id 4dHx7Y3T4qz1X\n\tfor <a@b>; today\n"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (OUTSIDE + FORGED + REST, "mx1/4dHx7Y3T4qz1X"),
        (STORE + OUTSIDE + FORGED + REST, "mx1/4dHx7Y3T4qz1X"),
        (HIDDEN + REST, "mx2/4dHx7Y3T4qz1X"),
        (OUTSIDE.replace(b"\n", b"\r\n"), "mx1/4dHx7Y3T4qz1X"),
        (OUTSIDE.replace(b"from mail.ngoaitinh.test ", b"from by "), "mx1/4dHx7Y3T4qz1X"),
        (OUTSIDE.replace(b"mx1.angiang", b"mx9.angiang") + REST, ""),
        (
            b"Received: by mx1.angiang.gov.vn (Postfix, from userid 0)\n\tid 4dHxz1; now\n" + REST,
            "mx1/4dHxz1",
        ),
        (REST, ""),
        (b"", ""),
    ],
)
def test_first_edge_names_the_message(header: bytes, expected: str) -> None:
    assert journal_id(header, EDGES) == expected


@pytest.mark.parametrize("helo", [b"x_by_mx2.angiang.gov.vn", b"(Postfix)", b"id"])
def test_what_a_client_calls_himself_names_nothing(helo: bytes) -> None:
    header = OUTSIDE.replace(b"from mail.ngoaitinh.test ", b"from " + helo + b" ")
    assert journal_id(header + FORGED, EDGES) in ("mx1/4dHx7Y3T4qz1X",)


def test_on_one_host_the_store_is_not_taken_for_the_edge() -> None:
    one = {"single1.angiang.gov.vn": "single1"}
    both = (STORE + OUTSIDE).replace(b"store1.", b"single1.").replace(b"mx1.", b"single1.")
    assert journal_id(both, one) == "single1/4dHx7Y3T4qz1X"


def test_the_vault_takes_off_what_the_waiting_queue_added() -> None:
    waiting = b"""Received: from mx1.angiang.gov.vn (localhost [127.0.0.1])\r
\tby mx1.angiang.gov.vn (danhba-journal) with ESMTP id 4dHx7Y3T4qz1Z;\r
\tThu, 26 Nov 2026 20:00:02 +0700 (+07)\r
"""
    message = (OUTSIDE + REST).replace(b"\n", b"\r\n")
    assert carried(waiting + message, EDGES) == ("mx1/journal-4dHx7Y3T4qz1Z", message)
    assert carried(message, EDGES) == ("", message)
