"""One size of `danhba check`, beside YAML loaders that check nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.ansible import VENV
from benchmarks.nothing import DANHBA, Size, generated
from benchmarks.timing import Failed, Sample, measure
from danhba.checked import MEMORY

LOADER = "`yaml.load(text, CSafeLoader)`"
FASTER = "`yaml_rs.loads(text)`"
LIBRARY = "danhba in process: load and check"
COLD, WARM = "`danhba check`, cold", "`danhba check`, warm"
WAYS = {
    LOADER: (sys.executable, "pyyaml"),
    FASTER: (str(VENV / "bin/python"), "yaml-rs"),
    LIBRARY: (sys.executable, "danhba"),
}
MOST, SECOND = 1.5, 1.0
"""Aims: a cold check to the loader, and a warm one in seconds."""


def check(people: int, folder: Path, runs: int) -> Size:
    """Raises Failed."""
    found, directory = Size(people), generated(people, folder)
    argv, says = [*DANHBA, str(directory), "check"], [f"{people} officials"]
    for _ in range(runs):
        for name, (python, way) in WAYS.items():
            _alone(found.sample(name), [python, "-m", "benchmarks.loading", way, str(directory)])
        MEMORY.forget()
        cold = measure(found.sample(COLD), argv, says=says)
        # The same to the last byte: else it is no memory of this check.
        measure(found.sample(WARM), argv, says=[cold])
        if len(list(MEMORY.folder.glob(f"{MEMORY.kind}-*"))) > 1:
            raise Failed("danhba, or the day, has changed between a cold check and a warm one")
    return found


def _alone(sample: Sample, argv: list[str]) -> None:
    """What the program says it took, without its start."""
    whole = Sample()
    sample.add(float(measure(whole, argv)), whole.megabytes)


HEADING = "## `danhba check` beside YAML loaders"

HEAD = """\
Seconds as above, with peak memory, all in one run: {date}, git {revision}. The loaders
and "in process" are without the start of Python, which is most of a command's time at 1,000
officials. A loader makes dictionaries that know no lines, and checks nothing; danhba checks every
rule, and names a line in every finding. Cold: nothing is remembered; warm: of the same input on
the same day. yaml-rs is the fastest loader that we know, and no part of danhba.
"""


def text(sizes: Mapping[int, Size], date: str, revision: str) -> str:
    lines = [HEADING, "", HEAD.format(date=date, revision=revision), *table(sizes), ""]
    return "\n".join([*lines, *ratios(sizes)]) + "\n"


def table(sizes: Mapping[int, Size]) -> Iterator[str]:
    yield "| officials | " + " | ".join(f"{people:,}" for people in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for name in (*WAYS, COLD, WARM):
        samples = [size.samples[name] for size in sizes.values()]
        cells = [f"{sample}, {sample.megabytes:.0f} MB" for sample in samples]
        yield f"| {name} | " + " | ".join(cells) + " |"


def ratios(sizes: Mapping[int, Size]) -> Iterator[str]:
    """An aim that is missed is bold."""
    yield "| ratio | " + " | ".join(f"{people:,}" for people in sizes) + " | aim |"
    yield "|---|" + "---|" * (len(sizes) + 1)
    for name, other, most in (
        (LIBRARY, LOADER, MOST), (COLD, LOADER, MOST), (WARM, LOADER, None), (COLD, FASTER, None),
        (LIBRARY, FASTER, None),
    ):  # fmt: skip
        found = [size.samples[name].median / size.samples[other].median for size in sizes.values()]
        cells = [f"**{ratio:.2f}**" if most and ratio > most else f"{ratio:.2f}" for ratio in found]
        yield f"| {name} / {other} | " + " | ".join(cells) + f" | {f'≤ {most}' if most else ''} |"
    largest = sizes[max(sizes)]
    seconds = largest.samples[WARM].median
    met = "met" if seconds < SECOND else "**missed**"
    yield f"\n{WARM}, {largest.people:,} officials, aim below {SECOND:.0f} second: {met}."
