"""Swap the staged generation in, make every service take it up, swap back when one does not."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import time
from pathlib import Path

from danhba.generations.host import entries
from danhba.generations.host.common import (
    CONFIRMED,
    CURRENT,
    GENERATIONS,
    KEEP,
    LOADED,
    PREVIOUS,
    Json,
    Refused,
    link,
    live_digest,
    loaded_of,
    manifest_of,
    must,
    owned_links,
    run,
    service_actions,
    unit_states,
    write,
)
from danhba.generations.host.lock import must_hold
from danhba.generations.host.report import generations


def activate(request: Json) -> Json:
    """Make request["digest"] the live generation. Raises Refused after swapping back.

    request: {"token", "digest", "address": own IPv4, "name": own fqdn, "entries": batch or null}.
    """
    must_hold(request["token"])
    digest = request["digest"]
    before = live_digest(CONFIRMED)
    try:
        done = go_live(digest, request)
    except Refused as error:
        if before is None or before == digest:
            raise
        try:
            go_live(before, request)
        except Refused as worse:
            raise Refused(f"{error}\nand going back to {before[:12]}: {worse}") from None
        raise Refused(f"{error}\nthe host is back on generation {before[:12]}") from None
    _confirm(digest, before)
    if request.get("entries"):
        entries.load(request["entries"])
    _forget_old(digest, before)
    return {"live": digest, "done": done}


def go_live(digest: str, request: Json) -> list[str]:
    """Swap, then reload exactly what is due, then see that it answers. Raises Refused."""
    manifest = manifest_of(digest)
    if manifest is None:
        raise Refused(f"there is no generation {digest[:12]} on this host")
    _swap(digest, manifest)
    done = _follow(manifest)
    for service in manifest["services"]:
        for probe in service["answers"]:
            address = probe["address"] or request["address"]
            _answers(service["unit"], probe, address, request["name"])
    for service in manifest["services"]:
        _write_loaded(service)
    return done


def _swap(digest: str, manifest: Json) -> None:
    """`current` first, then links that are new, then those that nobody wants any more."""
    last = live_digest()
    old = owned_links(manifest_of(last) or {"files": {}, "tables": [], "links": {}})
    wanted = owned_links(manifest)
    if last != digest:
        link(CURRENT, f"generations/{digest}")
    for path, target in wanted.items():
        if not os.path.islink(path) or os.readlink(path) != target:
            if Path(path).is_dir() and not os.path.islink(path):
                raise Refused(f"{path} is a directory on this host; danhba wants a file there")
            link(Path(path), target)
    for path in old.keys() - wanted.keys():
        if os.path.islink(path) and os.readlink(path) == old[path]:
            os.unlink(path)


def _confirm(digest: str, before: str | None) -> None:
    if before != digest:
        if before:
            link(PREVIOUS, f"generations/{before}")
        link(CONFIRMED, f"generations/{digest}")


def _follow(manifest: Json) -> list[str]:
    """What systemd declares, then the services that are due."""
    paths = list(manifest["files"])
    for folder, argv in (("sysusers", "systemd-sysusers"), ("tmpfiles", "systemd-tmpfiles")):
        own = [path for path in paths if path.startswith(f"/etc/{folder}.d/")]
        if own:
            must([argv, *(["--create"] if folder == "tmpfiles" else []), *own])
    must(["systemctl", "daemon-reload"])
    units = [service["unit"] for service in manifest["services"]]
    due = service_actions(
        manifest["services"], unit_states(units), {unit: loaded_of(unit) for unit in units}
    )
    by_unit = {service["unit"]: service for service in manifest["services"]}
    for unit, action in due:
        if action in ("reload", "restart", "start"):
            # Until it has taken the new files up and answers, it counts as not having loaded them.
            (LOADED / unit).unlink(missing_ok=True)
        _act(by_unit[unit], action)
    return [f"{action} {unit}" for unit, action in due]


def _act(service: Json, action: str) -> None:
    unit = service["unit"]
    if action == "start":
        must(["systemctl", "enable", unit])
    argv = ["systemctl", action, unit]
    run(["systemctl", "reset-failed", unit])
    done = run(argv)
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        journal = run(["journalctl", "-u", unit, "-n", "8", "--no-pager", "-o", "cat"]).stdout
        raise Refused(f"{' '.join(argv)}: {said}\n{journal.decode(errors='replace')}")


def _answers(unit: str, probe: Json, address: str, name: str) -> None:
    """Wait until the port greets as it should; the limit is the probe's. Raises Refused."""
    deadline, last = time.monotonic() + probe["timeout"], ""
    while time.monotonic() < deadline:
        try:
            greeting = _greeting(probe, address, name)
        except OSError as error:
            last = str(error)
        else:
            if greeting.startswith(probe["expect"].encode()):
                return
            last = f"greets with {greeting[:60]!r}"
        time.sleep(0.1)
    raise Refused(f"{unit} does not answer on port {probe['port']}: {last}")


def _greeting(probe: Json, address: str, name: str) -> bytes:
    with socket.create_connection((address, probe["port"]), timeout=5) as plain:
        if not probe["tls"]:
            return plain.recv(256) if probe["expect"] else b""
        trusted = ssl.create_default_context()
        if probe["ca"]:
            trusted.load_verify_locations(probe["ca"])
        with trusted.wrap_socket(plain, server_hostname=name) as secure:
            return secure.recv(256) if probe["expect"] else b""


def _write_loaded(service: Json) -> None:
    loaded = {key: service[f"{key}_digest"] for key in ("reload", "restart")}
    if loaded_of(service["unit"]) != loaded:
        write(LOADED / service["unit"], json.dumps(loaded).encode())


def _forget_old(live: str, before: str | None) -> None:
    keep = {live, before, live_digest(PREVIOUS)} | {item["digest"] for item in generations()[:KEEP]}
    for path in GENERATIONS.iterdir():
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
