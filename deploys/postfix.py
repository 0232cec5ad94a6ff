"""What the Postfix of an edge and of a store have in common."""

from __future__ import annotations

from danhba.service import File, Part, Probe, Service
from deploys.common import TABLES, silent, table


def postfix(
    name: str,
    files: tuple[File, ...],
    tables: dict[str, dict[str, str]],
    answers: tuple[Probe, ...],
) -> Part:
    """A Part for Postfix: main.cf and master.cf among files, lookup tables by their short name."""
    texts = tuple(File(f"{TABLES}/{key}", table(rows)) for key, rows in tables.items())
    return Part(
        name=name,
        packages=("postfix", "postfix-cdb"),
        files=(*files, *texts),
        tables=tuple(text.path for text in texts),
        services=(Service("postfix.service", answers=answers),),
        validate=(silent("postconf -n"), silent("postconf -P"), silent("postfix check")),
    )
