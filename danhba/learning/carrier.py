"""Takes what waits for one edge there."""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from .spool import Spool, said

_PAUSE = 0.5
_RETRY = (5.0, 60.0)
"""Seconds until an edge that did not take something is tried again: the first time, and at most."""
_ANSWERS = 30
"""Seconds within which it must answer."""


class NotTaken(Exception):
    """The edge cannot learn now."""


@dataclass
class Carrier:
    """edge: its name; fqdn: in its certificate."""

    spool: Spool
    edge: str
    fqdn: str
    port: int
    tls: ssl.SSLContext

    def run(self) -> None:
        wait = 0.0
        while True:
            try:
                self.round()
                wait = 0.0
            except (OSError, http.client.HTTPException, NotTaken) as error:
                if not wait:
                    print(f"{self.edge} does not learn: {error}", flush=True)
                wait = min(max(_RETRY[0], 2 * wait), _RETRY[1])
            time.sleep(max(wait, _PAUSE))

    def round(self) -> None:
        """All that waits, on one connection. Raises when the edge does not take it."""
        waiting = self.spool.waiting(self.edge)
        if not waiting:
            return
        line = http.client.HTTPSConnection(self.fqdn, self.port, context=self.tls, timeout=_ANSWERS)
        try:
            for _, path in waiting:
                self._carry(line, path)
        finally:
            line.close()

    def _carry(self, line: http.client.HTTPSConnection, path: Path) -> None:
        try:
            what, message = said(path.read_bytes())
        except FileNotFoundError:
            return  # something else was said of it meanwhile
        line.request("POST", f"/{what.word}", message)
        answer = line.getresponse()
        text = answer.read().decode("utf-8", "replace").strip()
        if answer.status >= 500:
            raise NotTaken(f"{answer.status} {text}")
        if answer.status >= 400:
            print(f"{self.edge} refuses {path.name}: {answer.status} {text}", flush=True)
        path.unlink(missing_ok=True)
