"""One canonical form: nothing is lost, nothing moves that need not, and branches merge."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba.fmt import WIDTH, Unformatted, formatted
from danhba.load import load_text
from danhba.project import ROOT

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")


def fmt(text: str) -> str:
    return formatted(text.encode(), "directory.yaml")


def meaning(value: Any) -> Any:
    """A model without lines, and without the order that fmt is free to change."""
    if is_dataclass(value):
        return {
            each.name: meaning(getattr(value, each.name))
            for each in fields(value) if each.name not in ("line", "file")
        }  # fmt: skip
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return sorted(map(repr, map(meaning, value)))
    return value


def load(text: str) -> Any:
    directory, findings = load_text(text.encode(), "directory.yaml")
    assert directory is not None, findings
    return meaning(directory)


def comments(text: str) -> list[str]:
    return sorted(line[line.index("#") :].strip() for line in text.splitlines() if "#" in line)


def test_the_directory_and_what_the_generator_writes_are_canonical() -> None:
    text = (ROOT / "directory.yaml").read_text(encoding="utf-8")
    assert fmt(text) == text


def test_every_way_of_writing_it_becomes_the_same() -> None:
    wide = GOOD.replace(
        "{quota_gb: 2, agency_quota_gb: 10, message_mb: 30}",
        "\n    message_mb:   30\n    quota_gb: 2\n    agency_quota_gb: 10",
    )
    wide = wide.replace("keepers: [nvan]\n", "keepers:\n      - nvan\n")
    wide = wide.replace("name: Sở Tài chính", "name: 'Sở Tài chính'")
    wide = wide.replace(
        '- {id: "20001", name: Đặng Đức Đạt, address: dddat, since: 2026-11-05, '
        "decision: 4/QĐ-STTTT}",
        "-\n        address: dddat\n        name: >-\n          Đặng Đức Đạt\n"
        '        id: "20001"\n        decision: 4/QĐ-STTTT\n        since: 2026-11-05',
    )  # fmt: skip
    assert wide.count("\n") > GOOD.count("\n") + 8
    assert fmt(wide) == fmt(GOOD)


def test_comments_move_with_their_entry() -> None:
    line = next(row for row in GOOD.splitlines() if "ttkngan," in row)
    above, behind = "      # phụ trách máy tính", " # từ tháng 11"
    first = next(row for row in GOOD.splitlines() if "address: nvan," in row)
    text = GOOD.replace(first + "\n", "").replace(line, f"{above}\n{line}{behind}\n{first}")
    rows = fmt(text).splitlines()
    at = rows.index(above)
    assert rows[at - 1] == first
    assert rows[at + 1] == line + behind


def test_a_comment_behind_an_apostrophe_stays() -> None:
    text = GOOD.replace("name: Đặng Đức Đạt", "name: Đặng D'Đạt").replace("dddat", "ddat")
    line = next(row for row in text.splitlines() if '"20001"' in row)
    assert comments(fmt(text.replace(line, f"{line} # ghi chú"))) == [*comments(text), "# ghi chú"]


def test_a_comment_that_belongs_to_no_entry_is_not_lost_in_silence() -> None:
    with pytest.raises(Unformatted) as refused:
        fmt(GOOD.replace("timezone: Asia/Ho_Chi_Minh}", "timezone: Asia/Ho_Chi_Minh\n  } # hết"))
    assert refused.value.findings[0].line == 3


def test_a_sign_in_quotes_is_no_comment() -> None:
    text = GOOD.replace("title: Chuyên viên", 'title: "Chuyên viên #2"')
    assert '"Chuyên viên #2"' in fmt(text)
    assert load(fmt(text)) == load(text)


def test_what_does_not_load_is_not_written() -> None:
    with pytest.raises(Unformatted) as refused:
        fmt(GOOD.replace("kind: so", "kind: quan"))
    assert "no kind of agency" in refused.value.findings[0].message


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_nothing_is_lost_and_the_form_is_fixed(data: st.DataObject) -> None:
    """Comments anywhere, entries in any order, blank lines, other quotes."""
    rows = GOOD.splitlines()
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(1, len(rows) - 1))
        mark = f"# ghi chú {data.draw(st.integers(0, 99))}"
        how: list[Callable[[], None]] = [
            lambda at=at, mark=mark: rows.insert(at, f"      {mark}"),  # type: ignore[misc]
            lambda at=at, mark=mark: rows.__setitem__(  # type: ignore[misc]
                at, rows[at] if "#" in rows[at] or not rows[at].strip() else f"{rows[at]}  {mark}"
            ),
            lambda at=at: rows.insert(at, ""),  # type: ignore[misc]
        ]
        data.draw(st.sampled_from(how))()
    text = "\n".join(rows) + "\n"
    once = fmt(text)
    assert load(once) == load(text)
    assert comments(once) == comments(text)
    assert fmt(once) == once


def git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    own = ["-c", "user.name=an", "-c", "user.email=an@x.test", "-c", "init.defaultBranch=main"]
    argv = ["git", "-C", str(folder), *own, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=check)


def with_people(text: str, agency: str, addresses: list[str]) -> str:
    head, mark, rest = text.partition(f"  {agency}:\n")
    before, staff, after = rest.partition("    staff:\n")
    lines = "".join(
        f'      - {{id: "{address}", name: Nguyễn Văn An, address: {address}, since: 2026-11-05, '
        "request: 190/CV-SONOIVU}\n"
        for address in addresses
    )
    return fmt(head + mark + before + staff + lines + after)


@pytest.mark.parametrize("seed", range(12))
def test_branches_that_add_to_one_agency_merge(seed: int, tmp_path: Path) -> None:
    """Unless two of their people are neighbours in the order of addresses: then git asks."""
    chance = random.Random(seed)
    text = (ROOT / "directory.yaml").read_text(encoding="utf-8")
    directory, _ = load_text(text.encode(), "x")
    assert directory is not None
    there = next(each for each in directory.agencies if each.address == "sonoivu").staff
    order = [person.address for person in there]
    gaps = chance.sample(range(len(order)), 4)
    new = [f"{order[gap]}x{chance.randint(10, 99)}" for gap in gaps]
    file = tmp_path / "directory.yaml"
    file.write_text(text, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "province")
    for branch, addresses in (("one", new[:2]), ("two", new[2:])):
        git(tmp_path, "checkout", "--quiet", "-b", branch, "main")
        file.write_text(with_people(text, "sonoivu", addresses), encoding="utf-8")
        git(tmp_path, "commit", "--quiet", "-am", branch)
    merged = git(tmp_path, "merge", "--quiet", "-m", "both", "one", check=False)
    apart = all(abs(one - two) > 1 for one in gaps[:2] for two in gaps[2:])
    assert (merged.returncode == 0) or not apart, merged.stdout
    if merged.returncode == 0:
        both = file.read_text(encoding="utf-8")
        assert both == fmt(both)
        assert all(f"address: {address}," in both for address in new)


# What is written can be read

NAMES = [f"ten{number:04}" for number in range(500)]
MANY = {
    "reserved": ("reserved: [hotro]", f"reserved: [{', '.join(NAMES)}]"),
    "legal_basis": ("[50/2009/QĐ-UBND]", f"[{', '.join(f'{n}/QĐ-UBND' for n in range(500))}]"),
    "protected": ("message_mb: 30", f"message_mb: 30, protected: [{', '.join(NAMES)}]"),
    "keepers": ("keepers: [nvan]", f"keepers: [{', '.join(NAMES)}]"),
    "agencies of an approval": (
        "reserved:", f"approve:\n  9/NQ: {{agencies: {{{', '.join(f'{n}: 2' for n in NAMES)}}}}}\n"
        "  10/NQ: {people: 3}\nreserved:",
    ),
    "protected of an approval": (
        "reserved:", f"approve:\n  9/NQ: {{protected: [{', '.join(NAMES)}], people: 3}}\nreserved:"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MANY)
def test_what_is_written_can_be_read(case: str) -> None:
    old, new = MANY[case]
    wrapped = new.replace(", ", ",\n          ")
    text = GOOD.replace(old, wrapped, 1)
    once = fmt(text)
    assert max(map(len, once.splitlines())) <= WIDTH
    assert load(once) == load(text)
    assert fmt(once) == once
    assert fmt(text.replace("ten0007", '"ten0007"')) == once


def test_an_approval_of_few_stays_on_its_line() -> None:
    row = "  9/NQ: {people: 312, agencies: {chomoi: 45, sotaichinh: 2}, protected: [chomoi]}\n"
    assert row in fmt(GOOD.replace("reserved:", f"approve:\n{row}reserved:"))


def test_an_approval_of_many_has_a_line_for_each_agency() -> None:
    old, new = MANY["agencies of an approval"]
    rows = fmt(GOOD.replace(old, new.replace(", ", ",\n   "), 1)).splitlines()
    at = rows.index("  9/NQ:")
    assert rows[at - 1 : at + 3] == [
        "  10/NQ: {people: 3}", "  9/NQ:", "    agencies:", "      ten0000: 2",
    ]  # fmt: skip


@pytest.mark.parametrize("case", MANY)
def test_comments_in_what_is_long_stay(case: str) -> None:
    old, new = MANY[case]
    text = GOOD.replace(old, new.replace(", ", ",\n          "), 1)
    text = text.replace("ten0100", "# ghi chú\n          ten0100").replace(
        "ten0200,", "ten0200, # x"
    )
    once = fmt(text)
    assert load(once) == load(text)
    assert comments(once) == comments(text)
    assert fmt(once) == once


def test_a_long_list_that_is_cut_off_is_found() -> None:
    old, new = MANY["reserved"]
    whole = fmt(GOOD.replace(old, new.replace(", ", ",\n  "), 1)).rstrip("\n")
    for end in range(whole.index("reserved:"), len(whole)):
        assert load_text(whole[:end].encode(), "x")[0] is None


@pytest.mark.parametrize("long", [
    ("title: Chuyên viên", "title: >-\n          " + "dài\n          " * 1400),
    ("  12/CV-STC: {", f'  ? "{"9" * 1100}"\n'
     "  : {agency: sotaichinh, date: 2026-11-02, signer: x}\n  12/CV-STC: {"),
])  # fmt: skip
def test_what_could_not_be_read_is_not_written(long: tuple[str, str]) -> None:
    row = next(row for row in GOOD.splitlines() if "title:" in row)
    block = row.replace("- {", "-\n        ").replace(", ", "\n        ").replace("}", "")
    text = GOOD.replace(row, block).replace(*long)
    load(text)
    with pytest.raises(Unformatted) as refused:
        fmt(text)
    assert "too long" in refused.value.findings[0].message


# Letters on two branches


def with_letters(text: str, agency: str, numbers: Iterable[int]) -> str:
    rows = "".join(
        f"  {number}/CV-X: {{agency: {agency}, date: 2026-12-01, signer: Chánh Văn phòng}}\n"
        for number in numbers
    )
    return fmt(text.replace("agencies:\n", f"{rows}agencies:\n", 1))


@pytest.mark.parametrize("last", [10, 11, 25, 99])
def test_the_next_letters_of_one_agency_merge(last: int, tmp_path: Path) -> None:
    """Branches bring 11 and 12, or 12 and 14: each where letters of its last digit stand."""
    file = tmp_path / "directory.yaml"
    file.write_text(with_letters(GOOD, "chomoi", range(1, last + 1)), encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "province")
    for branch, number in (("one", last + 1), ("two", last + 2), ("three", last + 4)):
        git(tmp_path, "checkout", "--quiet", "-b", branch, "main")
        file.write_text(with_letters(text, "chomoi", [number]), encoding="utf-8")
        git(tmp_path, "commit", "--quiet", "-am", branch)
    for branch in ("one", "two"):
        git(tmp_path, "merge", "--quiet", "-m", branch, branch)
    assert fmt(file.read_text(encoding="utf-8")) == file.read_text(encoding="utf-8")
