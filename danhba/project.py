"""One checkout: finds its files, and compiles directory.yaml and an inventory to generations."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from danhba import inventory
from danhba.compiled import Compiled
from danhba.findings import Finding
from danhba.generations.generation import Generation
from danhba.inventory import Environment
from danhba.memory import Days, Memory, code, digest

if TYPE_CHECKING:
    from danhba.model import Directory

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".danhba" / "cache"
MANIFESTS = Memory(CACHE, "manifests")
SOURCES = (
    "danhba/**/*.py",
    "danhba/data/*.txt",
    "deploys/**/*.py",
    "templates/**/*",
    "requirements.txt",
)
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

    def environments(self) -> list[str]:
        """Names of the inventories, sorted. One with a dot in its name is an example."""
        files = (self.root / "inventory").glob("*.py")
        return sorted(path.stem for path in files if "." not in path.stem)

    def known(self, env: Environment) -> Environment:
        """What pyinfra's own command read, with what the placement file of that inventory
        remembers. Raises InventoryError."""
        for name in self.environments():
            found = self.environment(name)
            if found.hosts == env.hosts:
                return found
        return env

    def generations(
        self, env: Environment, withheld: Collection[str] = ()
    ) -> dict[str, Generation]:
        """The generation of every host, by name. Raises BadDirectory.

        withheld: accounts that edges do not learn yet, because their store is absent.

        Equal input gives equal bytes, so manifests are remembered under the digest of the input, up
        to the next day on which a status begins or ends: with nothing to do, an apply at 100,000
        accounts need not read the directory again.
        """
        revision = self.revision()
        text = self._text()
        key = digest(code(self.root, SOURCES), repr(env), repr(sorted(withheld)), text)
        found = MANIFESTS.recall(key)
        if found is None:
            compiled, days = self.compile(env, revision, text, withheld=withheld)
            manifests = {name: dict(item.manifest) for name, item in compiled.items()}
            MANIFESTS.remember(key, manifests, days)
            return compiled
        late = _Late(lambda: self.compile(env, revision, text, withheld=withheld)[0])
        return {
            name: Generation(manifest, late.of(name), revision) for name, manifest in found.items()
        }

    def read(self) -> Directory:
        """The directory itself. Raises BadDirectory."""
        return self._checked(self._text())

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

    def generations_on(self, env: Environment, day: date) -> dict[str, Generation]:
        """As generations, for a day that may have gone by; nothing of it is remembered."""
        return self.compile(env, self.revision(), self._text(), day)[0]

    def compile(
        self,
        env: Environment,
        revision: str,
        text: bytes,
        day: date | None = None,
        withheld: Collection[str] = (),
    ) -> tuple[dict[str, Generation], Days]:
        """Load, check, compile: without memory. text: of the directory. day: the province's today
        by default. Also the days on which the same comes out. Raises BadDirectory."""
        from danhba.assemble import assemble
        from danhba.compile import compile_directory, next_change
        from deploys.roles import parts

        directory = self._checked(text)
        day = day or directory.today()
        compiled = compile_directory(directory, day)
        if strangers := self._strangers(env, compiled):
            raise BadDirectory(strangers)
        of_edges = compiled.without(withheld)
        hosts = {
            host.name: assemble(
                parts(of_edges if "edge" in host.roles else compiled, env, host),
                revision,
                compiled.guard,
                compiled.removed,
            )
            for host in env.hosts
        }
        change = next_change(directory, day)
        last = change - timedelta(days=1) if change else date.max
        return hosts, Days(directory.province.timezone, day, last)

    def _checked(self, text: bytes) -> Directory:
        """Raises BadDirectory."""
        from danhba.check import check_text

        directory, findings = check_text(text, str(self.directory))
        errors = [finding for finding in findings if finding.severity == "error"]
        if directory is None or errors:
            raise BadDirectory(errors)
        return directory

    def only_environment(self) -> str:
        """Raises InventoryError when there are several."""
        found = self.environments()
        if len(found) != 1:
            raise inventory.InventoryError(f"say which environment: {', '.join(found)}")
        return found[0]

    def compiled(self, env: Environment, day: date | None = None) -> Compiled:
        """The rows of a day, by default of the province's today. Raises BadDirectory."""
        from danhba.compile import compile_directory

        directory = self.read()
        compiled = compile_directory(directory, day or directory.today())
        if strangers := self._strangers(env, compiled):
            raise BadDirectory(strangers)
        return compiled

    def placement(self, env: Environment) -> Path:
        """The file that remembers which mailboxes were moved, and which stores failed over."""
        return inventory.placement_of(self.root / "inventory" / f"{env.name}.py")

    def _strangers(self, env: Environment, compiled: Compiled) -> list[Finding]:
        """Mailboxes that were moved and that the directory lacks."""
        known = {box.account for box in compiled.mailboxes} | set(compiled.removed)
        file, remedy = str(self.placement(env)), "name the account, or take the line away"
        named = [(move.account, move.line) for move in env.remembered.moved]
        named += [(move.account, move.line) for move in env.remembered.moving]
        return [
            Finding(file, line, "error", "", f"{account} is no mailbox", remedy)
            for account, line in named
            if account not in known
        ]


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
