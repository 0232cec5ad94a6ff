"""A vault for tests, with a restic that only writes down what it is asked."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from danhba.backup.config import VaultConfig
from danhba.backup.jobs import Jobs
from danhba.backup.vault import Vault
from danhba.backup.vault_health import health

RESTIC = """\
#!/bin/sh
echo "$@" >>{place}/log
case "$*" in
*snapshots*) cat "$2/said" ;;
*check*) [ ! -e "$2/damaged" ] || {{ echo "Fatal: repository contains errors" >&2; exit 1; }} ;;
*" init "*) rm -f "$2/missing" ;;
*" copy "*) [ ! -e "$2/missing" ] || exit 10 ;;
esac
"""
DAY = 86400.0


class Cellar:
    """Of two stores and an edge. asked: what restic was."""

    def __init__(self, place: Path) -> None:
        self.place, self.now = place, time.time()
        for name in ("repositories", "state", "bin", "second"):
            (place / name).mkdir()
        program = place / "bin/restic"
        program.write_text(RESTIC.format(place=place))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.config = VaultConfig(
            hosts={"store1": True, "store2": True, "mx1": False},
            place=str(place / "repositories"), secret="", second=str(place / "second"), sftp="",
            keep={"days": 14, "weeks": 8, "months": 12}, mail="/srv/mail", user="",
            state=str(place / "state"), held=(),
        )  # fmt: skip
        self.vault = Vault(self.config, dict.fromkeys(self.config.hosts, "x"))
        self.jobs = Jobs(self.vault)
        for host in self.config.hosts:
            (self.repository(host) / "snapshots").mkdir(parents=True)
            (self.repository(host) / "said").write_text("[]")

    def repository(self, host: str) -> Path:
        return Path(self.config.place, host)

    def comes(
        self, host: str, id: str, tag: str, at: float, accounts: Sequence[str] = (),
        says: float | None = None, files: int = 100,
    ) -> None:  # fmt: skip
        """A snapshot that arrives, and says that it is of another time."""
        path = self.repository(host) / "snapshots" / id
        path.touch()
        os.utime(path, (at, at))
        when = datetime.fromtimestamp(at if says is None else says, UTC).isoformat()
        rows = json.loads((self.repository(host) / "said").read_text())
        rows.append({
            "id": id, "tags": [tag], "time": when,
            "paths": [f"{top}/{name}" for name in accounts for top in ("/srv/mail", "/var/x")],
            "summary": {"total_files_processed": files},
        })  # fmt: skip
        (self.repository(host) / "said").write_text(json.dumps(rows))

    def asked(self) -> list[str]:
        path = self.place / "log"
        rows = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return rows

    def says(self, now: float = 0.0) -> list[str]:
        return list(health(self.vault, now or self.now))
