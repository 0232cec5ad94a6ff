"""What passes between Postfix and Dovecot and what does not, over real sockets."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from danhba import sasl_door

HELLO = b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nDONE\n"
ANSWERS = {
    b"1": b"OK\t1\tuser=nvan@x\n",
    b"2": b"FAIL\t2\tuser=nvan@x\n",
    b"3": b"FAIL\t3\tuser=nvan@x\tcode=temp_fail\n",
    b"4": b"FAIL\t4\tuser=nvan@x\treason=code=temp_fail of sorts\n",
    b"5": b"CONT\t5\tVXNlcm5hbWU6\n",
}
Door = Callable[[], Awaitable[tuple[StreamReader, StreamWriter]]]


async def dovecot(reader: StreamReader, writer: StreamWriter) -> None:
    writer.write(HELLO)
    while line := await reader.readline():
        if line.startswith(b"AUTH\t"):
            writer.write(ANSWERS[line.split(b"\t")[1].strip()])
    writer.close()


@asynccontextmanager
async def doors(place: Path, far: bool = True) -> AsyncIterator[Door]:
    """The door, and a Dovecot behind it unless `far` says that there is none."""
    behind, front = place / "dovecot", place / "postfix"
    if far:
        await asyncio.start_unix_server(dovecot, behind, backlog=1024)
    serve = partial(sasl_door.serve, str(behind))
    async with await asyncio.start_unix_server(serve, front, backlog=1024):
        yield lambda: asyncio.open_unix_connection(front)


async def said(door: Door, number: bytes) -> bytes:
    """All that Postfix hears of one question, until the answer's line or the end."""
    reader, writer = await door()
    writer.write(b"VERSION\t1\t1\nCPID\t7\n")
    hello = await reader.readexactly(len(HELLO))
    assert hello == HELLO
    writer.write(b"AUTH\t" + number + b"\tPLAIN\n")
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return line


@pytest.mark.parametrize("number", sorted(ANSWERS))
def test_an_answer_passes_unless_nobody_could_be_asked(tmp_path: Path, number: bytes) -> None:
    async def ask() -> bytes:
        async with doors(tmp_path) as door:
            return await said(door, number)

    wanted = b"" if number == b"3" else ANSWERS[number]
    assert asyncio.run(ask()) == wanted


def test_hundreds_at_once_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """One that waits for its user, as with LOGIN, keeps nobody else; one that fails ends alone."""

    async def ask() -> list[bytes]:
        async with doors(tmp_path) as door:
            waiting = [await door() for _ in range(300)]
            answers = await asyncio.gather(*(said(door, b"1" if n % 2 else b"3")
                                             for n in range(300)))  # fmt: skip
            for reader, writer in waiting:
                assert await reader.readexactly(len(HELLO)) == HELLO
                writer.close()
            return answers

    answers = asyncio.run(ask())
    assert answers == [b"", ANSWERS[b"1"]] * 150


def test_without_dovecot_postfix_hears_the_end_at_once(tmp_path: Path) -> None:
    async def ask() -> bytes:
        async with doors(tmp_path, far=False) as door:
            reader, writer = await door()
            heard = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return heard

    assert asyncio.run(ask()) == b""


def test_when_postfix_goes_the_line_to_dovecot_ends(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def watched(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        ended.set()
        writer.close()

    async def go() -> None:
        await asyncio.start_unix_server(watched, tmp_path / "dovecot")
        serve = partial(sasl_door.serve, str(tmp_path / "dovecot"))
        async with await asyncio.start_unix_server(serve, tmp_path / "postfix"):
            _, writer = await asyncio.open_unix_connection(tmp_path / "postfix")
            writer.close()
            await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(go())
