"""Contents leave the archive only as they came, asked for by name, and the chain says who asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from archives import AN, DAY, HA, KEY, LAN, XA, Vault

from danhba.journal import entry
from danhba.journal.pour import Frame, pour, read_frames

WHO = {"who": "an@may", "why": "thử", "case": "7/YC-TTr"}


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    vault = Vault(tmp_path / "journal")
    yield vault
    vault.archive.close()


def asked(vault: Vault, key: bytes = KEY, **selection: Any) -> list[Frame]:
    out = BytesIO()
    request = json.dumps({**WHO, **selection}).encode()
    pour(vault.root, vault.log, BytesIO(request + b"\n" + key.hex().encode() + b"\n"), out)
    out.seek(0)
    return list(read_frames(out))


def messages(vault: Vault, **selection: Any) -> list[bytes]:
    *found, (last, _) = asked(vault, **selection)
    assert last == {
        "end": True, "messages": len(found), "damaged": 0, "bytes": 0, "read": vault.archive.n,
    }  # fmt: skip
    return [content for _, content in found]


def test_what_is_asked_for_comes_as_it_was_archived(vault: Vault) -> None:
    first = vault.mail(LAN, AN)
    second = vault.mail(AN, HA, LAN.upper())
    vault.now += DAY
    third = vault.mail(HA, XA)

    assert messages(vault) == [first, second, third]
    assert messages(vault, addresses=[LAN]) == [first, second]
    assert messages(vault, addresses=[LAN], received=True) == [second]
    assert messages(vault, agencies=["myhoa"]) == [third]
    assert messages(vault, ids=["mx1/Q2"]) == [second]
    assert messages(vault, message_ids=["<m3@x>", "<m1@x>"]) == [first, third]
    between = {"first": entry.stamp(vault.now - DAY / 2), "until": entry.stamp(vault.now + DAY)}
    assert messages(vault, **between) == [third]
    assert messages(vault, addresses=["khac@angiang.gov.vn"]) == []


def test_a_frame_says_what_the_chain_says_and_where(vault: Vault) -> None:
    vault.mail(LAN, AN, HA)
    (head, content), _ = asked(vault)
    assert (head["from"], head["to"], head["segment"]) == (LAN, [AN, HA], "2026/11/26/0001")
    line = (vault.root / f"{head['segment']}.chain").read_text().splitlines()[head["number"] - 1]
    assert head["line"] == line
    assert head["bytes"] == head["size"] == len(content)


def test_the_chain_says_who_read_what_before_the_first_message_goes_out(vault: Vault) -> None:
    vault.mail()
    asked(vault, addresses=[AN])
    last = vault.lines()[-1]
    assert last["kind"] == "read" and last.items() >= {**WHO, "addresses": [AN]}.items()

    def refusing(*_: Any) -> int:
        raise OSError("the journal does not answer")

    out = BytesIO()
    request = BytesIO(json.dumps(WHO).encode() + b"\n" + KEY.hex().encode() + b"\n")
    with pytest.raises(OSError, match="does not answer"):
        pour(vault.root, refusing, request, out)
    assert out.getvalue() == b""


@pytest.mark.parametrize("missing", ["who", "why"])
def test_nobody_reads_without_a_name_and_a_reason(vault: Vault, missing: str) -> None:
    vault.mail()
    before = vault.archive.n
    with pytest.raises(ValueError, match="says who he is and why"):
        asked(vault, **{missing: " "})
    assert vault.archive.n == before


def test_a_damaged_message_is_told_and_the_others_come(vault: Vault) -> None:
    vault.mail()
    second = vault.mail()
    data = vault.root / "2026/11/26/0001.data"
    raw = bytearray(data.read_bytes())
    raw[40] ^= 1
    data.write_bytes(raw)
    (bad, nothing), (good, content), (end, _) = asked(vault)
    assert bad["damaged"] == "not what the chain says" and nothing == b""
    assert "damaged" not in good and content == second
    assert (end["messages"], end["damaged"]) == (2, 1)


def test_what_was_removed_by_rule_is_told_from_what_somebody_took_away(vault: Vault) -> None:
    vault.mail()
    vault.mail()
    (vault.root / "2026/11/26/0001.data").unlink()
    n = vault.log("expired", {"entries": [[1, 1]]})
    (first, _), (second, _), _ = asked(vault)
    assert first["expired"] == f"by entry {n}"
    assert second["damaged"] == "removed, and no entry says by which rule"


def test_another_key_opens_nothing(vault: Vault) -> None:
    vault.mail()
    (head, content), _ = asked(vault, key=bytes(32))
    assert head["damaged"] and content == b""


def test_a_stream_that_was_cut_off_is_seen(vault: Vault) -> None:
    vault.mail()
    out = BytesIO()
    given = BytesIO(json.dumps(WHO).encode() + b"\n" + KEY.hex().encode() + b"\n")
    pour(vault.root, vault.log, given, out)
    whole = out.getvalue()
    assert list(read_frames(BytesIO(whole)))
    for cut in range(len(whole) - 1):
        with pytest.raises(ValueError):
            list(read_frames(BytesIO(whole[:cut])))
