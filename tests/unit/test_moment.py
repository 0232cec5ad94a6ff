"""Points in time as engineers write them."""

from __future__ import annotations

import pytest

from danhba.errors import DanhbaError
from danhba.moment import moment

ZONE = "Asia/Ho_Chi_Minh"


def test_it_is_by_the_clock_of_the_province_and_told_by_it() -> None:
    assert moment("2025-11-20T10:00", ZONE).isoformat() == "2025-11-20T10:00:00+07:00"
    assert moment("2025-11-20T03:00+00:00", ZONE).isoformat() == "2025-11-20T10:00:00+07:00"


@pytest.mark.parametrize(
    ("text", "why"), [("yesterday", "is no time"), ("2999-01-01T10:00", "still to come")]
)
def test_what_is_none_or_still_to_come_is_refused(text: str, why: str) -> None:
    with pytest.raises(DanhbaError, match=why):
        moment(text, ZONE)
