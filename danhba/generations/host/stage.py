"""Bring a generation to the host and try it there, while the live one goes on untouched."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from danhba.generations.host import entries, units
from danhba.generations.host.common import (
    CONFIRMED,
    CURRENT,
    GENERATIONS,
    ROOT,
    WAYS,
    Json,
    Refused,
    due_again,
    forget,
    link,
    links_left,
    live_digest,
    manifest_of,
    must,
    owned_links,
    run,
    sha256,
    write,
)
from danhba.generations.host.lock import must_hold
from danhba.generations.host.report import drift, file_problem, table_problem

POLICY = Path("/usr/sbin/policy-rc.d")
FORBID = b"#!/bin/sh\n# danhba is installing packages: no service starts meanwhile\nexit 101\n"
SCRATCH = Path("/run/danhba-rehearsal")
COLD = 3
"""Seconds. Of a main.cf that was written within the last two every program of Postfix takes it that
somebody is still writing it, and waits: two seconds for each table that is built, as much for a
check. Files of a generation are whole when they are there, and so get an earlier time."""


def stage(request: Json) -> Json:
    """Packages, files, tables, validation. Raises Refused; nothing is swapped, only mended.

    request: {"token", "live": digest the plan was made from, "digest", "manifest", "revision",
    "blobs": {sha256: content as text}, "people": see entries.ready, None without a tree}. Answers
    {"told": what the engineer should know}.
    """
    must_hold(request["token"])
    if live_digest() != request["live"]:
        raise Refused("the host was changed since the plan was made: run it again")
    manifest, digest = request["manifest"], request["digest"]
    _one_file_system()
    root = GENERATIONS / digest
    live = manifest_of(live_digest())
    drifted = [item["path"] for item in drift(live)] if live else []
    units.altered(drifted)
    again = due_again(live, drifted) if live else {}
    if install(manifest["packages"], manifest["debconf"]) or not live:
        # New libraries under running daemons, or nobody knows what they have read.
        again = {service["unit"]: set(WAYS) for service in manifest["services"]}
    for unit, ways in again.items():
        forget(unit, ways)
    if live_digest() == digest:
        mend(root, request)
    else:
        build(root, request)
    validate(root, manifest)
    people = request["people"]
    if not people:
        return {"told": []}
    return {"told": entries.ready({**people, "tree": f"{root}/files{people['path']}"}, live)}


def _one_file_system() -> None:
    """Links in /etc lead to danhba's own directory, and units and firewall are read before any
    other file system is mounted (systemctl(1), link)."""
    ROOT.mkdir(parents=True, exist_ok=True)
    if os.stat("/etc").st_dev != ROOT.stat().st_dev:
        raise Refused(f"{ROOT} is not on the root file system: at boot, links into it would dangle")


def install(packages: list[str], debconf: list[str]) -> bool:
    """Install what is missing; no daemon starts before its configuration is there."""
    shown = run(["dpkg-query", "-W", "-f=${Package} ${db:Status-Abbrev}\\n", *packages]).stdout
    there = {row.split()[0] for row in shown.decode().splitlines() if row.split()[-1][1] == "i"}
    missing = [name for name in packages if name not in there]
    if POLICY.exists() and POLICY.read_bytes() == FORBID:  # of a run that was killed
        POLICY.unlink()
    if not missing:
        return False
    if debconf:
        must(["debconf-set-selections"], "\n".join(debconf).encode() + b"\n")
    with _no_service_starts():
        must(["dpkg", "--configure", "-a"])  # a run that was killed left some half way
        must(["apt-get", "-q", "update"])
        must([
            "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qy", "install",
            "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold",
            "-o", "DPkg::Lock::Timeout=300", *missing,
        ])  # fmt: skip
    return True


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """policy-rc.d of Debian: 101 forbids starting services while packages are installed.

    An administrator's own policy stays: then he decides.
    """
    if POLICY.exists():
        yield
        return
    write(POLICY, FORBID, 0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def build(root: Path, request: Json) -> None:
    """Make the directory of a generation; it gets its name only when it is whole."""
    manifest = request["manifest"]
    if (root / "manifest.json").exists():
        mend(root, request)
        return
    partial = root.with_name(f".{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "files").mkdir(parents=True)
    _make_accounts(manifest, request["blobs"])
    for path in manifest["files"]:
        _place(partial, path, request, sync=False)  # all at once, below
    for table in manifest["tables"]:
        build_table(partial, table)
    write(partial / "revision", request["revision"].encode() + b"\n")
    write(partial / "manifest.json", _written(manifest))
    os.sync()
    os.rename(partial, root)


def _written(manifest: Json) -> bytes:
    """The bytes whose digest names the generation."""
    return json.dumps(manifest, sort_keys=True).encode()


def mend(root: Path, request: Json) -> None:
    """Put back the files of a generation that somebody edited."""
    manifest = request["manifest"]
    if manifest_of(root.name) is None:
        write(root / "manifest.json", _written(manifest))
    bad = [
        path
        for path, wanted in manifest["files"].items()
        if file_problem(Path(f"{root}/files{path}"), wanted)
    ]
    for table in set(manifest["tables"]) & set(bad):
        Path(f"{root}/files{table}.cdb").unlink(missing_ok=True)  # it may hold the edit
    for path in bad:
        _place(root, path, request)
    for table in manifest["tables"]:
        if table_problem(root, table):
            build_table(root, table)


def _place(root: Path, path: str, request: Json, sync: bool = True) -> None:
    wanted = request["manifest"]["files"][path]
    content = _content(wanted["sha256"], path, request["blobs"])
    target = Path(f"{root}/files{path}")
    # Closed to all until it has its owner: a secret is never readable in between.
    write(target, content, 0o600, sync)
    shutil.chown(target, wanted["owner"], wanted["group"])
    os.chmod(target, int(wanted["mode"], 8))
    _cool(target)
    if wanted["sha256"] not in request["blobs"]:
        _as_old(target, path)


def _cool(path: Path) -> None:
    then = time.time() - COLD
    os.utime(path, (then, then))


def _as_old(target: Path, path: str) -> None:
    """What is as before has its time too: systemd takes a younger unit file for another one."""
    with contextlib.suppress(OSError):
        facts = os.stat(f"{CURRENT}/files{path}")
        os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _content(digest: str, path: str, blobs: dict[str, str]) -> bytes:
    """From the upload, or from the live generation when it has the same file."""
    if digest in blobs:
        content = blobs[digest].encode(errors="surrogateescape")
    else:
        try:
            content = Path(f"{CURRENT}/files{path}").read_bytes()
        except OSError:
            raise Refused(f"{path}: its content did not arrive; run the apply again") from None
    if sha256(content) != digest:
        raise Refused(f"{path}: its content changed since the plan; run the apply again")
    return content


def _make_accounts(manifest: Json, blobs: dict[str, str]) -> None:
    """System accounts that own files must exist before the files do."""
    texts = [
        _content(wanted["sha256"], path, blobs)
        for path, wanted in manifest["files"].items()
        if path.startswith("/etc/sysusers.d/")
    ]
    if texts:
        must(["systemd-sysusers", "-"], b"\n".join(texts))


def build_table(root: Path, table: str) -> None:
    """postmap under an empty configuration: a broken live main.cf must not stop its own repair."""
    with tempfile.TemporaryDirectory(prefix="danhba-postmap.", dir="/run") as empty:
        main = Path(empty) / "main.cf"
        main.write_text("compatibility_level = 3.10\n")
        _cool(main)
        must(["postmap", "-c", empty, f"cdb:{root}/files{table}"])
    built = Path(f"{root}/files{table}.cdb").read_bytes()
    write(root / f"{Path(table).name}.sha256", sha256(built).encode())


def validate(root: Path, manifest: Json) -> None:
    """Dress rehearsal: in a mount namespace of its own the staged generation is already live.

    The daemons' own checkers thus see every file at its real path. What is written below /etc and
    danhba's own directory goes to a tmpfs that vanishes with the process. Raises Refused with what
    the checker said.
    """
    if not manifest["validate"]:
        return
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _rehearse(root, manifest, writer)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        SCRATCH.rmdir()
    if status or said:
        raise Refused(said or "the rehearsal of the staged generation ended unexpectedly")


def _rehearse(root: Path, manifest: Json, writer: int) -> None:
    said = ""
    try:
        _private_view(SCRATCH)
        old = [manifest_of(live_digest(which)) for which in (CURRENT, CONFIRMED)]
        link(CURRENT, f"generations/{root.name}")
        for path, target in owned_links(manifest).items():
            link(Path(path), target)
        # A checker that reads whole directories would stumble over a link to what is gone.
        for path in {path for each in old if each for path in links_left(each, manifest)}:
            if path.startswith("/etc/"):  # elsewhere it is no view, but the host
                os.unlink(path)
        for argv in manifest["validate"]:
            done = run(argv)
            if done.returncode:
                words = (done.stdout + done.stderr).decode(errors="replace").strip()
                said += f"{' '.join(argv)}: {words or f'exit status {done.returncode}'}\n"
    except BaseException as error:
        said = said or f"rehearsal: {error or type(error).__name__}"
    os.write(writer, said[:60000].encode())
    os._exit(0)


def _private_view(scratch: Path) -> None:
    """Overlays over /etc and danhba's own directory, seen by this process and its children."""
    os.unshare(os.CLONE_NEWNS)  # type: ignore[attr-defined, unused-ignore]  # Python 3.12
    _mount("none", "/", "", 0x4000 | 0x40000)  # MS_REC | MS_PRIVATE
    scratch.mkdir(exist_ok=True)
    _mount("tmpfs", str(scratch), "tmpfs", 0, "mode=0700")
    for lower in (Path("/etc"), ROOT):
        upper, work = scratch / f"{lower.name}.upper", scratch / f"{lower.name}.work"
        upper.mkdir()
        work.mkdir()
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        _mount("overlay", str(lower), "overlay", 0, options)


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (source.encode(), target.encode(), kind.encode(), flags, options.encode())
    if libc.mount(*arguments):
        raise OSError(ctypes.get_errno(), f"mount {kind} on {target}")
