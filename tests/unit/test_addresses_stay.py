"""An address that was given stays in the file, and in the same hands (Điều 5.3)."""

from __future__ import annotations

from drafts import GOOD, directory

from danhba.check_since import check_since
from danhba.findings import Finding

LINE = next(row for row in GOOD.splitlines() if '"20002"' in row)
GONE = GOOD.replace(f"    staff:\n{LINE}\n", "    staff: []\n").replace("[nvan02]", "[]")
KEPT = GONE.replace(
    "reserved:", "retired:\n  nvan02: {was: Ngô Vĩnh An, since: 2026-11-25}\nreserved:"
)


def about_addresses(old: str, new: str) -> list[Finding]:
    found = check_since(directory(old), directory(new))
    return [each for each in found if each.clause == "Điều 5.3"]


def test_an_address_that_left_the_file_is_found_unless_it_is_retired() -> None:
    [finding] = about_addresses(GOOD, GONE)
    assert "'nvan02' of Ngô Vĩnh An has left" in finding.message
    assert 'nvan02: {was: "Ngô Vĩnh An"' in finding.remedy
    assert about_addresses(GOOD, KEPT) == []


def test_what_is_retired_stays_retired() -> None:
    assert len(about_addresses(KEPT, GONE)) == 1


def test_an_address_in_other_hands_is_found() -> None:
    other = GOOD.replace('id: "10234"', 'id: "99999"')
    [finding] = about_addresses(GOOD, other)
    assert "which is Nguyễn Văn An's (staff code 10234)" in finding.message
    assert finding.line == 14
