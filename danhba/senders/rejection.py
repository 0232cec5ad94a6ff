"""What Dovecot writes when somebody's filter refuses a message (RFC 5429): it comes without a
sender, and says in its second part whose filter it was."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(rb'boundary="([^"\r\n]+)"')
_WHOSE = re.compile(rb"^Final-Recipient: *rfc822; *<?([^\s<>]+)>? *\r?$", re.M | re.I)
_SUPPRESSED = re.compile(rb"^X-Auto-Response-Suppress *:", re.M | re.I)


@dataclass(frozen=True)
class Rejection:
    """account: whose filter it was; "" when that is not to be seen. proven: did the message that is
    refused come from whom it says (templates/rspamd/answers.lua)?"""

    account: str
    proven: bool


def rejection(content_type: bytes, body: bytes) -> Rejection:
    """The user writes the first part, the stranger the third. Neither knows the boundary, which
    Dovecot makes for each."""
    found = _BOUNDARY.search(content_type)
    parts = re.split(rb"(?:^|\r?\n)--" + re.escape(found[1]), body) if found else []
    if len(parts) != 5:
        return Rejection("", proven=False)
    whose = _WHOSE.search(parts[2])
    account = whose[1].decode("ascii", "replace").lower() if whose else ""
    return Rejection(account, proven=not _SUPPRESSED.search(parts[3]))
