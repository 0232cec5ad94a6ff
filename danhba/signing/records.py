"""Records of DKIM keys in DNS (RFC 6376 3.6.1)."""

from __future__ import annotations

from collections.abc import Iterable


def name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}."


def text(kind: str, public: str) -> str:
    return f"v=DKIM1; k={kind}; p={public}"


def shows(found: Iterable[str], kind: str, public: str) -> bool:
    """Whether there is this record and no other one, however it is written."""
    rows = [_tags(row) for row in found]
    return len(rows) == 1 and rows[0].get("k", "rsa") == kind and rows[0].get("p") == public


def _tags(row: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in row.split(";") if part.strip())
    return {key.strip(): "".join(value.split()) for key, _, value in pairs}


def zone_line(owner: str, content: str) -> str:
    """As zone files have it (RFC 1035 5.1): no string of it is longer than 255 octets."""
    parts = [content[start : start + 250] for start in range(0, len(content), 250)]
    strings = " ".join(f'"{part}"' for part in parts)
    return f"{owner} IN TXT ( {strings} )" if len(parts) > 1 else f"{owner} IN TXT {strings}"
