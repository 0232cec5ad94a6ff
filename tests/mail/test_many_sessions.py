"""A store has room for the sessions of a province, not for Dovecot's hundred; its processes serve
session after session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from doors import IMAPS, Line
from people import Person, trusting
from province import Province, wait_for

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


def test_a_process_that_served_a_keeper_gives_the_next_one_his_own_rights(
    province: Province, recipients: list[Person], keeper: Person, agency: str
) -> None:
    """And the other way round: rights are the session's, not the process's."""
    store = province.home(agency.partition("@")[0])
    owner = next(one for one in recipients if province.home(one.address.partition("@")[0]) == store)
    for address in (agency, owner.address):
        province.deliver(address.partition("@")[0])
    seen: dict[str, set[str]] = {agency: set(), owner.address: set()}

    def both() -> bool:
        for person, address in ((keeper, agency), (owner, owner.address)):
            with person.inbox() as imap:
                who = province.lab.run(store, ["doveadm", "-f", "tab", "who", address]).stdout
                seen[address].add(who.splitlines()[1].split("\t")[3])
                imap.store("1", "+FLAGS", "(\\Deleted \\Flagged)")
                _, [flags] = imap.fetch("1", "(FLAGS)")
                imap.store("1", "-FLAGS", "(\\Deleted \\Flagged)")
            assert (b"\\Deleted" in flags) == (person is owner), flags
        return bool(seen[agency] & seen[owner.address])

    wait_for(both, "one process serves both")
