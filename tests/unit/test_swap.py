"""What a swap that was cut off leaves on a host, and what becomes of it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from danhba.generations.host import activate, common, report

Generation = tuple[str, dict[str, Any]]


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's own places, elsewhere."""
    root = tmp_path / "danhba"
    for name in ("GENERATIONS", "CURRENT", "CONFIRMED", "LOADED"):
        for module in (activate, common, report):
            monkeypatch.setattr(module, name, root / name.lower(), raising=False)
    live = common.live_digest
    for module in (activate, report):
        monkeypatch.setattr(module, "live_digest", lambda which=root / "current": live(which))
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"


def _generation(etc: Path, *names: str) -> Generation:
    facts = {"sha256": hashlib.sha256(b"x").hexdigest()}
    manifest: dict[str, Any] = {
        "files": {str(etc / name): facts for name in names}, "tables": [], "links": {},
        "services": [], "tree": None,
    }  # fmt: skip
    text = json.dumps(manifest).encode()
    digest = hashlib.sha256(text).hexdigest()
    home = common.GENERATIONS / digest
    for name in names:
        file = Path(f"{home}/files{etc / name}")
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
    (home / "manifest.json").write_bytes(text)
    return digest, manifest | {"states": []}


def _names(etc: Path) -> list[str]:
    return sorted(os.listdir(etc))


def test_links_of_a_swap_that_was_cut_off_go_with_the_next(
    etc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = _generation(etc, "a/kept", "b/gone"), _generation(etc, "a/kept", "c/come")
    activate._swap(*old)
    common.link(common.CONFIRMED, f"generations/{old[0]}")
    monkeypatch.setattr(report, "file_problem", lambda path, wanted: "")
    assert report.drift(old[1]) == []

    def killed(path: Path, target: str) -> None:
        common.link(path, target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(activate, "link", killed)
        activate._swap(*new)
    assert os.path.islink(etc / "b/gone")
    assert not (etc / "b/gone").exists()
    told = {(Path(item["path"]).name, item["problem"]) for item in report.drift(new[1])}
    assert told == {("come", "missing"), ("gone", "left over")}
    activate._swap(*new)
    assert (_names(etc / "b"), _names(etc / "c")) == ([], ["come"])
    assert report.drift(new[1]) == []
