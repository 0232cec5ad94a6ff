"""What a store still has of mailboxes that another one serves by now."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence

from .config import Config


def end_sessions(config: Config, accounts: Iterable[str]) -> None:
    """Whoever is logged in here connects again, to where his mailbox is by now."""
    who = _output(["doveadm", "-f", "tab", "who"]).splitlines()[1:]
    users = {row.split("\t")[0] for row in who}
    for user in users.intersection(f"{account}@{config.domain}" for account in accounts):
        subprocess.run(["doveadm", "kick", user], capture_output=True, check=False)


def queued(accounts: Iterable[str]) -> list[str]:
    """Accounts that this store's Postfix still has mail for."""
    rows = [json.loads(row) for row in _output(["postqueue", "-j"]).splitlines()]
    to = {each["address"].partition("@")[0].lower() for row in rows for each in row["recipients"]}
    return sorted(to.intersection(accounts))


def _output(argv: Sequence[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
