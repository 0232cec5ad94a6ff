"""clamd on edges: tells rspamd whether a message carries a virus or a file of a dangerous type."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import CLAMD_SOCKET, SCAN_SECONDS, SIGNATURES
from deploys.postfix_edge import size_filtered

UNIT = "clamav-daemon.service"
_CONFIG = "/etc/danhba/clamd.conf"
MAX_SCAN_SECONDS = SCAN_SECONDS - 5
"""After which clamd says that a message takes too long, before rspamd takes it for hung."""
_MB = 1024 * 1024
_LIMITS = {
    "threads": 10,
    "queue": 60,
    "depth": 10,
    "files": 5000,
    "file_bytes": 100 * _MB,
    "scan_bytes": 400 * _MB,
}
_PROGRAMS = (
    "ade adp apk app appinstaller application appref-ms appx appxbundle bat chm cmd com cpl diagcab"
    " dll exe gadget hta img inf ins iso isp jar js jse lib library-ms lnk mde msc msi msix"
    " msixbundle msp mst nsh one pif ps1 ps1xml psm1 pyw reg scf scr sct searchconnector-ms"
    " settingcontent-ms shb sys url vb vbe vbs vhd vhdx vxd website ws wsc wsf wsh xbap xll"
)
"""Endings of what Windows runs, mounts or opens without a word at a double click."""
PACKED = "bz2 gz lz lzma xz z zst"
"""Endings of packed files that have no names in them: the one before counts."""
_MACROS = "docm dotm xlsm xltm xlam pptm potm ppsm ppam sldm"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{UNIT}"
    config = render(
        "clamav/clamd.conf",
        socket=CLAMD_SOCKET,
        folder=SIGNATURES,
        scan_seconds=SCAN_SECONDS,
        max_scan_seconds=MAX_SCAN_SECONDS,
        stream_bytes=size_filtered(directory.message_mb) + 1024,
        macros_refused=directory.macros_refused,
        **_LIMITS,
    )
    unit = render("clamav/unit.service", config=_CONFIG, socket=CLAMD_SOCKET, needed=_needed(host))
    return Part(
        name="clamav",
        packages=("clamav-daemon",),
        files=(
            File(_CONFIG, config, effect="restart"),
            File(path, unit, effect="restart"),
            File(f"{SIGNATURES}/danhba.cdb", types(directory.macros_refused), effect="reload"),
            File(f"{SIGNATURES}/danhba.ldb", programs(), effect="reload"),
            *_of_the_lab(host),
        ),
        links={
            # Debian's would open the socket without anybody behind it.
            "/etc/systemd/system/clamav-daemon.socket": "/dev/null",
            # `systemctl enable` would follow the link into the generation of today.
            f"/etc/systemd/system/multi-user.target.wants/{UNIT}": path,
        },
        services=(Service(UNIT),),
    )


def types(macros_refused: bool) -> bytes:
    """Signatures of ClamAV for names of files, as attachments or packed however deep."""
    names = {"Program": _ending(_PROGRAMS)}
    if macros_refused:
        names["Macro"] = rf"(?i)({_ending(_MACROS)[4:]}|vbaProject\.bin$)"
    rows = (f"Danhba.{name}:*:*:{pattern}:*:*:*:*:*:*\n" for name, pattern in names.items())
    return "".join(rows).encode()


def programs() -> bytes:
    """A signature of ClamAV for programs of Windows, whatever they are called: the header of DOS,
    whose last number, where that of Windows begins, is below 16 MB. Text has no such NUL."""
    return f"Danhba.Program;Engine:81-255,Target:0;0;0:4d5a{'??' * 61}00\n".encode()


def endings(macros_refused: bool) -> list[str]:
    """Of names of files that are refused."""
    return f"{_PROGRAMS} {_MACROS if macros_refused else ''}".split()


def _ending(names: str) -> str:
    """Windows ignores dots and blanks at the end of a name."""
    packed = "|".join(PACKED.split())
    return rf"(?i)\.({'|'.join(names.split())})[. ]*(\.({packed}))?[. ]*$"


def _needed(host: Host) -> tuple[str, ...]:
    """Without any of these clamd finds nothing, and does not start."""
    names = ("lab.*",) if host.signatures == "lab" else ("main.*", "daily.*")
    return tuple(f"{SIGNATURES}/{name}" for name in names)


def _of_the_lab(host: Host) -> tuple[File, ...]:
    """The lab reaches no mirror: EICAR's test file is the one virus it knows."""
    if host.signatures != "lab":
        return ()
    return (File(f"{SIGNATURES}/lab.ndb", render("clamav/lab.ndb"), effect="reload"),)
