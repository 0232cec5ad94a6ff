"""What Postfix is told of a domain (socketmap_table(5)); nonsense ends a connection only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import dns.exception
import pytest

from danhba.dane import lookup, socketmap


@pytest.fixture(autouse=True)
def dns_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    async def has_dane(domain: str) -> bool:
        if domain == "silent.vn":
            raise dns.exception.Timeout
        return domain == "dane.vn"

    monkeypatch.setattr(socketmap, "has_dane", has_dane)


def _said(path: Path, sent: bytes) -> bytes:
    async def talk() -> bytes:
        server = await asyncio.start_unix_server(socketmap.serve, path)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(sent)
        writer.write_eof()
        said = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        server.close()
        return said

    return asyncio.run(talk())


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("dane.vn", b"7:OK dane,"),
        ("none.vn", b"9:NOTFOUND ,"),
        (".vn", b"9:NOTFOUND ,"),
        ("[mx.dane.vn]:25", b"9:NOTFOUND ,"),
        ("silent.vn", b"24:TEMP DNS does not answer,"),
    ],
)
def test_a_question_and_its_answer(tmp_path: Path, domain: str, said: bytes) -> None:
    question = f"dane {domain}".encode()
    asked = b"%d:%s," % (len(question), question)
    assert _said(tmp_path / "socket", asked) == said
    # A connection is for many questions.
    assert _said(tmp_path / "other", asked * 3) == said * 3


@pytest.mark.parametrize("sent", [b"", b"x:y,", b"99999:", b"5:ab"])
def test_nonsense_is_not_answered(tmp_path: Path, sent: bytes) -> None:
    assert _said(tmp_path / "socket", sent) == b""


@pytest.mark.parametrize("unsigned", ["", "MX", "TLSA"])
def test_only_signed_records_count(monkeypatch: pytest.MonkeyPatch, unsigned: str) -> None:
    class Row:
        exchange = "mx.dane.vn."

    async def signed(name: str, kind: str) -> list[object]:
        assert (name, kind) in {("dane.vn", "MX"), ("_25._tcp.mx.dane.vn.", "TLSA")}
        return [] if kind == unsigned else [Row()]

    monkeypatch.setattr(lookup, "_signed", signed)
    assert asyncio.run(lookup.has_dane("dane.vn")) == (unsigned == "")
