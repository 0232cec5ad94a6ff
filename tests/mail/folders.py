"""Names of folders as IMAP has them."""

from __future__ import annotations

import base64
import re


def named(folder: str) -> str:
    """In quotes, in modified UTF-7 (RFC 3501 5.1.3)."""

    def shifted(match: re.Match[str]) -> str:
        packed = base64.b64encode(match[0].encode("utf-16-be")).decode()
        return f"&{packed.rstrip('=').replace('/', ',')}-"

    return '"' + re.sub(r"[^ -~]+", shifted, folder.replace("&", "&-")) + '"'
