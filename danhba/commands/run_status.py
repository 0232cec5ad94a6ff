"""What danhba status says of runs: which host missed the last one, and who holds a lock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from danhba.dated import zone_of
from danhba.owner import is_gone, is_of_here

Reports = Mapping[str, Mapping[str, Any]]
"""By host, of those that answer (host/report.py)."""


def behind(reports: Reports, wanted: Mapping[str, str], environment: str) -> dict[str, str]:
    """A line for each host that missed a run which others took part in.

    wanted: digest of the generation that the checkout gives each host. An older run alone proves
    nothing: a change that does not concern a host leaves it as it was.
    """
    runs = {name: report["swapped"] for name, report in reports.items() if report["swapped"]}
    if not runs:
        return {}
    last = max(runs, key=lambda name: _moment(runs[name]["since"]))
    return {
        name: f"behind: applied {_run(report)}; others {_run(reports[last])}: "
        f"danhba apply {environment}"
        for name, report in reports.items()
        if runs.get(name, {}).get("token") != runs[last]["token"]
        and wanted.get(name, report["live"]) != report["live"]
    }


def lock(report: Mapping[str, Any], environment: str) -> str:
    """Who holds the lock of a host, and what to do when he is gone."""
    holder = report["lock"]
    text = f"locked by {holder['who']} since {_clock(holder['since'], zone_of(report))}"
    if is_gone(holder):
        return f"{text}; that process is gone: the next danhba apply {environment} takes it over"
    if is_of_here(holder):
        return text
    return f"{text}; if that run has ended: danhba apply {environment} --take-over"


def _run(report: Mapping[str, Any]) -> str:
    """When a host got its generation, and what that was made from."""
    if not report["swapped"]:
        return "never"
    revision = report["revision"] or ""
    short = revision[:12] + ("+" if revision.endswith("+") else "")
    return f"{_clock(report['swapped']['since'], zone_of(report))} from {short}"


def _moment(since: str) -> datetime:
    return datetime.fromisoformat(since).astimezone()


def _clock(since: str, zone: str) -> str:
    """By the clock of the province: the control machine's may be another."""
    if not zone:
        return since
    return _moment(since).astimezone(ZoneInfo(zone)).isoformat(" ", "seconds")
