"""valkey on edges: what rspamd remembers from one message to the next. All of it may be lost."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import CA, CERTIFICATE, KEY, VALKEY_PORT, VALKEY_SOCKET, VALKEY_WAY

_UNIT = "valkey-server.service"
_TUNNEL = "stunnel@valkey.service"
_MEMORY_MB = 512


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    config = render("valkey/valkey.conf", socket=VALKEY_SOCKET, memory_mb=_MEMORY_MB)
    unit = render("valkey/unit.conf", memory_mb=2 * _MEMORY_MB)
    return Part(
        name="valkey",
        packages=("valkey-server",),
        files=(
            File("/etc/valkey/valkey.conf", config, effect="restart"),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf", unit, effect="restart"),
        ),
        services=(Service(_UNIT),),
    )


def tunnel(directory: Compiled, env: Environment, host: Host) -> Part:
    """The encrypted way from edge to edge. Nothing where there is no second one."""
    if not (near := ways(env, host)):
        return Part(name="valkey_tunnel")
    config = render(
        "valkey/stunnel.conf",
        unit=_TUNNEL,
        ca=CA,
        certificate=CERTIFICATE,
        port=VALKEY_PORT,
        socket=VALKEY_SOCKET,
        edges={address: env.host(name) for name, address in near.items()},
    )
    drop_in = f"/etc/systemd/system/{_TUNNEL}.d/danhba.conf"
    return Part(
        name="valkey_tunnel",
        packages=("stunnel4",),
        files=(
            File("/etc/stunnel/valkey.conf", config, effect="restart"),
            File(drop_in, render("valkey/tunnel.unit.conf", key=KEY), effect="restart"),
        ),
        services=(Service(_TUNNEL, answers=(Probe(VALKEY_PORT),)),),
    )


def ways(env: Environment, host: Host) -> dict[str, str]:
    """Names of the other edges, and where the way to the valkey of each begins on this one."""
    edges = env.having("edge")
    return {
        edge.name: f"127.3.0.{number}:{VALKEY_WAY}"
        for number, edge in enumerate(edges, 1)
        if edge != host
    }
