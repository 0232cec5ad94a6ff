"""One checkout: finds its files, and compiles directory.yaml and an inventory to generations."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danhba import inventory
from danhba.findings import Finding
from danhba.generations.generation import Generation
from danhba.inventory import Environment

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".danhba" / "cache"
SOURCES = ("danhba/**/*.py", "deploys/**/*.py", "templates/**/*")
"""What, with the directory and the inventory, decides every byte of a generation."""


class BadDirectory(Exception):
    """The directory has errors: nothing may be applied."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


@dataclass(frozen=True)
class Project:
    """directory: the file that names everybody; root: the checkout around it."""

    directory: Path = ROOT / "directory.yaml"
    root: Path = ROOT

    def environment(self, name: str) -> Environment:
        """Raises inventory.InventoryError."""
        return inventory.load(self.root / "inventory" / f"{name}.py")

    def generations(self, env: Environment) -> dict[str, Generation]:
        """The generation of every host, by name. Raises BadDirectory.

        Equal input gives equal bytes, so manifests are remembered under the digest of the input:
        with nothing to do, an apply at 100,000 accounts need not read the directory again.
        """
        revision = self.revision()
        text = self._text()
        key = self._key(env, text)
        found = _recall(key)
        if found is None:
            compiled = self.compile(env, revision, text)
            _remember(key, {name: dict(item.manifest) for name, item in compiled.items()})
            return compiled
        late = _Late(lambda: self.compile(env, revision, text))
        return {
            name: Generation(manifest, late.of(name), revision) for name, manifest in found.items()
        }

    def _text(self) -> bytes:
        """Read once: what is compiled is what the memory is keyed by."""
        from danhba.check import check_file

        try:
            return self.directory.read_bytes()
        except OSError:
            raise BadDirectory(check_file(self.directory)[1]) from None

    def revision(self) -> str:
        """The git revision of the checkout, with + when files differ from it."""

        def git(*arguments: str) -> str:
            argv = ["git", "-C", str(self.root), *arguments]
            return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

        changed = git("status", "--porcelain", "--untracked-files=no")
        return (git("rev-parse", "HEAD") or "no revision") + ("+" if changed else "")

    def compile(self, env: Environment, revision: str, text: bytes) -> dict[str, Generation]:
        """Load, check, compile: without memory. text: of the directory. Raises BadDirectory."""
        from danhba.assemble import assemble
        from danhba.check import check_text
        from danhba.compile import compile_directory
        from deploys.roles import parts

        directory, findings = check_text(text, str(self.directory))
        errors = [finding for finding in findings if finding.severity == "error"]
        if directory is None or errors:
            raise BadDirectory(findings)
        compiled = compile_directory(directory)
        return {host.name: assemble(parts(compiled, env, host), revision) for host in env.hosts}

    def _key(self, env: Environment, text: bytes) -> str:
        seen = hashlib.sha256(f"{env!r}:{len(text)}:".encode() + text)
        for path in sorted(path for pattern in SOURCES for path in self.root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                content = path.read_bytes()
                seen.update(f"{path.name}:{len(content)}:".encode() + content)
        return seen.hexdigest()


class _Late:
    """Contents of generations whose manifests were remembered; compiled when first asked for."""

    def __init__(self, compile: Callable[[], dict[str, Generation]]) -> None:
        self._compile = compile
        self._made: dict[str, Generation] | None = None

    def of(self, host: str) -> Mapping[str, bytes]:
        return _LateContents(self, host)

    def get(self, host: str) -> Mapping[str, bytes]:
        if self._made is None:
            self._made = self._compile()
        return self._made[host].contents


class _LateContents(Mapping[str, bytes]):
    def __init__(self, late: _Late, host: str) -> None:
        self._late, self._host = late, host

    def __getitem__(self, key: str) -> bytes:
        return self._late.get(self._host)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._late.get(self._host))

    def __len__(self) -> int:
        return len(self._late.get(self._host))


def _recall(key: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((CACHE / f"{key}.json").read_bytes())
    except (OSError, ValueError):
        return None
    return found


def _remember(key: str, manifests: Mapping[str, Any]) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in sorted(CACHE.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-20]:
        old.unlink(missing_ok=True)
    fresh = CACHE / f"{key}.{os.getpid()}.new"
    fresh.write_text(json.dumps(manifests))
    fresh.rename(CACHE / f"{key}.json")
