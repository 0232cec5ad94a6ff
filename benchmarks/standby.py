"""Standby copies beside deliveries: does the copying keep up, and what does looking cost?

    PYTHONPATH=tests .venv/bin/python -m benchmarks.standby [--rate 20] [--seconds 60]

On the lab as it is (script/staging). Prints a table; writes nothing.
"""

from __future__ import annotations

import argparse
import json
import smtplib
import statistics
import sys
import tempfile
import threading
import time
from email.message import EmailMessage
from pathlib import Path

from province import Province, wait_for

from danhba.compiled import Mailbox
from danhba.project import ROOT
from danhba.standby.mailboxes import WATCHED, signature
from staging.lab import Lab

LAG = (
    "python3 -c \"import sqlite3;print(sqlite3.connect('/var/lib/danhba-standby/standby.sqlite')"
    ".execute('select value from notes where name=\\'lag\\'').fetchone()[0])\""
)
CPU = "systemctl show -p CPUUsageNSec --value danhba-standby.service"


def main() -> int:
    options = _parser().parse_args()
    lab = Lab.open()
    province = Province(lab, ROOT / "directory.yaml")
    boxes = [box for box in province.compiled.mailboxes if box.state == "active"]
    stores = [store.name for store in province.environment.having("store")]
    before = {store: _cpu(lab, store) for store in stores}
    lags: list[float] = []
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(lab, stores, lags, done))
    watch.start()
    began = time.monotonic()
    sent = _deliver(province, boxes, options.rate, options.seconds)
    took = time.monotonic() - began
    wait_for(lambda: all(_lag(lab, store)["behind"] == 0 for store in stores), "all copied", 300)
    caught_up = time.monotonic() - began - took
    done.set()
    watch.join()
    used = sum(_cpu(lab, store) - before[store] for store in stores)
    rows = [
        ("deliveries", f"{sent} in {took:.0f} s, {sent / took:.1f}/s"),
        ("lag of the oldest copy, median and most", f"{_middle(lags):.1f} s, {max(lags):.1f} s"),
        ("all copied after the last delivery", f"{caught_up:.1f} s"),
        ("processor of the daemons and doveadm, a delivery", f"{1000 * used / sent:.1f} ms"),
        ("looking at 30,000 mailboxes", f"{_looking(30_000):.2f} s"),
    ]
    print("\n".join(["| standby copies | |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]))
    return 0


def _deliver(province: Province, boxes: list[Mailbox], rate: float, seconds: float) -> int:
    """Messages to one mailbox after the other, at a steady rate."""
    edge = province.environment.having("edge")[0].ipv4
    began = time.monotonic()
    count = 0
    with smtplib.SMTP(edge, 25, timeout=60, source_address=("198.19.0.1", 0)) as smtp:
        while time.monotonic() - began < seconds:
            message = EmailMessage()
            message["From"] = "lan@ngoaitinh.test"
            message["To"] = province.mail(boxes[count % len(boxes)].address)
            message["Subject"] = f"Thử {count}"
            message.set_content("Xin chào\n" * 50)
            smtp.send_message(message)
            count += 1
            time.sleep(max(0.0, began + count / rate - time.monotonic()))
    return count


def _watch(lab: Lab, stores: list[str], lags: list[float], done: threading.Event) -> None:
    while not done.wait(1):
        now = time.time()
        oldest = [lag["oldest"] for lag in (_lag(lab, store) for store in stores)]
        lags.append(max([now - each["since"] for each in oldest if each], default=0.0))


def _lag(lab: Lab, store: str) -> dict[str, object] | dict[str, float]:
    found: dict[str, object] = json.loads(lab.run(store, ["sh", "-c", LAG]).stdout)
    return found


def _cpu(lab: Lab, store: str) -> float:
    """Seconds used by the daemon and the doveadm processes that it started."""
    return int(lab.run(store, ["sh", "-c", CPU]).stdout) / 1e9


def _middle(values: list[float]) -> float:
    return statistics.median(values) if values else 0.0


def _looking(count: int) -> float:
    """Processor seconds of one look at so many mailboxes, with their times in memory."""
    with tempfile.TemporaryDirectory(prefix="danhba-bench-") as place:
        homes = [f"{place}/nv{number}" for number in range(count)]
        for home in homes:
            for name in WATCHED[:3]:
                path = Path(home, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        began = time.process_time()
        for home in homes:
            signature(home)
        return time.process_time() - began


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=20, help="deliveries a second")
    parser.add_argument("--seconds", type=float, default=60)
    return parser


if __name__ == "__main__":
    sys.exit(main())
