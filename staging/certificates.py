"""The lab's certificate authority and a certificate for each host."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from staging.config import CA_FILE
from staging.shell import run, write

_KEY = Path(CA_FILE).with_name("ca.key")
_CURVE = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]

DIRECTORY = "etc/ssl/danhba"


def prepare() -> None:
    """Make the authority, once per machine."""
    if Path(CA_FILE).exists() and _KEY.exists():
        return
    _key(_KEY)
    request = ["openssl", "req", "-x509", "-new", "-key", str(_KEY), "-days", "3650"]
    subject = ["-subj", "/O=danhba lab/CN=danhba lab authority"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    run([*request, *subject, *usage, "-out", CA_FILE])


def place(root: Path, fqdn: str, names: Sequence[str], addresses: Sequence[str]) -> None:
    """A key that never leaves the host, its certificate, and trust in the lab's authority."""
    home = root / DIRECTORY
    home.mkdir(parents=True, exist_ok=True)
    _key(home / "host.key")
    sans = [f"DNS:{name}" for name in dict.fromkeys((fqdn, *names))]
    sans += [f"IP:{address}" for address in addresses]
    authority = Path(CA_FILE).read_text()
    write(home / "host.pem", _sign(home / "host.key", fqdn, sans) + authority)
    write(home / "ca.pem", authority)
    write(root / "usr/local/share/ca-certificates/danhba-lab.crt", authority)
    run(["chroot", str(root), "update-ca-certificates"])
    run(["chroot", str(root), "chgrp", "ssl-cert", f"/{DIRECTORY}/host.key"])
    (home / "host.key").chmod(0o640)


def _sign(key: Path, fqdn: str, sans: Sequence[str]) -> str:
    extensions = (
        f"subjectAltName={','.join(sans)}\nbasicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
    )
    with tempfile.TemporaryDirectory() as place:
        request, extra = Path(place) / "request", Path(place) / "extensions"
        extra.write_text(extensions)
        new = ["openssl", "req", "-new", "-key", str(key), "-subj", f"/CN={fqdn}"]
        run([*new, "-out", str(request)])
        sign = ["openssl", "x509", "-req", "-in", str(request), "-CA", CA_FILE, "-CAkey", str(_KEY)]
        serial = f"0x{secrets.token_hex(15)}"
        return run([*sign, "-set_serial", serial, "-days", "820", "-extfile", str(extra)]).stdout


def _key(path: Path) -> None:
    write(path, "", 0o600)
    run(["openssl", "genpkey", *_CURVE, "-out", str(path)])
