"""rspamd on edges: what is spam, and through it what carries a virus (Điều 8.6)."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys import clamav, signing
from deploys.common import (
    CLAMD_SOCKET,
    FILTER_SOCKET,
    JUNK_HEADER,
    REPORTS_PORT,
    RSPAMD_CONTROLLER,
    SCAN_SECONDS,
    SCORE_HEADER,
    VALKEY_SOCKET,
)
from deploys.postfix_edge import size_filtered
from deploys.valkey import ways

MIN_LEARNS = 200
"""Messages of each kind that must have been learned before any is judged by them."""
GREY_SECONDS = 300
"""After which who was told to come again is let in."""

_UNIT = "rspamd.service"
_CONFIG = "/etc/rspamd/rspamd.conf"
_BAD_LINKS = "/etc/rspamd/bad-links"
_AS_RSPAMD = ("setpriv", "--reuid", "_rspamd", "--regid", "_rspamd", "--clear-groups")
"""It compiles its rules, and keeps them for the daemon."""
_PROCESSES = 2
_MEMORY_MB = 2048
_PLACES = {"official": 2, "stranger": 2, "slow": 1}
"""Messages that each process has clamd scan at once. In all no more than clamd scans at once."""
_WAIT_SECONDS = 20
"""For which a message waits for such a place."""
_SLOW_SECONDS = 600
"""After whose message clamd did not come to an end is among the slow."""
_BAYES_SCORE = 5.1
"""Of a message that is surely like what was called junk; rspamd's own figure."""
_UNREACHABLE = 1_000_000
"""A score."""


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    config = render(
        "rspamd/rspamd.conf",
        junk_score=directory.spam_junk_score,
        reject_score=directory.spam_reject_score,
        junk_header=JUNK_HEADER,
        socket=FILTER_SOCKET,
        valkey=VALKEY_SOCKET,
        message_bytes=size_filtered(directory.message_mb),
        scan_seconds=SCAN_SECONDS,
        task_seconds=SCAN_SECONDS + _WAIT_SECONDS + 10,
        processes=_PROCESSES,
        writers=signing.writers(env),
        controller=RSPAMD_CONTROLLER,
        grey_score=directory.spam_grey_score,
        min_learns=MIN_LEARNS,
        bayes_score=min(_BAYES_SCORE, directory.spam_reject_score - 1),
        unreachable=_UNREACHABLE,
        host=host,
        domain=directory.domain,
        reports=directory.dmarc_reports,
        reports_port=REPORTS_PORT,
        bad_links=_BAD_LINKS if directory.bad_links else "",
        link_lists=directory.link_lists,
    )
    grey = render(
        "rspamd/greylist.lua",
        valkey=VALKEY_SOCKET,
        peers=list(ways(env, host).values()),
        wait_seconds=GREY_SECONDS,
    )
    authentication = render(
        "rspamd/authentication.lua", domain=directory.domain, sealers=directory.arc_sealers
    )
    scan = render(
        "rspamd/viruses.lua",
        clamd=CLAMD_SOCKET,
        valkey=VALKEY_SOCKET,
        scan_seconds=SCAN_SECONDS,
        max_scan_seconds=clamav.MAX_SCAN_SECONDS,
        wait_seconds=_WAIT_SECONDS,
        slow_seconds=_SLOW_SECONDS,
        processes=_PROCESSES,
        places=_PLACES,
    )
    names = render(
        "rspamd/names.lua",
        endings=clamav.endings(directory.macros_refused),
        packed=clamav.PACKED.split(),
    )
    outgoing = render("rspamd/outgoing.lua", header=SCORE_HEADER)
    unit = render("rspamd/unit.conf", socket=FILTER_SOCKET, memory_mb=_MEMORY_MB)
    return Part(
        name="rspamd",
        packages=("rspamd",),
        files=(
            File(_CONFIG, config, effect="reload"),
            File("/etc/rspamd/lua.local.d/viruses.lua", scan, effect="reload"),
            File("/etc/rspamd/lua.local.d/names.lua", names, effect="reload"),
            File("/etc/rspamd/lua.local.d/greylist.lua", grey, effect="reload"),
            *signing.rules(directory, env),
            File("/etc/rspamd/lua.local.d/outgoing.lua", outgoing, effect="reload"),
            File("/etc/rspamd/lua.local.d/authentication.lua", authentication, effect="reload"),
            File(
                "/etc/rspamd/lua.local.d/answers.lua", render("rspamd/answers.lua"), effect="reload"
            ),
            *_bad_links(directory),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf", unit, effect="restart"),
        ),
        services=(Service(_UNIT),),
        validate=((*_AS_RSPAMD, "rspamadm", "configtest", "-q", "-c", _CONFIG),),
    )


def _bad_links(directory: Compiled) -> tuple[File, ...]:
    """Patterns for names of hosts: each domain and what is below."""
    names = (domain.replace(".", "[.]") for domain in directory.bad_links)
    rows = "".join(f"/(^|[.]){name}$/i\n" for name in names)
    return (File(_BAD_LINKS, rows.encode(), effect="reload"),) if rows else ()
