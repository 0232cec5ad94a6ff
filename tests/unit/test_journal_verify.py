"""Whatever is changed, taken away or put in, anywhere in an archive, is found, with its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from archives import AN, DAY, HA, LAN, Vault
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba.journal import entry
from danhba.journal.policy import Policy
from danhba.journal.verify import Memory, Report, sentences, verify

CHAIN, NEXT = "2026/11/26/0001.chain", "2026/11/27/0001.chain"
DATA = "2026/11/26/0001.data"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten messages and a reader, over two days; closed by the entry of who verifies."""
    vault = Vault(tmp_path_factory.mktemp("whole") / "journal")
    for number in range(5):
        vault.mail(LAN, AN, HA, text=f"{number} " * 40)
    vault.log("read", {"who": "an", "why": "thử", "case": ""})
    vault.now += DAY
    for _ in range(5):
        vault.mail(AN, LAN)
    vault.log("read", {"who": "an", "why": "verify", "case": ""})
    vault.archive.close()
    return vault.root


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "journal")
    return tmp_path / "journal"


def memory(root: Path) -> Memory:
    report = verify(root)
    return Memory("mx1", report.n, report.hash)


def test_what_was_written_is_verified(whole: Path) -> None:
    report = verify(whole, [memory(whole)])
    assert report.findings == []
    assert (report.entries, report.messages, report.n, report.remembered) == (12, 10, 12, 1)
    data = sum(path.stat().st_size for path in whole.rglob("*.data"))
    assert report.size == data


def lines(root: Path, file: str = CHAIN) -> list[bytes]:
    return (root / file).read_bytes().splitlines(keepends=True)


def put(root: Path, rows: list[bytes], file: str = CHAIN) -> None:
    (root / file).write_bytes(b"".join(rows))


def only(report: Report) -> str:
    [found] = sentences(report)
    return found


def test_a_changed_line_is_named(copy: Path) -> None:
    rows = lines(copy)
    rows[2] = rows[2].replace(b"lan@ngoaitinh.test", b"mai@ngoaitinh.test")
    put(copy, rows)
    said = only(verify(copy))
    assert said.startswith(f"{CHAIN}, line 3: entry 3 is not what entry 4") and "changed" in said


def test_a_line_that_was_changed_with_its_own_hashes_is_named(copy: Path) -> None:
    """By somebody who knows how: he would have to change every line after it as well."""
    found = entry.parsed(lines(copy)[2])
    rows = lines(copy)
    rows[2] = entry.line({**found, "to": [HA]}) + b"\n"
    put(copy, rows)
    assert only(verify(copy)).startswith(f"{CHAIN}, line 3: entry 3 is not what entry 4")


def test_a_line_that_is_gone_is_named(copy: Path) -> None:
    rows = lines(copy)
    del rows[2]
    put(copy, rows)
    said = list(sentences(verify(copy)))
    assert said[0] == f"{CHAIN}, line 3: entry 4 comes after entry 2 of {CHAIN}: missing is 3"


def test_a_line_that_was_put_in_is_named(copy: Path) -> None:
    rows = lines(copy)
    before, after = rows[4], entry.parsed(rows[5])
    forged = entry.line({**after, "prev": entry.digest(before), "why": "không"})
    put(copy, [*rows[:5], forged + b"\n", *rows[5:]])
    said = list(sentences(verify(copy)))
    assert said[0].startswith(f"{CHAIN}, line 7: entry 6 comes after entry 6 of")


def test_a_day_that_is_gone_is_named(copy: Path) -> None:
    shutil.rmtree(copy / "2026/11/26")
    said = list(sentences(verify(copy)))
    assert said == [f"{NEXT}, line 1: entry 7 comes first: missing is 1 to 6"]


def test_a_chain_that_is_gone_is_named_by_its_contents(copy: Path) -> None:
    (copy / CHAIN).unlink()
    assert f"{CHAIN}: is gone, and its contents are there" in list(sentences(verify(copy)))


@pytest.mark.parametrize("keep", range(12))
def test_an_end_that_was_cut_off_is_seen_by_what_a_host_remembers(copy: Path, keep: int) -> None:
    remembered = memory(copy)
    first, second = lines(copy), lines(copy, NEXT)
    put(copy, first[:keep])
    put(copy, second[: max(keep - 6, 0)], NEXT)
    for data in copy.rglob("*.data"):  # as somebody would who knows how
        chain = data.with_suffix(".chain")
        ends = [entry.parsed(row) for row in chain.read_bytes().splitlines()]
        end = max((each["at"] + each["length"] for each in ends if "at" in each), default=0)
        data.write_bytes(data.read_bytes()[:end])
    assert "mx1 remembers entry 12: it was cut off" in only(verify(copy, [remembered]))
    assert verify(copy).findings == []  # nothing else tells


def test_a_whole_history_that_was_written_anew_is_seen_by_what_a_host_remembers(
    copy: Path,
) -> None:
    remembered = [Memory("mx1", 4, entry.digest(lines(copy)[3]), "2026-11-26"), memory(copy)]
    prev = entry.FIRST
    for file in (CHAIN, NEXT):
        rows = []
        for raw in lines(copy, file):
            found = {**entry.parsed(raw), "prev": prev}
            if found["n"] == 2:
                found["from"] = "khac@ngoaitinh.test"
            rows.append(entry.line(found) + b"\n")
            prev = entry.digest(rows[-1])
        put(copy, rows, file)
    assert verify(copy).findings == []
    first, second = sentences(verify(copy, remembered))
    assert first.startswith(f"{CHAIN}, line 4: entry 4 is another one than in the root of 2026-11")
    assert second.startswith(f"{NEXT}, line 6: entry 12 is another one than in the memory")


def test_contents_that_are_gone_or_zero_need_a_rule(copy: Path) -> None:
    found = entry.parsed(lines(copy)[1])
    raw = bytearray((copy / DATA).read_bytes())
    raw[found["at"] : found["at"] + found["length"]] = bytes(found["length"])
    (copy / DATA).write_bytes(raw)
    assert only(verify(copy)) == (
        f"{CHAIN}, line 2: entry 2 has no contents any more, and no entry says by which rule"
    )
    (copy / DATA).unlink()
    assert only(verify(copy)).endswith(f"so 5 messages: entries 1 to 5; {DATA} is gone")


def expired(tmp_path: Path, **fields: object) -> tuple[Vault, Report]:
    vault = Vault(tmp_path / "old")
    vault.mail()
    vault.mail()
    vault.now += 10 * 366 * DAY
    rule = {"class": "so", "years": 10, "before": entry.stamp(vault.now - 10 * 365.3 * DAY)}
    vault.log("expired", {**rule, "entries": [[1, 2]], **fields})
    (vault.root / DATA).unlink()
    vault.archive.close()
    return vault, verify(vault.root)


def test_what_went_by_a_rule_is_counted_and_no_finding(tmp_path: Path) -> None:
    _, report = expired(tmp_path)
    assert report.findings == [] and report.removed == {("so", 10): 2}


def test_what_went_before_its_time_is_told(tmp_path: Path) -> None:
    _, report = expired(tmp_path, before="2020-01-01T00:00:00.000Z")
    assert "whose rule it is too young for; so 2 messages: entries 1 to 2" in only(report)


RULES: dict[str, Any] = {
    "timezone": "Asia/Ho_Chi_Minh", "years": {"": 10, "so": 10}, "holds": [],
}  # fmt: skip


def policy(asked: str = "2026-11-20", applied: Sequence[Any] = (), **other: Any) -> Policy:
    return Policy.of({"rules": RULES | other, "asked": {"7/TTr": asked}, "applied": applied})


def test_an_expiry_that_chose_its_own_rule_is_told(tmp_path: Path) -> None:
    """Whoever runs as the daemon writes what he wants into the chain: the policy is elsewhere."""
    vault = Vault(tmp_path / "own")
    vault.mail()
    now = entry.stamp(vault.now + 1)
    vault.log("expired", {"class": "so", "years": 0, "before": now, "entries": [[1, 1]]})
    (vault.root / DATA).unlink()
    vault.archive.close()
    said = only(verify(vault.root, policy=policy()))
    assert "kind so go after 0 years, and the policy says 10" in said


SHORT, LONG = {"": 10, "so": 10}, {"": 10, "so": 20}


@pytest.mark.parametrize(
    ("applied", "right"),
    [
        ([], False),  # nobody remembers
        ([["mx1", 0, 0, SHORT], ["mx1", 3, 4, LONG]], True),  # made longer after entry 3
        ([["mx1", 0, 0, SHORT], ["mx1", 2, 4, LONG]], True),  # in the hour of entry 3
        ([["mx1", 0, 0, SHORT], ["mx1", 1, 2, LONG]], False),  # before
        ([["mx1", 4, 4, SHORT]], False),  # who remembers nothing of then
        ([["mx1", 0, 0, LONG], ["mx1", 3, 4, SHORT]], False),
        ([["mx1", 0, 0, SHORT], ["mx2", 0, 0, LONG]], True),
        ([["mx1", 0, 0, SHORT], ["mx2", 0, 0, LONG], ["store1", 0, 0, LONG]], False),
    ],
)
def test_what_went_by_the_years_of_then_is_no_finding(
    tmp_path: Path, applied: list[Any], right: bool
) -> None:
    """By what hosts remember, whom the vault cannot make forget: entry 3 let two messages go."""
    vault, _ = expired(tmp_path)
    found = verify(vault.root, policy=policy(applied=applied, years=LONG)).findings
    assert [each.n for each in found] == ([] if right else [3])


def test_what_went_too_early_is_one_finding_of_a_rule(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "early")
    vault.mail()
    vault.mail()
    rule = {"class": "so", "years": 1, "before": entry.stamp(vault.now - 366 * DAY)}
    for n in (1, 2):
        vault.log("expired", {**rule, "entries": [[n, n]]})
    vault.archive.close()
    said = only(verify(vault.root, policy=policy()))
    assert said.endswith("after 1 years, and the policy says 10; so 2 removals: entries 3 to 4")


def test_an_expiry_of_another_class_is_told(tmp_path: Path) -> None:
    vault, _ = expired(tmp_path, **{"class": "xa"})
    assert "whose rule is for another class" in only(verify(vault.root, policy=policy()))


def test_what_a_hold_kept_then_may_not_be_gone(tmp_path: Path) -> None:
    vault, _ = expired(tmp_path)
    hold = {"case": "7/TTr", "addresses": [AN], "first": "2026-11-01", "last": ""}
    assert verify(vault.root, policy=policy()).findings == []
    said = only(verify(vault.root, policy=policy(holds=[hold])))
    assert "while the hold 7/TTr kept it; so 2 messages" in said
    late = policy("2037-01-01", holds=[hold])
    assert verify(vault.root, policy=late).findings == []


def test_a_part_is_read_from_a_day_on(copy: Path) -> None:
    report = verify(copy, [Memory("mx1, mx2", 12, verify(copy).hash)], since="2026/11/27")
    assert (report.entries, report.n, report.findings) == (6, 12, [])
    assert (report.remembered, report.hosts) == (1, ["mx1", "mx2"])
    rows = lines(copy)
    rows[-1] = rows[-1].replace("thử".encode(), b"sai")
    put(copy, rows)
    assert "entry 6 is not what entry 7" in only(verify(copy, since="2026/11/27"))


@pytest.mark.parametrize(
    "fields", [{"years": 30}, {"before": ""}, {"before": None}, {"years": "10"}]
)
def test_an_entry_that_lets_go_by_no_rule_is_told(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    _, report = expired(tmp_path, **fields)
    assert "not by a rule that it names" in "\n".join(sentences(report))


def test_bytes_that_are_nobodys_are_told(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danhba.journal.verify._SETTLES", 0.3)
    size = (copy / DATA).stat().st_size
    for file in (copy / DATA, copy / NEXT.replace("chain", "data")):
        with file.open("ab") as out:
            out.write(b"x" * 7)
    first, second = sentences(verify(copy))
    assert first == f"{DATA}: has 7 bytes that belong to no entry, from byte {size} on"
    assert second.startswith("2026/11/27/0001.data: has 7 bytes")


def test_what_is_just_being_written_is_no_finding(copy: Path) -> None:
    with (copy / NEXT).open("ab") as out:
        out.write(b'{"agencies":')
    assert verify(copy).findings == []


# Any change at all

Change = Callable[[bytes], bytes]


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, Change]:
    """A file, and what becomes of it: a byte changed, put in or taken away, a line likewise."""
    file = draw(st.sampled_from((CHAIN, NEXT, DATA)))
    part = draw(st.floats(0, 0.999))
    other = draw(st.integers(1, 255))

    def byte_changed(raw: bytes) -> bytes:
        at = int(part * len(raw))
        return raw[:at] + bytes([raw[at] ^ other]) + raw[at + 1 :]

    def byte_put_in(raw: bytes) -> bytes:
        at = int(part * len(raw))
        return raw[:at] + bytes([other]) + raw[at:]

    def byte_gone(raw: bytes) -> bytes:
        at = int(part * len(raw))
        return raw[:at] + raw[at + 1 :]

    def line_gone(raw: bytes) -> bytes:
        rows = raw.splitlines(keepends=True)
        del rows[int(part * len(rows))]
        return b"".join(rows)

    def line_twice(raw: bytes) -> bytes:
        rows = raw.splitlines(keepends=True)
        at = int(part * len(rows))
        return b"".join([*rows[: at + 1], rows[at], *rows[at + 1 :]])

    def lines_swapped(raw: bytes) -> bytes:
        rows = raw.splitlines(keepends=True)
        at = int(part * (len(rows) - 1))
        rows[at], rows[at + 1] = rows[at + 1], rows[at]
        return b"".join(rows)

    of_bytes = (byte_changed, byte_put_in, byte_gone)
    of_lines = () if file == DATA else (line_gone, line_twice, lines_swapped)
    return file, draw(st.sampled_from((*of_bytes, *of_lines)))


@pytest.fixture(scope="module")
def field(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield shutil.copytree(whole, tmp_path_factory.mktemp("field") / "journal")


@settings(max_examples=400, deadline=None)
@given(changes())
def test_any_change_is_found_in_the_file_where_it_is(
    whole: Path, field: Path, change: tuple[str, Change]
) -> None:
    file, work = change
    before = (whole / file).read_bytes()
    after = work(before)
    if after == before:
        return
    remembered = [memory(whole)]
    (field / file).write_bytes(after)
    try:
        found = verify(field, remembered).findings
    finally:
        (field / file).write_bytes(before)
    segment = file.rpartition(".")[0]
    named = [each for each in found if segment in f"{each.file} {each.what}"]
    assert named, (file, work.__name__)
    if file.endswith(".chain"):
        rows = zip(before.splitlines(), after.splitlines(), strict=False)
        first = next((n for n, (a, b) in enumerate(rows, 1) if a != b), None)
        in_it = [each.line for each in found if each.file == file]
        if first and in_it:  # else in the first line of the next file
            assert min(in_it) <= first + 1


def test_a_line_is_json_that_nobody_else_would_write_so() -> None:
    assert entry.parsed(entry.line(json.loads('{"b": 1, "a": "ế"}'))) == {"a": "ế", "b": 1}
