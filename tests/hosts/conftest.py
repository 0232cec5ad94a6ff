"""Which servers are looked at, and what they should be.

`danhba verify ENV` names the inventory and the directory in the environment; nothing but SSH is
used then. Without them these tests look at the staging lab that the other tests use.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import testinfra
from seen import Server, Wanted

from danhba import secrets
from danhba.check import check_file
from danhba.compile import compile_directory
from danhba.inventory import Environment, Host
from danhba.project import ROOT, Project
from deploys.firewall import PUBLIC, openings

ASKED = os.environ.get("DANHBA_ENVIRONMENT")
"""The inventory that `danhba verify` was asked about."""
_OWN_TIMER = re.compile(r"danhba-.*\.timer")


@cache
def environment() -> Environment:
    found = Project().environment(ASKED or "staging")
    if not ASKED:
        secrets.make(found.secrets_folder)  # cases are made from generations, before the lab boots
    return found


@cache
def manifests(directory: Path) -> Mapping[str, Mapping[str, Any]]:
    found = Project(directory).generations(environment())
    return {name: generation.manifest for name, generation in found.items()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case for each server of the module's ROLE, and for each of the things named below."""
    if "server" not in metafunc.fixturenames:
        return
    role = getattr(metafunc.module, "ROLE", None)
    hosts = environment().having(role) if role else environment().hosts
    many: dict[str, Callable[[str], list[str]]] = {
        "unit": lambda name: [row["unit"] for row in manifests(_directory())[name]["services"]],
        "timer": lambda name: [unit for unit in many["unit"](name) if _OWN_TIMER.fullmatch(unit)],
        "path": lambda name: list(manifests(_directory())[name]["files"]),
        "link": lambda name: list(manifests(_directory())[name]["links"]),
    }
    for thing, of in many.items():
        if thing in metafunc.fixturenames:
            rows = [(host.name, item) for host in hosts for item in of(host.name)]
            ids = [" ".join(row) for row in rows]
            metafunc.parametrize(("server", thing), rows, indirect=["server"], ids=ids)
            return
    metafunc.parametrize("server", [host.name for host in hosts], indirect=True)


def _directory() -> Path:
    return Path(os.environ.get("DANHBA_DIRECTORY", ROOT / "directory.yaml"))


@pytest.fixture(scope="session")
def wanted(request: pytest.FixtureRequest) -> Wanted:
    directory = _directory()
    if not ASKED:
        province = request.getfixturevalue("province")
        province.apply()  # whatever the tests before have left
        directory = province.directory
    model, findings = check_file(directory)
    assert model is not None, findings
    return Wanted(environment(), compile_directory(model), manifests(directory))


@pytest.fixture(scope="session")
def servers(wanted: Wanted) -> Iterator[Mapping[str, Server]]:
    """All servers, over one SSH connection each; an unknown host key is an error."""
    place = Path(tempfile.mkdtemp(prefix="danhba-verify."))
    config = place / "ssh_config"
    config.write_text("".join(_ssh_config(host.name, host.data, place) for host in _hosts()))
    shells = {
        host.name: testinfra.get_host(f"ssh://{host.name}", ssh_config=str(config))
        for host in _hosts()
    }
    yield {host.name: Server(host, shells[host.name], wanted) for host in _hosts()}
    for name in shells:
        argv = ["ssh", "-F", str(config), "-O", "exit", name]
        subprocess.run(argv, capture_output=True, check=False)
    shutil.rmtree(place)


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: Mapping[str, Server]) -> Server:
    return servers[request.param]


@pytest.fixture
def in_the_lab() -> bool:
    """May something be started that keeps a server busy for a while?"""
    return not ASKED


@pytest.fixture
def public(server: Server) -> set[int]:
    """Ports that everybody may reach on this server."""
    return {22}.union(*(PUBLIC.get(role, ()) for role in server.facts.roles))


@pytest.fixture
def internal(server: Server) -> list[tuple[tuple[Host, ...], tuple[int, ...]]]:
    """Ports that only certain other servers may reach on this one."""
    return openings(server.wanted.environment, server.facts)


def _hosts() -> tuple[Any, ...]:
    return environment().hosts


def _ssh_config(name: str, data: Mapping[str, Any], place: Path) -> str:
    """The inventory's words for pyinfra in ssh's own; nothing of the engineer's configuration."""
    given = {
        "HostName": data.get("ssh_hostname"),
        "Port": data.get("ssh_port"),
        "User": data.get("ssh_user"),
        "IdentityFile": data.get("ssh_key"),
        "IdentitiesOnly": "yes" if data.get("ssh_key") else None,
        "UserKnownHostsFile": data.get("ssh_known_hosts_file"),
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
        "ControlMaster": "auto",
        "ControlPersist": "60",
        "ControlPath": place / "%C",
    }
    rows = [f'  {key} "{value}"\n' for key, value in given.items() if value is not None]
    return f'Host "{name}"\n' + "".join(rows)
