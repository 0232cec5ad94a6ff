"""Swap the staged generation in, make every service take it up, swap back when one does not."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import time
from pathlib import Path

from danhba.generations.host import states, units
from danhba.generations.host.common import (
    BEGUN,
    CONFIRMED,
    CURRENT,
    GENERATIONS,
    KEEP,
    LOADED,
    PREVIOUS,
    SWAPPED,
    WAYS,
    Json,
    Refused,
    forget,
    link,
    links_left,
    live_digest,
    loaded,
    manifest_of,
    must,
    owned_links,
    run,
    service_actions,
    unit_states,
    write,
)
from danhba.generations.host.lock import lock_holder, must_hold
from danhba.generations.host.record import after, noted
from danhba.generations.host.report import damage, generations


def activate(request: Json) -> Json:
    """Make request["digest"] the live generation. Raises Refused after swapping back.

    request: {"token", "digest", "address": own IPv4, "name": own fqdn}.
    """
    must_hold(request["token"])
    digest = request["digest"]
    if edited := damage(digest):
        raise Refused(f"generation {digest[:12]} was edited on this host: {', '.join(edited)}")
    before = live_digest(CONFIRMED)
    write(BEGUN, json.dumps({**(lock_holder() or {}), "to": digest}).encode())
    told = GENERATIONS / digest / "revision"
    revision = told.read_text().strip() if told.exists() else ""
    facts = {"token": request["token"], "from": before or "", "to": digest, "revision": revision}
    with noted("swap", **facts):
        try:
            done = go_live(digest, request)
        except (Refused, OSError) as error:
            if before is None or before == digest:
                raise Refused(str(error)) from None
            raise Refused(f"{error}\n{_go_back(before, request)}") from None
    after("live", token=request["token"], to=digest, revision=revision)
    _confirm(digest, before)
    _forget_old(digest, before)
    return {"live": digest, "done": done}


def _go_back(before: str, request: Json) -> str:
    """After a swap that failed; says how it went."""
    try:
        go_live(before, request)
    except (Refused, OSError) as worse:
        return f"and going back to {before[:12]}: {worse}"
    edited = damage(before)
    aside = f" (edited meanwhile: {', '.join(edited)})" if edited else ""
    return f"the host is back on generation {before[:12]}{aside}"


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
    notes = loaded()
    for service in manifest["services"]:
        _write_loaded(service, notes)
    states.note(manifest)
    return done


def _swap(digest: str, manifest: Json) -> None:
    """`current` first, then links that are new, then those that nobody wants any more."""
    last = manifest_of(live_digest()) or {"files": {}, "tables": [], "links": {}, "services": []}
    confirmed, wanted = manifest_of(live_digest(CONFIRMED)), owned_links(manifest)
    if live_digest() != digest:
        _forget_what_changes(last, manifest)
        units.changing(last, manifest)
        link(CURRENT, f"generations/{digest}")
    for path, target in wanted.items():
        if not os.path.islink(path) or os.readlink(path) != target:
            link(Path(path), target)
    for old in (last, confirmed):  # a swap that was cut off has left links of both
        for path in links_left(old, manifest) if old else ():
            os.unlink(path)


def _forget_what_changes(last: Json, manifest: Json) -> None:
    """From the swap on nobody knows what a service has loaded: it may start anew at any time."""
    before = {service["unit"]: service for service in last["services"]}
    for service in manifest["services"]:
        unit, digests = service["unit"], [f"{way}_digest" for way in WAYS]
        was = before.get(unit, {})
        changed = [name for name in digests if was.get(name) != service[name]]
        forget(unit, [name.removesuffix("_digest") for name in changed])


def _confirm(digest: str, before: str | None) -> None:
    if before != digest:
        if before:
            link(PREVIOUS, f"generations/{before}")
        write(SWAPPED, json.dumps(lock_holder()).encode())
        link(CONFIRMED, f"generations/{digest}")


def _follow(manifest: Json) -> list[str]:
    """What systemd declares, then the services that are due."""
    paths = list(manifest["files"])
    for folder, argv in (("sysusers", "systemd-sysusers"), ("tmpfiles", "systemd-tmpfiles")):
        own = [path for path in paths if path.startswith(f"/etc/{folder}.d/")]
        if own:
            must([argv, *(["--create"] if folder == "tmpfiles" else []), *own])
    units.read(manifest)
    names = [service["unit"] for service in manifest["services"]]
    due = service_actions(manifest["services"], unit_states(names), loaded())
    for unit, action in due:
        _stop(unit) if action == "stop" else _act(unit, action)
    return [f"{action} {unit}" for unit, action in due]


def _stop(unit: str) -> None:
    """A service of a role that the host has no more; its unit file may be gone already."""
    run(["systemctl", "disable", unit])
    run(["systemctl", "stop", unit])
    if unit_states([unit])[unit]["active"]:
        raise Refused(f"{unit} does not stop")
    (LOADED / unit).unlink(missing_ok=True)


def _act(unit: str, action: str) -> None:
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
            last = _conversation(probe, address, name)
        except OSError as error:
            last = str(error)
        if not last:
            return
        time.sleep(0.1)
    raise Refused(f"{unit} does not answer on port {probe['port']}: {last}")


def _conversation(probe: Json, address: str, name: str) -> str:
    """What was not as expected, "" when all was."""
    with socket.create_connection((address, probe["port"]), timeout=5) as plain:
        if not probe["tls"]:
            return _talk(plain, probe)
        trusted = ssl.create_default_context()
        if probe["ca"]:
            trusted.load_verify_locations(probe["ca"])
        with trusted.wrap_socket(plain, server_hostname=name) as secure:
            return _talk(secure, probe)


def _talk(connection: socket.socket, probe: Json) -> str:
    turns = [("", probe["expect"])] if probe["expect"] else []
    for line, expected in [*turns, *probe["talk"]]:
        if line:
            connection.sendall(f"{line}\r\n".encode())
        said = connection.recv(1024)
        if not said.startswith(expected.encode()):
            return f"answers {line or 'a connection'} with {said[:60]!r}"
    return ""


def _write_loaded(service: Json, notes: dict[str, Json]) -> None:
    note = {way: service[f"{way}_digest"] for way in WAYS}
    if notes.get(service["unit"]) != note:
        write(LOADED / service["unit"], json.dumps(note).encode())


def _forget_old(live: str, before: str | None) -> None:
    keep = {live, before, live_digest(PREVIOUS)} | {item["digest"] for item in generations()[:KEEP]}
    for path in GENERATIONS.iterdir():
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
