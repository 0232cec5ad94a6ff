"""The archive: a search over a million entries, and the proof of all of it.

Beside them what one would do without: a grep over the chains, and sha256sum of the same bytes. No
lab is needed: python -m benchmarks.archive [--entries N] [--folder DIR].
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.results import where
from benchmarks.timing import Sample
from danhba.journal import entry
from danhba.journal.index import NAME, Index
from danhba.journal.search import search
from danhba.journal.segment import Segment
from danhba.journal.selection import Selection
from danhba.journal.verify import verify

PATH = Path(__file__).with_name("archive.md")
HEAD = """\
{entries:,} invented entries of 30,000 officials in {segments} segments, {chains:.0f} MB of lines
and an index of {index:.0f} MB. Search: count, sum and the newest 200 rows, in process; beside it
`grep -c` for the same word over all chains, warm in both cases. Proof: an archive of {messages:,}
messages of {size} kB (random bytes, as sealed ones are), {data:.0f} MB, warm; beside it `sha256sum`
of the same files, on one core like the proof. Median (least–most) of {runs} runs.
"""
_RUNS = 5
_DAY = 86_400
_START = 1_764_000_000.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="danhba-archive-", dir=options.folder))
    try:
        said = measured(folder, options.entries, options.messages)
    finally:
        shutil.rmtree(folder)
    print(said)
    by = f"Written by `python -m benchmarks.archive`. {where()}"
    PATH.write_text(f"# Archive\n\n{by}\n\n{said}\n", "utf-8")
    return 0


def measured(folder: Path, entries: int, messages: int) -> str:
    """The page's text."""
    many = folder / "many"
    built = _seconds(lambda: write(many, entries, 0), 1)
    made = folder / "whole"
    write(made, messages, 30_000)
    data = sum(path.stat().st_size for path in made.rglob("*.data")) / 1e6
    chains = list(many.rglob("*.chain"))
    head = HEAD.format(
        entries=entries, segments=len(chains), messages=messages, size=30, data=data, runs=_RUNS,
        chains=sum(path.stat().st_size for path in chains) / 1e6,
        index=(many / NAME).stat().st_size / 1e6,
    )  # fmt: skip
    parts = [_searches(many, chains), _proofs(made, data), f"Built in {built.median:.0f} s."]
    return f"{head}\n" + "\n\n".join(parts)


def _searches(root: Path, chains: list[Path]) -> str:
    address, day = "u77@angiang.gov.vn", entry.stamp(_START + 20 * _DAY)
    asked = {
        "an official, all years": ({"addresses": [address]}, address),
        "an official, one day": (
            {"addresses": [address], "first": day, "until": entry.stamp(_START + 21 * _DAY)},
            address,
        ),
        "an agency": ({"agencies": ["a7"]}, '"a7"'),
        "a Message-ID": ({"message_ids": ["<4711@x>"]}, "<4711@x>"),
        "a day": ({"first": day, "until": entry.stamp(_START + 21 * _DAY)}, day[:10]),
    }
    rows = ["| search | found | index, ms | grep, ms |", "|---|---|---|---|"]
    for name, (given, word) in asked.items():
        selection = Selection.of(given)
        own = _seconds(lambda of=selection: search(root, of))  # type: ignore[misc]
        argv = ["grep", "-cF", word, *map(str, chains)]
        other = _seconds(lambda of=argv: _run(of))  # type: ignore[misc]
        rows.append(
            f"| {name} | {search(root, selection)['count']:,} | {_milliseconds(own)} "
            f"| {_milliseconds(other)} |"
        )
    return "\n".join(rows)


def _proofs(root: Path, data: float) -> str:
    assert not verify(root).findings
    own = _seconds(lambda: verify(root))
    files = [str(path) for path in root.rglob("*.*") if path.suffix in (".chain", ".data")]
    other = _seconds(lambda: _run(["sha256sum", *files]))
    return (
        "| proof | s | MB/s |\n|---|---|---|\n"
        f"| danhba archive verify | {own} | {data / own.median:.0f} |\n"
        f"| sha256sum | {other} | {data / other.median:.0f} |\n"
    )


def _run(argv: list[str]) -> None:
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=False, env={**os.environ, "LC_ALL": "C"})


def _seconds(work: Callable[[], object], runs: int = _RUNS) -> Sample:
    taken = Sample()
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.add(time.perf_counter() - began)
    return taken


def _milliseconds(taken: Sample) -> str:
    least, most = min(taken.seconds), max(taken.seconds)
    return f"{taken.median * 1000:.1f} ({least * 1000:.1f}–{most * 1000:.1f})"


def write(root: Path, entries: int, size: int) -> None:
    """An archive of so many messages, 20,000 a day, as the daemon writes it. size: bytes of each
    one's contents, 0 for entries without any."""
    chance, prev, rows = random.Random(2026), entry.FIRST, []
    root.mkdir()
    index = Index(root / NAME)
    index.db.execute("PRAGMA synchronous = OFF")
    content = b""
    per_day = 20_000
    for start in range(0, entries, per_day):
        at, offset, lines = 0, 0, []
        segment = Segment(
            time.strftime("%Y/%m/%d", time.gmtime(_START + start // per_day * _DAY)), 1
        )
        segment.chain(root).parent.mkdir(parents=True)
        with segment.data(root).open("wb") as data:
            for n in range(start + 1, min(start + per_day, entries) + 1):
                content = chance.randbytes(size)
                data.write(content)
                people = [f"u{chance.randrange(30_000)}@angiang.gov.vn" for _ in range(3)]
                found = {
                    "n": n, "prev": prev, "kind": entry.MAIL, "id": f"mx1/{n:x}",
                    "time": entry.stamp(_START + n / per_day * _DAY), "from": people[0],
                    "to": people[1:], "agencies": [f"a{chance.randrange(344)}"],
                    "message_id": f"<{n}@x>", "size": 30_000, "text": f"{n:064x}", "class": "so",
                    "at": at, "length": size, "sha256": sha256(content).hexdigest(),
                }  # fmt: skip
                raw = entry.line(found)
                prev = entry.digest(raw)
                rows.append((segment, offset, found))
                lines.append(raw + b"\n")
                at, offset = at + size, offset + len(raw) + 1
        segment.chain(root).write_bytes(b"".join(lines))
        _index(index, rows)
        rows.clear()
    index.close()


def _index(index: Index, rows: list[tuple[Segment, int, dict[str, Any]]]) -> None:
    """As Index.add, by many rows at once."""
    index.db.execute("BEGIN")
    index.db.executemany(
        "INSERT INTO entries VALUES (?, ?, 'mail', ?, ?, ?, ?, ?, ?, 0)",
        [
            (e["n"], e["time"], e["id"], e["message_id"], e["size"], e["class"], segment.name, at)
            for segment, at, e in rows
        ],
    )
    parties = [(e["from"], e["n"], "from") for _, _, e in rows]
    parties += [(to, e["n"], "to") for _, _, e in rows for to in e["to"]]
    index.db.executemany("INSERT OR IGNORE INTO parties VALUES (?, ?, ?)", parties)
    agencies = [(agency, e["n"]) for _, _, e in rows for agency in e["agencies"]]
    index.db.executemany("INSERT INTO agencies VALUES (?, ?)", agencies)
    index.db.execute("COMMIT")


if __name__ == "__main__":
    raise SystemExit(main())
