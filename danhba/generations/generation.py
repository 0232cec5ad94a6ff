"""What a host should be: a manifest and the contents of its files, named by the digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from danhba.days import today
from danhba.generations.host.common import sha256

SIZES = "sizes"
REMOVED = "removed"


@dataclass(frozen=True)
class Generation:
    """manifest: files, links, tables, packages, services, checks. contents: sha256 to bytes, and
    under SIZES what danhba.guards measures a change by, under REMOVED the names that may leave the
    host's tables; no host needs to know that.

    The git revision is kept beside the manifest, not in it: a commit that changes nothing on a
    host leaves the host alone.
    """

    manifest: Mapping[str, Any]
    contents: Mapping[str, bytes]
    revision: str

    @cached_property
    def digest(self) -> str:
        return sha256(json.dumps(self.manifest, sort_keys=True).encode())

    @property
    def sizes(self) -> dict[str, Any]:
        """{"people": how many are not withdrawn, "agencies": {account: how many of them}}."""
        found: dict[str, Any] = json.loads(self.contents[SIZES])
        return found

    @property
    def removed(self) -> frozenset[str]:
        """Addresses and accounts, local parts, whose mailboxes are archived and removed."""
        return frozenset(json.loads(self.contents[REMOVED]))

    @property
    def tree_text(self) -> str:
        """The LDAP entries this generation wants, as text; empty without a tree."""
        tree = self.manifest["tree"]
        return self.text(tree["path"]) if tree else ""

    def text(self, path: str) -> str:
        return self.contents[self.manifest["files"][path]["sha256"]].decode()

    def question(self) -> dict[str, Any]:
        """What to ask the host so that the plan needs no second question."""
        files = self.manifest["files"]
        tree, boxes = self.manifest["tree"], self.manifest["boxes"]
        expiry = self.manifest.get("expiry")  # not of a generation of before, gone back to
        wanted = tree and {
            "base": tree["base"], "top": tree["top"], "wanted": files[tree["path"]]["sha256"],
            "count": tree["count"], "path": tree["path"], "peers": tree["peers"],
        }  # fmt: skip
        return {
            "files": {path: facts["sha256"] for path, facts in files.items()},
            "secret": [path for path, facts in files.items() if facts["secret"]],
            "packages": self.manifest["packages"],
            "units": [service["unit"] for service in self.manifest["services"]],
            "entries": wanted,
            "boxes": boxes and {**boxes, "day": str(today(boxes["timezone"]))},
            "expiry": expiry and {**expiry, "day": str(today(expiry["rules"]["timezone"]))},
        }
