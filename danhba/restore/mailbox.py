"""A mailbox, or the unpacked one of a snapshot, by doveadm."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from .missing import Mail, sequence
from .refusal import Refused

AT_ONCE = 1000
"""Messages that one doveadm brings: each such part is there wholly or not at all, and two commands
of the same UIDs are never longer than what a program may be given."""
_FIELDS = "mailbox uid guid mailbox-guid"
_UNINDEXED = ("-o", "mail_plugins/fts=no", "-o", "mail_plugins/fts_flatcurve=no")
"""What is looked at once is not indexed for searching."""
_NO_LIMIT = ("-o", "mail_plugins/quota=no")
"""What was lost comes back, room or not."""


@dataclass(frozen=True)
class Mailbox:
    """user: with the domain. place: folder of an unpacked one, None for the live one."""

    user: str
    place: Path | None = None

    def mails(self, query: Sequence[str] = ("all",)) -> list[Mail]:
        """Raises Refused."""
        return [_mail(row) for row in self._rows(_FIELDS, query)]

    def by_message_id(self, identity: str) -> list[Mail]:
        """With the angle brackets or without."""
        plain = identity.strip().strip("<>")
        rows = self._rows(f"{_FIELDS} hdr.message-id", ("header", "message-id", plain))
        return [_mail(row) for row in rows if row["hdr.message-id"].strip().strip("<>") == plain]

    def folders(self) -> list[str]:
        return self._doveadm("mailbox", "list", "-u", self.user).splitlines()

    def make(self, folder: str) -> None:
        self._doveadm("mailbox", "create", "-s", "-u", self.user, "--", folder)

    def rebuild(self) -> None:
        """Index and messages agree afterwards: of the unpacked one, whose index is a copy."""
        self._doveadm("force-resync", "-u", self.user, "*")

    def bring(self, source: Path, mails: Iterable[Mail], into: str) -> None:
        """Messages of an unpacked mailbox, with flags, labels, GUID and day of arrival, to folders
        of the same name, below `into` unless that is "". Raises Refused."""
        for box, some in groupby(sorted(mails), lambda mail: mail.box):
            uids = [mail.uid for mail in some]
            for at in range(0, len(uids), AT_ONCE):
                query = ("mailbox-guid", box, "uid", sequence(uids[at : at + AT_ONCE]))
                self._doveadm(
                    *_NO_LIMIT, "import", "-s", "-u", self.user,
                    "--", f"sdbox:{source}", into, *query,
                )  # fmt: skip

    def room(self) -> tuple[int, int]:
        """KiB used, and KiB there are; 0 when there is no limit. Raises Refused."""
        rows = json.loads(self._doveadm("-f", "json", "quota", "get", "-u", self.user))
        row = next(row for row in rows if row["type"] == "STORAGE")
        return int(row["value"]), int(row["limit"]) if row["limit"].isdigit() else 0

    def _rows(self, fields: str, query: Sequence[str]) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(
            self._doveadm("-f", "json", "fetch", "-u", self.user, "--", fields, *query) or "[]"
        )
        return found

    def _doveadm(self, *words: str) -> str:
        place = ("-o", f"mail_path={self.place}", *_UNINDEXED) if self.place else ()
        argv = ["doveadm", *place, *words]
        done = subprocess.run(argv, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise Refused(f"doveadm {words[0]}: {said or f'exit status {done.returncode}'}")
        return done.stdout.decode(errors="replace")


def _mail(row: Mapping[str, str]) -> Mail:
    return Mail(row["mailbox"], int(row["uid"]), row["guid"], row["mailbox-guid"])
