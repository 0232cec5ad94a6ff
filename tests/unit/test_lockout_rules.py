"""Who is refused and who never is, on a clock that a test moves."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba.lockout import rules as module
from danhba.lockout.figures import Figures
from danhba.lockout.rules import DAY, Rules, opened
from danhba.lockout.sources import network_of, source_of, within

FIGURES = Figures(guesses=10, minutes=15, accounts=20, account_guesses=50, known_days=60)
MINISTER, DESK, PHONE = "minister@x", "198.18.5.7", "198.18.77.1"
STRANGER = "203.0.113.9"
RIGHT = "right"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class House(Rules):
    """The rules of one host, with people who try passwords; "right" is right."""

    def __init__(
        self, clock: Clock, path: Path | str = ":memory:", own: tuple[str, ...] = ()
    ) -> None:
        super().__init__(opened(path), FIGURES, clock, own)
        self.clock = clock

    def tries(self, account: str, source: str, password: str) -> str:
        """Why the attempt is refused, else "in" or "wrong"."""
        if why := self.refuses(account, source, password):
            return why
        if password == RIGHT:
            self.succeeded(account, source, password)
            return "in"
        self.failed(account, source, password)
        return "wrong"

    def guesses(self, account: str, source: str, count: int, name: str = "g") -> int:
        """How many different passwords were looked at."""
        tried = (self.tries(account, source, f"{name}{n}-{self.clock.now}") for n in range(count))
        return sum(1 for said in tried if said == "wrong")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(clock: Clock) -> House:
    return House(clock)


def test_after_ten_different_wrong_passwords_the_right_one_is_refused_too(house: House) -> None:
    assert house.guesses(MINISTER, STRANGER, 9) == 9
    assert house.tries(MINISTER, STRANGER, RIGHT) == "in"
    assert house.guesses(MINISTER, STRANGER, 100, "more") == 1
    assert house.tries(MINISTER, STRANGER, RIGHT) == "pair"


def test_the_owner_elsewhere_and_others_at_that_source_get_in(house: House) -> None:
    house.guesses(MINISTER, STRANGER, 20)
    assert house.tries(MINISTER, DESK, RIGHT) == "in"
    assert house.tries("an@x", STRANGER, RIGHT) == "in"


def test_a_forgotten_telephone_locks_nobody_out_however_often_it_tries(house: House) -> None:
    for _ in range(1000):
        assert house.tries(MINISTER, DESK, "last year's") == "wrong"
    assert house.tries(MINISTER, DESK, RIGHT) == "in"
    assert house.standing() == []


def test_a_refusal_ends_and_the_next_ones_are_longer_up_to_a_day(
    house: House, clock: Clock
) -> None:
    lengths = []
    for _ in range(9):
        assert house.guesses(MINISTER, STRANGER, 50) == 10
        (row,) = house.standing()
        lengths.append((row["until"] - clock.now) / 60)
        clock.now = row["until"] - 1
        assert house.tries(MINISTER, STRANGER, "again") == "pair"
        clock.now = row["until"]
        house.forget()
    assert lengths == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]


def test_a_guesser_has_these_many_passwords_looked_at(house: House, clock: Clock) -> None:
    """The figures of docs/lockout.md."""
    begin, looked = clock.now, {1: 0, 24: 0, 48: 0}
    while clock.now < begin + 2 * DAY:
        count = house.guesses(MINISTER, STRANGER, 30)
        for hours in looked:
            looked[hours] += count if clock.now < begin + hours * 3600 else 0
        clock.now += 60
    assert looked == {1: 30, 24: 70, 48: 80}


def test_a_botnet_has_these_many_passwords_looked_at(house: House, clock: Clock) -> None:
    house.tries(MINISTER, DESK, RIGHT)
    begin, looked, bot = clock.now, {1: 0, 24: 0, 48: 0}, 0
    while clock.now < begin + 2 * DAY:
        for _ in range(60):
            bot += 1
            source = f"203.{bot // 65536}.{bot // 256 % 256}.{bot % 256}"
            count = house.guesses(MINISTER, source, 1)
            for hours in looked:
                looked[hours] += count if clock.now < begin + hours * 3600 else 0
        assert house.tries(MINISTER, DESK, RIGHT) == "in"
        clock.now += 300
    assert looked == {1: 150, 24: 350, 48: 400}


def test_under_distributed_attack_the_owner_gets_in_where_he_is_known(
    house: House, clock: Clock
) -> None:
    house.tries(MINISTER, DESK, RIGHT)
    house.tries(MINISTER, PHONE, RIGHT)
    looked = sum(house.guesses(MINISTER, f"203.0.{n}.1", 1) for n in range(200))
    assert looked == 50
    assert house.tries(MINISTER, "203.0.113.200", RIGHT) == "account"
    assert house.tries(MINISTER, DESK, RIGHT) == "in"
    assert house.tries(MINISTER, "198.18.77.200", RIGHT) == "in"  # tomorrow's address of the phone
    assert house.tries("an@x", "203.0.113.200", RIGHT) == "in"
    assert house.lift(MINISTER, "") == 1
    assert house.tries(MINISTER, "203.0.113.200", RIGHT) == "in"


def test_on_a_journey_a_network_is_made_known(house: House) -> None:
    for n in range(50):
        house.guesses(MINISTER, f"203.0.{n}.1", 1)
    assert house.tries(MINISTER, "192.0.2.4", RIGHT) == "account"
    house.lift(MINISTER, "192.0.2.4")
    assert house.tries(MINISTER, "192.0.2.4", RIGHT) == "in"
    assert house.tries(MINISTER, "192.1.2.4", RIGHT) == "account"


def test_nobody_lifts_everything_at_once(house: House) -> None:
    house.guesses(MINISTER, "203.0.0.1", 1)
    with pytest.raises(ValueError, match="name an account or a source"):
        house.lift("", "")


def test_a_network_is_forgotten_when_nobody_came_from_it(house: House, clock: Clock) -> None:
    house.tries(MINISTER, DESK, RIGHT)
    clock.now += 61 * DAY
    for n in range(50):
        house.guesses(MINISTER, f"203.0.{n}.1", 1)
    assert house.tries(MINISTER, DESK, RIGHT) == "account"


def test_who_guesses_at_many_accounts_is_refused_for_all_he_is_not_known_at(house: House) -> None:
    house.tries("an@x", STRANGER, RIGHT)
    looked = sum(house.guesses(f"user{n}@x", STRANGER, 1) for n in range(100))
    assert looked == 20
    assert house.tries("binh@x", STRANGER, RIGHT) == "source"
    assert house.tries("an@x", STRANGER, RIGHT) == "in"
    assert house.tries("binh@x", DESK, RIGHT) == "in"


def test_an_office_that_mistypes_its_first_passwords_is_not_refused(house: House) -> None:
    for n in range(200):
        house.guesses(f"user{n}@x", DESK, 3)
        assert house.tries(f"user{n}@x", DESK, RIGHT) == "in"
    for n in range(200):
        house.guesses(f"user{n}@x", DESK, 1, "later")
    assert house.standing() == []


def test_a_colleague_at_the_same_address_keeps_nobody_out_for_longer_than_the_first_time(
    house: House, clock: Clock
) -> None:
    house.tries(MINISTER, DESK, RIGHT)
    for _ in range(5):
        house.guesses(MINISTER, DESK, 20)
        (row,) = house.standing()
        assert row["until"] - clock.now == 15 * 60
        assert house.tries(MINISTER, PHONE, RIGHT) == "in"
        clock.now = row["until"]


def test_logins_between_the_guesses_do_not_start_the_count_again(house: House) -> None:
    looked = 0
    for n in range(30):
        looked += house.guesses(MINISTER, DESK, 1, f"g{n}")
        house.tries(MINISTER, DESK, RIGHT)
    assert looked == 10


def test_guesses_at_the_same_moment_are_no_more(house: House) -> None:
    asked = [house.refuses(MINISTER, STRANGER, f"g{n}") for n in range(1000)]
    assert asked.count("") == 10
    asked = [house.refuses(MINISTER, f"203.0.{n % 250}.{n // 250}", "g") for n in range(1000)]
    assert asked.count("") <= 50


def test_an_attempt_that_came_to_nothing_is_not_counted_for_ever(
    house: House, clock: Clock
) -> None:
    """The directory server did not answer, say."""
    for n in range(20):
        house.refuses(MINISTER, DESK, f"g{n}")
    assert house.tries(MINISTER, DESK, RIGHT) == "pair"
    clock.now += module.IN_FLIGHT
    assert house.tries(MINISTER, DESK, RIGHT) == "in"


def test_all_survives_the_daemon(clock: Clock, tmp_path: Path) -> None:
    before = House(clock, tmp_path / "table")
    before.tries(MINISTER, DESK, RIGHT)
    before.guesses(MINISTER, STRANGER, 10)
    after = House(clock, tmp_path / "table")
    assert after.tries(MINISTER, STRANGER, RIGHT) == "pair"
    assert after.knows(MINISTER, DESK)
    assert after.epoch == before.epoch


def test_a_spoilt_table_is_begun_anew(clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(b"no table at all" * 1000)
    assert House(clock, tmp_path / "table").tries(MINISTER, DESK, RIGHT) == "in"


def test_what_is_remembered_is_bounded(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 100)
    for n in range(300):
        clock.now += 1
        house.failed(f"user{n}@x", f"203.0.{n % 256}.{n // 256}", "g")
    house.forget()
    rows = house.news(0)
    assert [row["account"] for row in rows] == [f"user{n}@x" for n in range(200, 300)]
    for n in range(50):
        clock.now += 1
        house.succeeded(MINISTER, f"198.18.{n}.1", RIGHT)
    assert [house.knows(MINISTER, f"198.18.{n}.1") for n in range(50)] == [False] * 30 + [True] * 20


def test_after_a_day_nothing_is_left_but_known_networks(house: House, clock: Clock) -> None:
    house.tries(MINISTER, DESK, RIGHT)
    house.guesses(MINISTER, STRANGER, 10)
    clock.now += 2 * DAY + 60
    house.forget()
    assert [row["kind"] for row in house.news(0)] == ["known"]


# Two hosts


def _tell(one: House, other: House) -> None:
    for row in one.news(other.heard("one")[1]):
        other.learn(row)
        other.note_heard("one", one.epoch, row["seq"])


def test_what_one_host_saw_counts_on_the_other(clock: Clock) -> None:
    one, other = House(clock), House(clock)
    assert one.guesses(MINISTER, STRANGER, 6) == 6
    one.tries(MINISTER, DESK, RIGHT)
    _tell(one, other)
    assert other.guesses(MINISTER, STRANGER, 50, "other") == 4
    assert other.knows(MINISTER, DESK)
    _tell(other, one)
    assert one.tries(MINISTER, STRANGER, RIGHT) == "pair"
    assert other.news(0) and all(row["source"] == STRANGER for row in other.news(0))


def test_a_clock_that_is_ahead_makes_no_guess_last(clock: Clock) -> None:
    house, ahead = House(clock), Clock()
    ahead.now += 10 * DAY
    other = House(ahead)
    other.guesses(MINISTER, STRANGER, 10)
    _tell(other, house)
    clock.now += DAY + 1
    house.forget()
    assert house.tries(MINISTER, STRANGER, RIGHT) == "in"


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["a@x", "b@x"]),
        st.sampled_from([DESK, STRANGER, "198.51.100.4", "2001:db8:1:1::/64"]),
        st.sampled_from([RIGHT, *"0123456789abcdef"]),
        st.integers(0, 3000),
    ),
    max_size=200,
)


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_whatever_happens_no_source_has_more_than_ten_looked_at_in_a_quarter(
    events: list[tuple[str, str, str, int]],
) -> None:
    clock = Clock()
    house = House(clock)
    looked: dict[tuple[str, str], dict[str, float]] = {}
    for account, source, password, pause in events:
        clock.now += pause
        said = house.tries(account, source, password)
        seen = looked.setdefault((account, source), {})
        if said == "wrong":
            seen.setdefault(password, clock.now)
            recent = [at for at in seen.values() if at > clock.now - 15 * 60]
            assert len(recent) <= 10
        # The owner is only ever refused where the pair is, or he was never in.
        if said in ("account", "source"):
            assert not house.knows(account, source)


@pytest.mark.parametrize(("address", "source", "network"), [
    ("198.18.0.1", "198.18.0.1", "198.18.0.0/24"),
    ("::ffff:198.18.0.1", "198.18.0.1", "198.18.0.0/24"),
    ("2001:db8:18:5:a:b:c:d", "2001:db8:18:5::/64", "2001:db8:18::/48"),
    ("", "", ""), ("unknown", "", ""),
])  # fmt: skip
def test_sources(address: str, source: str, network: str) -> None:
    assert (source_of(address), network_of(source)) == (source, network)


# The province's own networks

OWN = ("10.20.0.0/16", "2001:db8:20::/48", "2001:db8:18::11")


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("10.20.255.1", True),
        ("10.21.0.1", False),
        ("::ffff:10.20.0.1", True),
        ("2001:db8:20:7::1", True),
        ("2001:db8:21::1", False),
        ("2001:db8:18::ff", True),  # of the /64 of a host
        ("2001:db8:18:1::11", False),
        ("no address", False),
    ],
)
def test_what_is_within_the_own_networks(address: str, own: bool) -> None:
    assert within(source_of(address), tuple(map(ip_network, OWN))) is own


def _misses_of_many(house: House, source: str) -> str:
    for n in range(100):
        house.tries(f"user{n}@x", source, "g")
    return house.tries("new@x", source, RIGHT)


@pytest.mark.parametrize("source", ["10.20.3.4", "2001:db8:20:7::/64", "2001:db8:18::/64"])
def test_an_own_network_is_never_refused_whatever_comes_from_there(
    clock: Clock, source: str
) -> None:
    assert _misses_of_many(House(clock), source) == "source"
    house = House(clock, own=OWN)
    assert _misses_of_many(house, source) == "in"
    assert house.standing() == []
    assert _misses_of_many(house, STRANGER) == "source"


def test_guesses_from_an_own_network_count_against_the_account(clock: Clock) -> None:
    house = House(clock, own=OWN)
    assert house.guesses(MINISTER, "10.20.3.4", 100) == 10
    assert house.tries(MINISTER, "10.20.3.4", RIGHT) == "pair"
    assert house.tries(MINISTER, "10.20.3.5", RIGHT) == "in"
    for n in range(5, 9):
        house.guesses("an@x", f"10.20.3.{n}", 10)
    assert house.guesses("an@x", "10.20.3.9", 100) == 10
    assert house.tries("an@x", STRANGER, RIGHT) == "account"


def test_a_network_that_is_declared_own_is_let_in_at_once(clock: Clock, tmp_path: Path) -> None:
    assert _misses_of_many(House(clock, tmp_path / "table"), "10.20.3.4") == "source"
    assert House(clock, tmp_path / "table", OWN).tries("new@x", "10.20.3.4", RIGHT) == "in"
