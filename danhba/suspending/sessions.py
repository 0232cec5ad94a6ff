"""Sessions of who is suspended end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .control import run


class Sessions:
    """programs: those that end sessions for reading (deploys/sessions.py). Sessions for sending end
    with the next word in them: the milter says 421."""

    def __init__(self, programs: Sequence[str]) -> None:
        self._programs = programs

    def end(self, accounts: Iterable[str]) -> None:
        """Also those in the mailboxes that they keep. Raises subprocess.SubprocessError."""
        for program in self._programs:
            run([program, *sorted(accounts)])
