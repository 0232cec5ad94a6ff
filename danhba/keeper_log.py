"""Who opened an agency's mailbox, from what the stores' Dovecot says of each login."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, order=True)
class Opening:
    """One login. when: with time zone. agency, keeper: accounts, or what somebody typed as such.
    client: IP address. opened: False when it was refused. session: of Dovecot's log. store: host
    name."""

    when: datetime
    agency: str
    keeper: str
    client: str
    protocol: str
    opened: bool
    session: str
    store: str


def openings(lines: Mapping[str, Iterable[str]]) -> list[Opening]:
    """By time, each once, from the lines of each store."""
    return sorted({found for store, rows in lines.items() for found in _of(store, rows)})


def _of(store: str, rows: Iterable[str]) -> Iterator[Opening]:
    for row in rows:
        try:
            event = json.loads(row)
        except ValueError:  # half a line, of a machine that lost power
            continue
        fields = event["fields"]
        # Once the keeper is let in, Dovecot calls the mailbox the user; before, the keeper.
        opened = bool(fields.get("master_user"))
        agency = fields["user"] if opened else fields["login_user"]
        keeper = fields["master_user"] if opened else fields["user"]
        yield Opening(
            datetime.fromisoformat(event["end_time"]),
            _account(agency),
            _account(keeper),
            fields.get("remote_ip", ""),
            fields["protocol"],
            opened and fields.get("success") == "yes",
            fields.get("session", ""),
            store,
        )


def _account(user: str) -> str:
    return user.partition("@")[0]
