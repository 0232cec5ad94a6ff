"""What was measured, as the Markdown of benchmarks/results.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

from benchmarks import check
from benchmarks.nothing import ADDED, ANSIBLE, COMMANDS, FIRST, SSH, Size, name_of
from danhba.project import Project

PATH = Path(__file__).with_name("results.md")
MIDDLE = 30_000
CASES = [name_of(command, cold) for cold in (False, True) for command in COMMANDS]

WHERE = """\
{date}, git {revision}, on {cores} cores ({processor})
with {memory} GB, {system}, Python {python}. The lab's hosts share these cores."""
HEAD = """\
# Benchmarks

Written by `script/benchmark`. {where}

Seconds: median (least–most; number of runs). Warm: danhba remembers the compiled manifests of this
very input (`.danhba/cache`), as in every run after the first; cold: it reads and compiles the
directory. Both ask both hosts; `ssh` (no shared connection) and Ansible go to one. Ansible manages
the same files, packages and services of that host, with nothing to change, pipelining, a shared
connection, and no facts gathered.
"""


def text(sizes: Mapping[int, Size]) -> str:
    lines = [head(), "", *table(sizes), "", "## Ratios", "", *ratios(sizes), ""]
    lines += ["## Memory and commands", "", *rest(sizes)]
    return "\n".join(lines) + "\n"


def write(hosts: str, checks: str) -> None:
    """Either may be "", not measured: then what is there stays."""
    before, mark, after = PATH.read_text(encoding="utf-8").partition(f"\n{check.HEADING}\n")
    PATH.write_text((hosts or before) + (f"\n{checks}" if checks else mark + after), "utf-8")


def write_page(path: Path, head: str, tables: str) -> None:
    """A page of its own for what was measured."""
    title = path.stem.capitalize()
    by = f"Written by `script/benchmark --only {path.stem}`. {where()}"
    path.write_text(f"# {title}\n\n{by}\n\n{head}\n\n{tables}\n", "utf-8")


def of_checks(sizes: Mapping[int, Size]) -> str:
    return check.text(sizes, str(date.today()), _revision())


def _revision() -> str:
    """+: with changes that are in no commit."""
    revision = Project().revision()
    return revision[:12] + ("+" if revision.endswith("+") else "")


def head() -> str:
    return HEAD.format(where=where()).rstrip()


def where() -> str:
    """When, what, and on which machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return WHERE.format(
        date=date.today(),
        revision=_revision(),
        cores=os.cpu_count(),
        processor=_processor(),
        memory=round(pages / 2**30),
        system=platform.freedesktop_os_release()["PRETTY_NAME"],
        python=platform.python_version(),
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def table(sizes: Mapping[int, Size]) -> Iterator[str]:
    yield "| officials | " + " | ".join(f"{people:,}" for people in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for case in (SSH, *CASES, ANSIBLE, FIRST, ADDED):
        cells = [str(size.samples.get(case, "")) for size in sizes.values()]
        if any(cells):
            yield f"| {case} | " + " | ".join(cells) + " |"


def ratios(sizes: Mapping[int, Size]) -> Iterator[str]:
    """With the aims; one that is missed is bold."""
    yield "| ratio | " + " | ".join(f"{people:,}" for people in sizes) + f" | aim at {MIDDLE:,} |"
    yield "|---|" + "---|" * (len(sizes) + 1)
    for case in CASES:
        cells = [_cell(size, case, SSH, lambda ratio: ratio <= 10) for size in sizes.values()]
        yield f"| {case} / {SSH} | " + " | ".join(cells) + " | ≤ 10 |"
    for case in CASES:
        cells = [_cell(size, ANSIBLE, case, lambda ratio: ratio >= 20) for size in sizes.values()]
        yield f"| Ansible / {case} | " + " | ".join(cells) + " | ≥ 20 |"
    small, large = sizes[min(sizes)], sizes[max(sizes)]
    yield f"\n{large.people:,} officials / {small.people:,}, aim ≤ 4:\n"
    for case in CASES:
        ratio = large.samples[case].median / small.samples[case].median
        yield f"- {case}: {_judged(ratio, ratio <= 4)}"


def _cell(size: Size, above: str, below: str, met: Callable[[float], bool]) -> str:
    if above not in size.samples:
        return ""
    ratio = size.samples[above].median / size.samples[below].median
    return _judged(ratio, size.people != MIDDLE or met(ratio))


def _judged(ratio: float, met: bool) -> str:
    return f"{ratio:.1f}" if met else f"**{ratio:.1f}**"


def rest(sizes: Mapping[int, Size]) -> Iterator[str]:
    largest = sizes[max(sizes)]
    for cold in (False, True):
        case = name_of("plan", cold)
        megabytes = largest.samples[case].megabytes
        yield f"- Peak memory of {case}, {largest.people:,} officials: {megabytes:.0f} MB"
    yield (
        "- Remote commands per host with nothing to do: 1 "
        "(counted by tests/unit/test_commands_per_host.py)"
    )
