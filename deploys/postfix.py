"""What the Postfix of an edge and of a store have in common."""

from __future__ import annotations

from danhba.service import File, Part, Probe, Service
from deploys.common import silent, table
from deploys.instance import Instance

_CHECKS = ("-n", "-P", "-M")
"""Of postconf. Not `postfix check`: it looks at the live queue as well and complains of files that
move away under its eyes, so that a host with much mail could not be changed (seen)."""


def postfix(
    name: str,
    instance: Instance,
    files: tuple[File, ...],
    tables: dict[str, dict[str, str]],
    answers: tuple[Probe, ...],
    others: dict[str, dict[str, str]] | None = None,
) -> Part:
    """A Part for Postfix: main.cf and master.cf among files, lookup tables by their short name.

    tables: every row is an address, and none may vanish. others: rows come and go.

    A changed table is a reload. Without one, Postfix's resolver would go on with the old table for
    up to ten seconds and send mail for a new address the wrong way; and to end it by force makes
    its master wait a minute before it starts another (both seen).
    """
    texts = tuple(
        File(
            f"{instance.tables}/{key}",
            table(rows),
            effect="reload",
            accounts=key in tables,
            ways=key == "homes",
        )
        for key, rows in (tables | (others or {})).items()
    )
    return Part(
        name=name,
        packages=("postfix", "postfix-cdb"),
        # Else the package writes a main.cf for a host of its own.
        debconf=("postfix postfix/main_mailer_type select No configuration",),
        files=(*files, *texts),
        tables=tuple(text.path for text in texts),
        services=(Service(instance.postfix_unit, answers=answers),),
        validate=tuple(silent(f"postconf -c {instance.postfix} {check}") for check in _CHECKS),
    )
