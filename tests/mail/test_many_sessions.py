"""A store has room for the sessions of a province, not for Dovecot's hundred."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from doors import IMAPS, Line
from people import Person, trusting
from province import Province

MANY = 110
EACH = 9
"""Of one person from one address; Dovecot's limit is 10 (mail_max_userip_connections)."""


def test_more_than_a_hundred_sessions_of_one_store(
    province: Province, recipients: list[Person]
) -> None:
    store = province.home(recipients[0].local)
    there = [each for each in recipients if province.home(each.local) == store]
    assert len(there) * EACH >= MANY

    def enter(number: int) -> Line:
        person = there[number % len(there)]
        line = Line(IMAPS, person.server, trusting())
        line.log_in(person.login, person.password)
        return line

    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        lines = [stack.enter_context(line) for line in pool.map(enter, range(MANY))]
        assert all("a OK" in line.ask("NOOP") for line in lines)
