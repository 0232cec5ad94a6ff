"""Contents of the archive, for a replay or an export: the only way by which they leave it.

Standard input: a line of JSON, {"who", "why", "case", ...} with what selection.Selection.of takes,
then a line with the private key in hexadecimal. Before the first message goes out, the chain itself
has who asks for what and why. Standard output: frames, a line of JSON and then as many bytes as its
"bytes" says. The last frame is {"end": true, ...}: a stream without it was cut off.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from . import entry
from .contents import Contents, Expired
from .seal import SealError
from .selection import Selection

Frame = tuple[dict[str, Any], bytes]

_SAID = ("n", "id", "time", "from", "to", "agencies", "message_id", "size", "text", "class")


def pour(
    root: Path, log: Callable[[str, Mapping[str, Any]], int], given: IO[bytes], out: IO[bytes]
) -> None:
    """Serve one request. log: desk.noted; when it raises, nothing is read. Raises ValueError: the
    request is none."""
    request, key = json.loads(given.readline()), bytes.fromhex(given.readline().decode().strip())
    selection = Selection.of(request)
    read = log(entry.READ, reader(request) | {"what": "contents", **selection.words})
    messages = damaged = 0
    for head, content in frames(root, selection, key):
        _write(out, head, content)
        messages, damaged = messages + 1, damaged + ("damaged" in head)
    _write(out, {"end": True, "messages": messages, "damaged": damaged, "read": read}, b"")


def reader(request: Mapping[str, Any]) -> dict[str, str]:
    """What the chain says of whoever reads. Raises ValueError: nobody reads without a name and
    a reason."""
    who, why, case = (str(request.get(key, "")).strip() for key in ("who", "why", "case"))
    if not who or not why:
        raise ValueError("whoever reads the archive says who he is and why")
    return {"who": who, "why": why, "case": case}


def frames(root: Path, selection: Selection, key: bytes) -> Iterator[Frame]:
    """Every message that is meant, in the order of the chain: what its entry says, the line of the
    chain that says it with its place, and the message.

    One that is no longer there has "expired" or "damaged" in the place of the message, with why:
    the others go on.
    """
    contents = Contents(root)
    try:
        for line, found in selection.lines(root):
            head = {name: found[name] for name in _SAID} | {
                "line": line.raw[:-1].decode("utf-8", "surrogateescape"),
                "segment": line.segment.name,
                "number": line.number,
            }
            try:
                yield head, contents.message(line.segment, found, key)
            except Expired as why:
                yield {**head, "expired": str(why)}, b""
            except (SealError, OSError) as why:
                yield {**head, "damaged": str(why)}, b""
    finally:
        contents.close()


def _write(out: IO[bytes], head: dict[str, Any], content: bytes) -> None:
    told = json.dumps({**head, "bytes": len(content)}, ensure_ascii=True)
    out.write(told.encode() + b"\n" + content)
    out.flush()


def read_frames(stream: IO[bytes]) -> Iterator[Frame]:
    """The other end of pour: frames up to the last one, which comes too. Raises ValueError: the
    stream was cut off."""
    while told := stream.readline():
        head: dict[str, Any] = json.loads(told)
        content = stream.read(head["bytes"])
        if len(content) < head["bytes"]:
            break
        yield head, content
        if head.get("end"):
            return
    raise ValueError("the archive was cut off while it was read: ask again")
