"""On the vault: which messages somebody was to get.

Standard input: a line of JSON, {"index": path, "first": time, "accounts": {address: account}}.
Standard output: a line `N ID ACCOUNT` for each message and account, by the index alone, in no
order; at the end a line with a dot.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import IO

_FEW = 500
"""Addresses up to which it is quicker to look each of them up than to go through all entries."""

_BY_TIME = """
SELECT n, id, address FROM entries JOIN parties USING (n)
WHERE time >= ? AND kind = 'mail' AND role = 'to'
"""
_BY_ADDRESS = """
SELECT n, id, address FROM parties JOIN entries USING (n)
WHERE address = ? AND n >= (SELECT min(n) FROM entries WHERE time >= ?)
AND time >= ? AND role = 'to'
"""

Row = tuple[int, str, str]


def main(given: IO[bytes], out: IO[bytes]) -> None:
    request = json.loads(given.readline())
    accounts: dict[str, str] = request["accounts"]
    # The daemon writes meanwhile; this one only reads, and makes no index where there is none.
    index = sqlite3.connect(f"file:{request['index']}?mode=ro", uri=True, timeout=60)
    for n, identity, account in rows(index, request["first"], accounts):
        out.write(f"{n} {identity} {account}\n".encode())
    out.write(b".\n")


def rows(index: sqlite3.Connection, first: str, accounts: Mapping[str, str]) -> Iterator[Row]:
    """Number of the entry, journal id, account. accounts: by address with the domain, in small
    letters."""
    for n, identity, address in _found(index, first, accounts):
        if account := accounts.get(address):
            yield n, identity, account


def _found(index: sqlite3.Connection, first: str, accounts: Mapping[str, str]) -> Iterable[Row]:
    if len(accounts) > _FEW:
        yield from index.execute(_BY_TIME, (first,))
        return
    for address in accounts:
        yield from index.execute(_BY_ADDRESS, (address, first, first))
