"""The hook looks at what is to be committed, not at the file as it lies there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from danhba.project import ROOT

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")


def test_a_commit_that_is_not_canonical_or_has_errors_is_refused(tmp_path: Path) -> None:
    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = ["git", "-c", "user.name=a", "-c", "user.email=a@x.test", *arguments]
        return subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)

    def commit(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "directory.yaml").write_text(text, encoding="utf-8")
        git("add", "directory.yaml")
        (tmp_path / "directory.yaml").write_text("lies differently\n", encoding="utf-8")
        return git("commit", "-qm", "x")

    git("init", "-q")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    shutil.copy(ROOT / "script/pre-commit", tmp_path / ".git/hooks/pre-commit")
    canonical = GOOD.replace(
        "policy: {quota_gb: 2, agency_quota_gb: 10, message_mb: 30}",
        "policy:\n  quota_gb: 2\n  agency_quota_gb: 10\n  message_mb: 30",
    )
    assert commit(canonical).returncode == 0
    loose = commit(GOOD)
    assert (loose.returncode, "not in canonical form" in loose.stderr) == (1, True)
    person = next(row for row in canonical.splitlines(keepends=True) if '"10377"' in row)
    lost = commit(canonical.replace(person, "").replace("    it_officer: ttkngan\n", ""))
    said = lost.stdout + lost.stderr
    assert (lost.returncode, "'ttkngan' of Trần Thị Kim Ngân has left" in said) == (1, True)
    wrong = commit(canonical.replace("address: dddat,", "address: datdd,"))
    assert (wrong.returncode, "not 'dddat'" in wrong.stdout + wrong.stderr) == (1, True)
