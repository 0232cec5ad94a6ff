"""What leaves is encrypted as the other side says, or waits: DANE, MTA-STS, and neither."""

from __future__ import annotations

import re

import pytest
from people import Person, wait_for
from province import Province

from staging.tls_domains import (
    ALL,
    DANE,
    DANE_OVER_STS,
    DANE_WRONG,
    PLAIN,
    STS,
    STS_WRONG,
)

SENT = {
    DANE: "Verified TLS connection established to mx.{}",
    STS: "Verified TLS connection established to mx.{}",
    # Its certificate is none of its own: better than none.
    PLAIN: "Trusted TLS connection established to mx.{}",
}
WAITS = {
    DANE_WRONG: "no matching DANE TLSA records",
    STS_WRONG: "hostname mismatch",
    DANE_OVER_STS: "no matching DANE TLSA records",
}


@pytest.fixture(scope="module")
def log(province: Province, official: Person) -> str:
    """What mx1's Postfix says of one message to one mailbox in each domain."""
    run = province.lab.run
    since = run("mx1", ["date", "+%Y-%m-%d %H:%M:%S"]).stdout.strip()
    message = official.write([f"lan@{domain}" for domain in ALL], "Thử", "Xin chào\n")
    official.send(message)
    argv = ["journalctl", "-o", "cat", "-t", "postfix/smtp", "--since", since]

    def look() -> bytes | None:
        said = run("mx1", argv).stdout
        there = {found for found in ALL if re.search(rf"to=<lan@{found}>.*status=", said)}
        return said.encode() if there == set(ALL) else None

    said = wait_for(look, "mail to all domains is sent or deferred").decode()
    queue = run("mx1", ["postqueue", "-j"]).stdout
    # Not any of that second: others have been sent outside in it.
    identity = re.search(rf"(\w+): to=<lan@{DANE_WRONG}>", said)[1]  # type: ignore[index]
    assert identity in queue
    run("mx1", ["postsuper", "-d", identity])
    return said


@pytest.mark.parametrize("domain", SENT)
def test_sent_over_the_connection_that_was_promised(log: str, domain: str) -> None:
    assert SENT[domain].format(domain) in log
    assert re.search(rf"to=<lan@{domain}>.* status=sent", log)


@pytest.mark.parametrize("domain", WAITS)
def test_what_would_go_to_somebody_else_waits(log: str, domain: str) -> None:
    reason = rf"certificate verification failed for mx\.{domain}\S*: num=\d+:{WAITS[domain]}"
    assert re.search(reason, log)
    waits = rf"to=<lan@{domain}>.* dsn=4.7.5, status=deferred \(Server certificate not verified\)"
    assert re.search(waits, log)


def test_dns_of_an_edge_says_what_it_has_checked(province: Province) -> None:
    """A zone without signatures counts as such."""
    asks = (
        "import dns.resolver as r, dns.flags as f, sys; a = r.Resolver(); a.flags = f.RD | f.AD;"
        "print([bool(a.resolve(n, 'SOA').response.flags & f.AD) for n in sys.argv[1:]])"
    )
    names = [DANE.partition(".")[2], "angiang.gov.vn", "in-addr.arpa"]
    said = province.lab.run("mx1", ["python3", "-c", asks, *names]).stdout
    assert said.strip() == "[True, True, False]"
