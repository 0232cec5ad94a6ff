"""The figures of the rules, as `policy` in directory.yaml has them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """guesses: different wrong passwords for one account from one source before that source is
    refused for this account. minutes: how long at first; every further time is twice as long, up
    to a day. accounts: how many accounts a source may miss, none of which ever logged in from its
    network, before it is refused for all such accounts. account_guesses: different wrong passwords
    for one account from all networks it is not known from, before only the known ones are let in.
    known_days: how long a network stays known after a login.
    """

    guesses: int
    minutes: int
    accounts: int
    account_guesses: int
    known_days: int
