"""The steps of a drill and the questions about it, as templates/drill and the CLI call them."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from . import certificate
from .config import Config
from .fetch import Fetch, clear
from .figures import combine, nothing
from .look import look
from .machine import Machine
from .places import UNIT, Places
from .records import Records
from .restic import Repository
from .troubles import Trouble


def fetch(config: Config, places: Places, secrets: Path) -> None:
    """The first step. An engineer's request, or the timer's. secrets: host to the password of its
    repository, as JSON. Raises NotScratch."""
    clear(places.work)
    clear(places.sample)
    places.tree.mkdir()
    try:
        request = json.loads(places.request.read_bytes())
    except FileNotFoundError:
        request = {"by": certificate.BY_TIMER}
    told = {"begun": _now(), "by": request["by"]}
    says = places.sample / "sample.json"
    # Should this step not come to its end, the next ones know what it was.
    says.write_text(json.dumps({**nothing(config.host), **told}))
    attached = (config.repositories, config.turn, places.run, places.work, places.sample)
    Machine.of().must_be_scratch([str(each) for each in attached])
    count = request.get("mailboxes") or config.mailboxes
    own = {host: Repository(Path(config.repositories, host), password)
           for host, password in json.loads(secrets.read_bytes()).items()}  # fmt: skip
    with _turn(Path(config.turn)):
        sample = Fetch(config, own, places.tree).run(count, request.get("seed"))
    says.write_text(json.dumps({**sample, **told}))


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Nothing is removed from repositories meanwhile."""
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def looked(config: Config, places: Places) -> None:
    """The second step. Raises NotScratch."""
    machine = Machine.of()
    machine.must_be_scratch([str(places.work), str(places.sample)])
    sample = json.loads((places.sample / "sample.json").read_bytes())
    room = places.work / "room"
    room.mkdir()
    found = look(config, sample, places.tree, room)
    places.found.write_text(json.dumps({**found, "machine": machine.json()}))


def sweep(places: Places) -> None:
    """Nothing of the sample stays, however the step ended; its findings do."""
    for name in ("tree", "room"):
        if (folder := places.work / name).is_dir():
            clear(folder)
            folder.rmdir()


def certify(config: Config, places: Places) -> None:
    """The last step, also when one before it failed."""
    figures = combine(config.host, places.sample / "sample.json", places.found, _now())
    text = (json.dumps(figures, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
    paper = certificate.docx(config, figures, hashlib.sha256(text).hexdigest())
    troubles = [Trouble.of(each).english() for each in figures["troubles"]]
    ended = datetime.fromisoformat(figures["ended"])
    line = {
        "ended": figures["ended"],
        "day": str(ended.astimezone(ZoneInfo(config.timezone)).date()),
        "by": figures["by"],
        "good": not troubles,
        "mailboxes": len(figures["mailboxes"]),
        "told": troubles[:3],
    }
    Records(places.records).add(f"{ended:%Y%m%dT%H%M%SZ}", text, paper, line)


def ask(places: Places, question: dict[str, Any]) -> dict[str, Any]:
    """{"do": "drill", "by", "mailboxes", "seed"} or {"do": "last"}: the line of the log, the
    figures, and the certificate in base 64; nothing of them where there is none. {"do": "log"}: all
    lines of the log."""
    if question["do"] == "log":
        return {"log": Records(places.records).all()}
    if question["do"] == "drill":
        with _alone(places):
            before = len(Records(places.records).all())
            places.request.write_text(json.dumps(question))
            try:
                subprocess.run(["systemctl", "start", UNIT], check=False)
            finally:
                places.request.unlink()
            return _last(places, before)
    return _last(places, 0)


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    with (places.run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _last(places: Places, before: int) -> dict[str, Any]:
    """before: how many drills are not meant."""
    drills = Records(places.records).all()
    if len(drills) <= before:
        return {}
    name = drills[-1]["name"]
    return {
        "line": drills[-1],
        "figures": (places.records / f"{name}.json").read_text(encoding="utf-8"),
        "certificate": base64.b64encode((places.records / f"{name}.docx").read_bytes()).decode(),
    }


def health(places: Places) -> list[str]:
    """Of this host, for danhba status."""
    told = Records(places.records).health(time.time(), places.since.stat().st_mtime)
    if places.tree.exists() and not _active():
        told.append(f"{places.work}: a drill was cut off, and left what it restored: "
                    f"systemctl start {UNIT}")  # fmt: skip
    return told


def _active() -> bool:
    units = ("danhba-drill-fetch", "danhba-drill-look", "danhba-drill")
    argv = ["systemctl", "show", "--property=ActiveState", "--value"]
    done = subprocess.run(
        [*argv, *(f"{unit}.service" for unit in units)], capture_output=True, text=True, check=False
    )
    return "activating" in done.stdout


def pack(answer: dict[str, Any]) -> str:
    """As danhba.generations.remote.answer unpacks it."""
    return base64.encodebytes(zlib.compress(json.dumps(answer).encode())).decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
