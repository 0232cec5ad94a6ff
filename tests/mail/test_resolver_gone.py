"""What becomes of mail while the edges' resolver is dead, or silent (docs/authentication.md)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from outside import identity, said, written
from people import Person, wait_for
from province import Province

from staging.config import OUTSIDE

SENDER = f"lan@{OUTSIDE}"


def _timed(send: Callable[[], tuple[int, str]]) -> tuple[int, str, float]:
    began = time.monotonic()
    code, text = send()
    return code, text, time.monotonic() - began


@pytest.mark.parametrize(
    ("before", "after", "limit"), [("stop", "start", 10), ("kill -s STOP", "kill -s CONT", 60)],
    ids=["dead", "silent"],
)  # fmt: skip
def test_without_a_resolver_outsiders_come_again_and_officials_need_none(
    before: str, after: str, limit: int,
    province: Province, edge: str, official: Person, colleague: Person,
) -> None:  # fmt: skip
    def outside() -> tuple[int, str]:
        return said(edge, SENDER, official.address, written(SENDER, identity()))

    def inside() -> tuple[int, str]:
        message = official.write([colleague.address], "Chào", "Chào anh\n")
        official.send(message)
        return 250, colleague.reads(message)["Subject"]

    assert outside()[0] == 250
    province.lab.run("net1", ["systemctl", *before.split(), "named"])
    try:
        with ThreadPoolExecutor() as pool:
            answers = [
                found.result() for found in [pool.submit(_timed, f) for f in (outside, inside)]
            ]
    finally:
        province.lab.run("net1", ["systemctl", *after.split(), "named"])
    for code, text, took in answers:
        print(f"resolver {before}: {code} {text} after {took:.1f} s")
    (code, text, took), (_, _, within) = answers
    assert code == 450 and text.startswith("4.7.1") and took < limit, (code, text, took)
    assert within < 10
    wait_for(lambda: b"yes" if outside()[0] == 250 else None, "mail is accepted")
