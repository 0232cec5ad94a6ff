"""The lab as a whole: boots what an inventory says, breaks it on request, removes it.

One province at a time: to boot another inventory removes the hosts that it does not have.
"""

from __future__ import annotations

import fcntl
import json
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from danhba import inventory, secrets
from staging import (
    cache,
    certificates,
    cgroup,
    host,
    image,
    internet,
    keys,
    mounts,
    network,
    overlap,
    second_place,
    zones,
)
from staging import mirrors as apt
from staging.config import CHECKOUT, INVENTORIES, LAB, NET1, RANGES
from staging.host import Host
from staging.shell import LabError, run, say, write

_STATE = Path(LAB) / "state.json"


@dataclass
class Lab:
    """hosts: the province's hosts and net1, by name."""

    environment: inventory.Environment
    hosts: dict[str, Host] = field(default_factory=dict)

    @classmethod
    def open(cls, name: str = "staging") -> Lab:
        """The lab of an inventory of this checkout, booted or not. Raises InventoryError."""
        environment = inventory.load(INVENTORIES / f"{name}.py")
        hosts = {
            found.name: Host(
                found.name, found.fqdn, found.ipv4, found.ipv6, zones.names(environment, found)
            )
            for found in environment.hosts
        }
        return cls(environment, {**hosts, NET1: internet.HOST})

    def boot(self, fresh: bool = False) -> None:
        """Make every host run; nothing is done when all do. Raises LabError."""
        with _locked():
            state = _read()
            if not fresh and self._is_up(state):
                say(f"{', '.join(self.hosts)} are up")
                return
            found = apt.discover()
            self._in_our_ranges()
            overlap.check(found.hosts)  # before anything is removed
            if fresh or not self._is_usable(state):
                self._tear_down()
                state = {}
            self._boot(state, found)

    def host(self, name: str) -> Host:
        """Raises LabError when there is none of that name."""
        if name not in self.hosts:
            raise LabError(f"there is no host {name}; there are {', '.join(self.hosts)}")
        return self.hosts[name]

    def stop(self, name: str) -> None:
        host.stop(self.host(name))

    def kill(self, name: str) -> None:
        host.kill(self.host(name))

    def start(self, name: str) -> None:
        """Boot a stopped host from its overlay and wait for it."""
        found = self.host(name)
        if not cgroup.alive(name):
            host.start(found)
        host.wait(found)

    def blank(self, *names: str) -> None:
        """Put new machines in the place of hosts: each boots with the same name, addresses and SSH
        key, a certificate of its own for the name, and nothing else of the one before."""
        for name in names:
            host.kill(self.host(name))
            host.remove(name)
        self._boot_hosts(names)
        self._hand_out(names)

    def cut(self, name: str) -> None:
        network.cut(self.host(name).name)
        keys.hang_up(self.hosts[name].ipv4)

    def join(self, name: str) -> None:
        network.join(self.host(name).name)

    def latency(self, name: str, milliseconds: int) -> None:
        network.latency(self.host(name).name, milliseconds)

    def run(
        self, name: str, argv: Sequence[str], input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root on a host; the exit status is the caller's to judge."""
        return keys.ssh(self.host(name).ipv4, shlex.join(argv), input)

    def ssh_argv(self, name: str, argv: Sequence[str]) -> list[str]:
        """The same as an argument vector, for a caller that does not wait for the end."""
        return ["ssh", *keys.options(), f"root@{self.host(name).ipv4}", shlex.join(argv)]

    def down(self, purge: bool = False) -> None:
        """Remove every trace; purge: also the image, the package cache, the keys."""
        with _locked():
            self._tear_down()
            run_netns = Path("/run/netns")
            if run_netns.is_dir() and not any(run_netns.iterdir()):
                run(["umount", str(run_netns)], check=False)
        if purge:
            shutil.rmtree(LAB)

    def _wanted(self) -> dict[str, Any]:
        facts = {name: asdict(found) for name, found in self.hosts.items()}
        return {**json.loads(json.dumps(facts))}

    def _is_usable(self, state: dict[str, Any]) -> bool:
        """Whether what is there is this checkout's, on today's image. Hosts that were killed, by a
        reboot of the machine say, start again with all they have written."""
        if state.get("checkout") != str(CHECKOUT):
            return False
        return image.is_current(apt.Mirrors(**state["mirrors"]))

    def _is_up(self, state: dict[str, Any]) -> bool:
        return (
            self._is_usable(state)
            and network.is_up()
            and state["hosts"] == self._wanted()
            and state["internet"] == internet.digest(self.environment)
            and all(cgroup.alive(name) for name in self.hosts)
            and cache.answers()
        )

    def _in_our_ranges(self) -> None:
        for found in self.hosts.values():
            for text in (found.ipv4, found.ipv6):
                if not any(ip_address(text) in net for net in RANGES):
                    raise LabError(f"{found.name}: {text} is in none of the lab's address ranges")

    def _boot(self, state: dict[str, Any], found: apt.Mirrors) -> None:
        network.up()
        cache.start(found)
        if not image.is_current(found):
            self._remove_hosts(cgroup.hosts())
            image.build(found)
        certificates.prepare()
        if self.environment.vault:
            secrets.make(self.environment.secrets_folder)
        keys.prepare({name: (item.ipv4, item.ipv6) for name, item in self.hosts.items()})
        wanted, known = self._wanted(), state.get("hosts", {})
        self._remove_hosts([name for name in mounts.known() if known.get(name) != wanted.get(name)])
        net1_is_new = NET1 not in mounts.known()
        state = {
            "checkout": str(CHECKOUT),
            "inventory": self.environment.name,
            "mirrors": asdict(found),
            "hosts": wanted,
            "internet": "" if net1_is_new else state.get("internet", ""),
        }
        # known before it is booted: an interrupted boot goes on where it stopped
        write(_STATE, json.dumps(state))
        self._boot_hosts([name for name in self.hosts if not cgroup.alive(name)])
        digest = internet.digest(self.environment)
        if state["internet"] != digest:
            internet.configure(self.environment)
        self._hand_out([*self.hosts])
        write(_STATE, json.dumps({**state, "internet": digest}))

    def _hand_out(self, names: Sequence[str]) -> None:
        """To edges what they check DNSSEC with (inventories name the place as dns_root), to the
        vault its key for the second place."""
        for edge in self.environment.having("edge"):
            if edge.name in names:
                place = mounts.root(edge.name) / certificates.DIRECTORY
                write(place / "root.key", internet.anchor())
                write(place / "root.hints", internet.hints())
        if self.environment.vault and self.environment.vault.name in names:
            second_place.place(self.environment.vault.name)

    def _boot_hosts(self, names: Sequence[str]) -> None:
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(self._boot_one, names))

    def _boot_one(self, name: str) -> None:
        begin = time.monotonic()
        say(f"booting {name} ...")
        host.start(self.hosts[name])
        host.wait(self.hosts[name])
        say(f"booting {name} ... {time.monotonic() - begin:.1f} s")

    def _remove_hosts(self, names: Sequence[str]) -> None:
        for name in names:
            say(f"removing {name}")
            host.remove(name)

    def _tear_down(self) -> None:
        """Whatever is left of any lab on this machine, of this checkout or another."""
        _STATE.unlink(missing_ok=True)
        for socket in (Path(LAB) / "ssh").glob("*"):
            keys.hang_up(socket.name)
        names = {*cgroup.hosts(), *mounts.known()}
        if names:
            say(f"removing {', '.join(sorted(names))}")
        for name in names:
            host.remove(name)
        cache.stop()
        network.down()
        shutil.rmtree(mounts.HOSTS, ignore_errors=True)


def running(otherwise: str = "staging") -> str:
    """The inventory whose hosts were booted last."""
    return str(_read().get("inventory", otherwise))


@contextmanager
def _locked() -> Iterator[None]:
    """One boot at a time on this machine."""
    Path(LAB).mkdir(mode=0o700, parents=True, exist_ok=True)
    with (Path(LAB) / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another script/staging on this machine ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read() -> dict[str, Any]:
    try:
        return dict(json.loads(_STATE.read_text()))
    except (OSError, ValueError):
        return {}
