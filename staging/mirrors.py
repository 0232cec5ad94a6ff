"""Where Debian packages come from: whatever this machine's own apt uses, for another suite.

No mirror is named here, so the lab works wherever the machine's apt does.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from staging.config import CACHE_ADDRESS, CACHE_PORT
from staging.shell import LabError, run

SUITE = "trixie"
_FORMAT = "$(LABEL)\t$(REPO_URI)"


@dataclass(frozen=True)
class Mirrors:
    """Repository addresses; security is empty when no mirror in reach carries it."""

    main: str
    security: str

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(urlsplit(uri).hostname or "" for uri in (self.main, self.security) if uri)

    def sources(self) -> str:
        """sources.list of the hosts."""
        lines = [f"deb {cached(self.main)} {suite} main" for suite in (SUITE, f"{SUITE}-updates")]
        if self.security:
            lines.append(f"deb {cached(self.security)} {SUITE}-security main")
        return "\n".join(lines) + "\n"


def cached(uri: str) -> str:
    """How the package cache is asked for a mirror: it cannot look into TLS, so it makes it."""
    return uri.replace("https://", "http://", 1)


def proxy() -> str:
    """The hosts' apt configuration: packages come through the cache and in no other way."""
    return f'Acquire::http::Proxy "http://{CACHE_ADDRESS}:{CACHE_PORT}";\n'


def upstream_proxy() -> str:
    """The proxy that this machine's apt uses, which the cache then has to use too."""
    shell = run(["apt-config", "shell", "PROXY", "Acquire::http::Proxy"]).stdout
    return shell.partition("=")[2].strip().strip("'\"").replace("DIRECT", "")


def discover() -> Mirrors:
    """The mirrors of this machine's apt. Raises LabError."""
    targets = run(["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"])
    return choose(targets.stdout, carries)


def choose(targets: str, carries: Callable[[str, str], bool]) -> Mirrors:
    """The first Debian archive that carries the suite, and security updates from where possible."""
    pairs = [tuple(line.split("\t", 1)) for line in targets.splitlines() if "\t" in line]
    uris = [uri for label, uri in pairs if label == "Debian"]
    main = next((uri for uri in dict.fromkeys(uris) if carries(uri, SUITE)), "")
    if not main:
        raise LabError(
            f"none of this machine's apt sources carries Debian {SUITE}: "
            "add a Debian mirror to /etc/apt and run apt-get update"
        )
    secure = [uri for label, uri in pairs if label == "Debian-Security"]
    sibling = main.rstrip("/") + "-security/"
    candidates = dict.fromkeys([*secure, sibling])
    found = (uri for uri in candidates if carries(uri, f"{SUITE}-security"))
    return Mirrors(main, next(found, ""))


def carries(uri: str, suite: str) -> bool:
    """Whether a mirror has the suite."""
    if not uri.startswith(("http://", "https://")):
        return False
    address = f"{uri.rstrip('/')}/dists/{suite}/InRelease"
    upstream = upstream_proxy()
    handler = urllib.request.ProxyHandler({"http": upstream} if upstream else None)
    request = urllib.request.Request(address, method="HEAD")
    try:
        with urllib.request.build_opener(handler).open(request, timeout=20) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
