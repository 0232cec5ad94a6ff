"""What a new machine gets of what the one before had and no other host brings."""

from __future__ import annotations

from collections.abc import Collection

from danhba.commands.common import tell
from danhba.inventory import Environment
from danhba.project import Project


def restore(project: Project, env: Environment, chosen: Collection[str], name: str) -> None:
    """To one host; chosen: all that are rebuilt, which have nothing to give. Raises EngineError."""
    host = env.host(name)
    if "edge" in host.roles:
        tell(f"{name} signs with new keys: danhba dkim show {env.name}, publish, then "
             f"danhba dkim rotate {env.name}")  # fmt: skip
