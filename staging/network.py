"""One bridge, a network namespace per host, and no way off this machine.

The bridge has an address in every range but routes nothing. Unreachable routes lie behind the
ranges: when the bridge is down, a packet for a lab host is refused instead of leaving by the
default route.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from staging import delay
from staging.config import BRIDGE, CACHE_ADDRESS, GATEWAYS, RANGES
from staging.shell import LabError, run

_INSIDE = "host0"
_METRIC = "4294960000"


def namespace(host: str) -> str:
    return f"danhba-{host}"


def port(host: str) -> str:
    """The bridge's end of a host's cable."""
    name = f"dl-{host}"
    if len(name) > 14:
        raise LabError(f"the host name {host} is too long: 11 letters at most")
    return name


def up() -> None:
    """The bridge and the routes behind it; what exists stays."""
    for net in RANGES:
        route = [_family(net.version), "route", "replace", "unreachable", str(net)]
        run(["ip", *route, "metric", _METRIC])
    if is_up():
        return
    # With an address of its own: else it has that of some cable, another one whenever a host boots,
    # and the other hosts go on writing to the old one.
    run(["ip", "link", "add", BRIDGE, "address", _mac(CACHE_ADDRESS), "type", "bridge"])
    for address in GATEWAYS:
        nodad = ["nodad"] if ":" in address else []
        run(["ip", "address", "add", address, "dev", BRIDGE, *nodad])
    run(["ip", "link", "set", BRIDGE, "up"])


def is_up() -> bool:
    return Path("/sys/class/net", BRIDGE).exists()


def down() -> None:
    """Remove the bridge, every namespace and every route of ours."""
    for name in namespaces():
        run(["ip", "netns", "delete", name], check=False)
    for link in Path("/sys/class/net").glob("dl-*"):
        delay.remove(link.name)
        run(["ip", "link", "delete", link.name], check=False)
    run(["ip", "link", "delete", BRIDGE], check=False)
    for net in RANGES:
        route = [_family(net.version), "route", "delete", "unreachable", str(net)]
        run(["ip", *route, "metric", _METRIC], check=False)


def namespaces() -> list[str]:
    home = Path("/run/netns")
    return sorted(entry.name for entry in home.glob("danhba-*")) if home.is_dir() else []


def plug(host: str, ipv4: str, ipv6: str) -> None:
    """A host's namespace with its cable and addresses, made anew."""
    unplug(host)
    space, cable = namespace(host), port(host)
    run(["ip", "netns", "add", space])
    peer = ["peer", "name", _INSIDE, "address", _mac(ipv4), "netns", space]
    run(["ip", "link", "add", cable, "type", "veth", *peer])
    run(["ip", "link", "set", cable, "master", BRIDGE, "up"])
    inside = ["ip", "-n", space]
    run([*inside, "link", "set", "lo", "up"])
    for address in (ipv4, ipv6):
        width = "32" if ":" not in address else "128"
        nodad = ["nodad"] if ":" in address else []
        run([*inside, "address", "add", f"{address}/{width}", "dev", _INSIDE, *nodad])
    run([*inside, "link", "set", _INSIDE, "up"])
    for net in RANGES:
        source = ipv4 if net.version == 4 else ipv6
        route = [_family(net.version), "route", "replace", str(net), "dev", _INSIDE]
        run([*inside, *route, "src", source])


def unplug(host: str) -> None:
    if namespace(host) in namespaces():
        run(["ip", "netns", "delete", namespace(host)])
    delay.remove(port(host))
    # the kernel takes the cable away with the namespace, but only a moment later
    run(["ip", "link", "delete", port(host)], check=False)


def cut(host: str) -> None:
    run(["ip", "link", "set", port(host), "down"])


def join(host: str) -> None:
    run(["ip", "link", "set", port(host), "up"])


def latency(host: str, milliseconds: int) -> None:
    """Delay everything a host receives, so that each round trip takes that much longer."""
    cable = port(host)
    device = ["dev", cable, "root"]
    run(["tc", "qdisc", "delete", *device], check=False)
    delay.remove(cable)
    if milliseconds <= 0:
        return
    netem = ["tc", "qdisc", "add", *device, "netem", "delay", f"{milliseconds}ms"]
    if run([*netem, "limit", "100000"], check=False).returncode:
        delay.install(cable, milliseconds)  # this kernel has no netem


def _mac(ipv4: str) -> str:
    """The same after each boot: neighbours remember it for half a minute."""
    return "02:00:" + ":".join(f"{byte:02x}" for byte in IPv4Address(ipv4).packed)


def _family(version: int) -> str:
    return f"-{version}"
