"""What is wrong with the directory, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from danhba.letters import escaped, stranger

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing an engineer must look at.

    file: path as the user gave it. line: counted from 1; 0 when no line can be named. clause: of
    QĐ 50/2009/QĐ-UBND, as in "Điều 5.3", "" when the regulation does not say it. message: what is
    wrong, and remedy: what to do, both without a full stop and on one line.
    """

    file: str
    line: int
    severity: Severity
    clause: str
    message: str
    remedy: str

    def __str__(self) -> str:
        clause = f" ({self.clause})" if self.clause else ""
        return (
            f"{self.file}:{self.line}: {self.severity}: {self.message}{clause}. Do: {self.remedy}."
        )


def shown(text: str) -> str:
    """text in quotes for a message: what does not show is escaped, and a letter that may look like
    another is named; cut after 60 characters."""
    odd = stranger(text)
    quoted = escaped(repr(text if len(text) <= 60 else text[:57] + "..."))
    return f"{quoted} ({odd})" if odd else quoted
