"""Where hosts fetch the end of the chain and its roots: over TLS, with certificates on both sides.

No content and no address is said here, only numbers and hashes.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import ssl
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from . import roots
from .begun import missing

_IDLE = 30
"""Seconds."""


def answer(root: Path, after: str) -> dict[str, Any]:
    """What memory.Memory.take takes. Raises OSError, ValueError."""
    found = dict(roots.all_of(root / roots.FOLDER, after))
    n, hashed = roots.end(root)
    return {"end": {"n": n, "hash": hashed}, "roots": found}


def serve(config: Mapping[str, Any]) -> None:
    """For ever."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=config["authority"])
    key = f"{os.environ['CREDENTIALS_DIRECTORY']}/host.key"
    context.load_cert_chain(config["certificate"], key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    root, hosts = Path(config["root"]), frozenset(config["hosts"])

    class Visit(BaseHTTPRequestHandler):
        timeout = _IDLE

        def setup(self) -> None:
            # Here, not where connections are taken: who is slow keeps nobody else waiting.
            self.request.settimeout(_IDLE)
            self.request.do_handshake()
            names = {value for _, value in self.request.getpeercert()["subjectAltName"]}
            if not names.intersection(hosts):
                raise ssl.SSLError(f"no host of the province: {', '.join(names)}")
            super().setup()

        def do_GET(self) -> None:
            try:
                if why := missing(config):
                    raise OSError(why)
                status, said = 200, json.dumps(answer(root, self.path.removeprefix("/"))).encode()
            except (OSError, ValueError) as error:
                status, said = 500, str(error).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            """Every host comes every hour."""

    _Server(config["port"], context, Visit).serve_forever()


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, tls: ssl.SSLContext, visit: type[BaseHTTPRequestHandler]) -> None:
        self._tls = tls
        super().__init__(("::", port), visit)

    def get_request(self) -> tuple[socket.socket, Any]:
        plain, address = self.socket.accept()
        wrapped = self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        print(f"{client_address[0]}: {sys.exc_info()[1]}", flush=True)
