"""Where stores come to on an edge. They may say that a message is spam, or none, and nothing else:
rspamd's controller behind it takes many other orders."""

from __future__ import annotations

import http.client
import socket
import socketserver
import ssl
import sys
from collections.abc import Collection
from http.server import BaseHTTPRequestHandler
from typing import Any

MOST = 4 << 20
"""Bytes of a message; stores send no larger ones (templates/learning)."""
_IDLE = 30
"""Seconds."""
_ORDERS = {"/spam": "/learnspam", "/ham": "/learnham"}


class Controller(http.client.HTTPConnection):
    """rspamd's, behind a socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_IDLE - 5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def taught(controller: str, order: str, message: bytes) -> tuple[int, str]:
    """What rspamd says to it: a status of HTTP, 5xx when the message is to come again."""
    line = Controller(controller)
    try:
        line.request("POST", order, message)
        answer = line.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return 503, f"rspamd: {error}"
    finally:
        line.close()


def serve(port: int, tls: ssl.SSLContext, stores: Collection[str], controller: str) -> None:
    """For ever."""

    class Visit(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _IDLE

        def setup(self) -> None:
            # Here, not where connections are taken: who is slow keeps nobody else waiting.
            self.request.settimeout(_IDLE)
            self.request.do_handshake()
            names = {value for _, value in self.request.getpeercert()["subjectAltName"]}
            if not names.intersection(stores):
                raise ssl.SSLError(f"no store: {', '.join(names)}")
            super().setup()

        def do_POST(self) -> None:
            order = _ORDERS.get(self.path)
            length = int(self.headers.get("Content-Length", "0"))
            if not order or not 0 < length <= MOST:
                self.close_connection = True
                self._answer(404 if not order else 413, "")
                return
            self._answer(*taught(controller, order, self.rfile.read(length)))

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """rspamd tells what it has learned."""

    _Server(port, tls, Visit).serve_forever()


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
