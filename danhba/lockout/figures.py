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


@dataclass(frozen=True)
class Limits:
    """What one account may send, over all edges. A recipient inside counts a tenth of one outside,
    and so does a message to the inside alone.

    messages, recipients: in an hour. burst: messages in a minute. inside, inside_burst: different
    addresses of the province in an hour and in a minute. keeper_times: as many times as much of
    these, of incident_recipients and incident_inside, for who keeps an agency's mailbox. answers:
    different addresses outside in an hour that the account's filter may answer.

    In an hour, until the account is suspended: incident_recipients, incident_inside: different
    addresses outside, and inside, that were asked for, also in vain. incident_spam: messages with
    the score of junk. incident_bounces: different addresses outside that were refused for good, if
    they are a quarter of all outside. incident_unknown: different addresses inside that nobody has.
    """

    messages: int
    recipients: int
    burst: int
    inside: int
    inside_burst: int
    answers: int
    keeper_times: int
    incident_recipients: int
    incident_inside: int
    incident_spam: int
    incident_bounces: int
    incident_unknown: int
