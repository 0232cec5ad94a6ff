"""Who looks after security, and who looks after the agency's computers, are told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from string import Template
from typing import Any

from .control import run

_WHY = {
    "recipients": "Trong một giờ đã gửi hoặc tìm cách gửi thư đến $outside địa chỉ bên ngoài tỉnh"
    " (ngưỡng: $limit).",
    "inside": "Trong một giờ đã gửi hoặc tìm cách gửi thư đến $inside địa chỉ khác nhau trong tỉnh"
    " (ngưỡng: $limit).",
    "spam": "Trong một giờ đã gửi $spam thư có dấu hiệu là thư rác (ngưỡng: $limit).",
    "bounces": "Trong một giờ có $bounced địa chỉ bên ngoài tỉnh bị máy chủ nhận từ chối vì không"
    " tồn tại hoặc không nhận thư (ngưỡng: $limit).",
    "unknown": "Trong một giờ đã tìm cách gửi thư đến $unknown địa chỉ không tồn tại trong tỉnh"
    " (ngưỡng: $limit).",
}
"""By reason of an incident (danhba/lockout/misuse.py)."""


class Letters:
    """postfix: directory of its configuration. text: file with a subject and a body, in which
    $account and so on are filled in. officers: file with rows `ACCOUNT OFFICER`. contact: who is
    told of every incident. sender, name: whom the letters are from."""

    def __init__(
        self, postfix: str, text: str, officers: str, contact: str, sender: str, name: str
    ) -> None:
        self._postfix, self._text, self._officers = postfix, Path(text), Path(officers)
        self._contact, self._sender, self._name = contact, sender, name

    def write(self, incident: Mapping[str, Any]) -> list[str]:
        """Hand the letter to Postfix; to whom. Raises OSError, subprocess.SubprocessError."""
        to = sorted({self._contact, self._officer(incident["account"])} - {""})
        letter = self.letter(incident, to).as_bytes()
        # From nobody: nothing comes back, and nobody's vacation answers (RFC 3834 2).
        argv = ["sendmail", "-C", self._postfix, "-i", "-f", "<>", "--", *to]
        run(argv, letter)
        return to

    def letter(self, incident: Mapping[str, Any], to: list[str]) -> EmailMessage:
        """With envelope facts, and nothing of what was written."""
        facts = incident["facts"]
        why = Template(_WHY[incident["why"]]).substitute(facts)
        filled = Template(self._text.read_text(encoding="utf-8")).substitute(
            facts,
            account=incident["account"],
            id=incident["id"],
            time=time.strftime("%H:%M:%S ngày %d/%m/%Y", time.localtime(incident["at"])),
            host=incident["host"],
            why=why,
            sources=", ".join(facts["sources"]) or "không rõ",
        )
        subject, _, body = filled.partition("\n")
        message = EmailMessage(policy=SMTP)
        message["From"] = f"{self._name} <{self._sender}>"
        message["To"] = ", ".join(to)
        message["Subject"] = subject
        message["Date"] = formatdate(localtime=True)
        message["Message-ID"] = make_msgid(domain=self._sender.partition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 5
        message["Content-Language"] = "vi"
        message.set_content(body, cte="base64")
        return message

    def _officer(self, account: str) -> str:
        rows = (line.split(" ") for line in self._officers.read_text().splitlines())
        return next((row[1] for row in rows if row[0] == account), "")
