"""Domains outside the province that say who writes in their name: SPF, DKIM, DMARC.

All mail of theirs comes from this machine, from tests that sign it with the keys here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from staging.config import INTERNET4, KEYS, OUTSIDE
from staging.shell import run

SELECTOR = "lab"
"""Of every key."""

REJECTING, QUARANTINING, WATCHING = "example.org", "example.net", "example.com"
"""By what they ask for with mail in their name that is not from them."""

REPORTS = f"dmarc@{WATCHING}"
"""Where reports about the others are wanted: lan's. (To rspamd an address below .test is
none.)"""

SAMPLING = f"mau.{REJECTING}"
"""Asks to refuse none of a hundred: the rest is to be filed as junk (RFC 7489 6.6.4)."""

UNSURE = f"tam.{REJECTING}"
"""Of which no server says who sends for it."""

SIGNING = (REJECTING, QUARANTINING, WATCHING, OUTSIDE)

_SENDER = str(INTERNET4[1])


def key(domain: str) -> Path:
    """A domain's private key, RSA of 2048 bits, as PEM; made once per machine."""
    path = Path(KEYS) / f"dkim-{domain}.pem"
    if not path.exists():
        run(["openssl", "genrsa", "-out", str(path), "2048"])
    return path


def public_keys() -> Mapping[str, str]:
    """Files that the zones include, each with the record of a domain's key."""
    return {_place(domain): _public(domain) for domain in SIGNING}


def zones(silent: str) -> Mapping[str, str]:
    """Zone name to records. silent: a name whose server never answers."""
    rua = f"rua=mailto:{REPORTS}"
    reject = (
        _text("@", f"v=spf1 ip4:{_SENDER} -all")
        + _text("_dmarc", f"v=DMARC1; p=reject; sp=quarantine; {rua}")
        + _text("_dmarc.mau", "v=DMARC1; p=reject; pct=0")
        + _text("tam", f"v=spf1 include:{silent} -all")
        + _text("_dmarc.tam", "v=DMARC1; p=reject")
    )
    # Nobody at the address says that he wants these reports (RFC 7489 7.1).
    quarantine = _text("@", "v=spf1 ~all") + _text("_dmarc", f"v=DMARC1; p=quarantine; {rua}")
    watch = (
        f"@ IN MX 10 mail.{OUTSIDE}.\n"
        + _text("@", "v=spf1 -all")
        + _text("_dmarc", "v=DMARC1; p=none")
        + _text(f"{REJECTING}._report._dmarc", "v=DMARC1")
    )
    return {
        REJECTING: reject + _include(REJECTING),
        QUARANTINING: quarantine + _include(QUARANTINING),
        WATCHING: watch + _include(WATCHING),
    }


def outside() -> str:
    """Record of the outside mail domain: the key of its mailing lists."""
    return _include(OUTSIDE)


def _place(domain: str) -> str:
    return f"/etc/bind/danhba/{domain}.key"


def _include(domain: str) -> str:
    return f"$INCLUDE {_place(domain)}\n"


def _public(domain: str) -> str:
    pem = run(["openssl", "rsa", "-in", str(key(domain)), "-pubout"]).stdout
    letters = "".join(line for line in pem.splitlines() if "-----" not in line)
    return _text(f"{SELECTOR}._domainkey", f"v=DKIM1; k=rsa; p={letters}")


def _text(name: str, text: str) -> str:
    """A record in strings of 255 bytes at most (RFC 1035 3.3.14)."""
    parts = " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
    return f"{name} IN TXT {parts}\n"
