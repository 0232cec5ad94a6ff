"""Domains outside that differ in what they say of TLS (RFC 7672, RFC 8461); net1 serves them all.

`-sai` is what an attacker in between would look like: a certificate that is not the promised one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from staging.config import NET1_IPV4, NET1_IPV6, OUTSIDE

DANE, DANE_WRONG = f"dane.{OUTSIDE}", f"dane-sai.{OUTSIDE}"
STS, STS_WRONG = f"sts.{OUTSIDE}", f"sts-sai.{OUTSIDE}"
DANE_OVER_STS = f"dane-sai-sts.{OUTSIDE}"
"""A wrong certificate for DANE that is good enough for MTA-STS: the first counts (RFC 8461 2)."""
PLAIN = f"tudo.{OUTSIDE}"
"""Says nothing, and has a certificate for another name."""

ALL = (DANE, DANE_WRONG, STS, STS_WRONG, DANE_OVER_STS, PLAIN)
_STS = (STS, STS_WRONG, DANE_OVER_STS)
NAMES = (f"mx.{STS}", f"mx.{DANE_OVER_STS}", *(f"mta-sts.{domain}" for domain in _STS))
"""What net1's certificate holds for: not for mx.sts-sai."""
_TLSA = {DANE: "KEY", DANE_WRONG: "0" * 64, DANE_OVER_STS: "0" * 64}


def records() -> str:
    """For the outside zone. KEY: what `placed` puts there."""
    text = ""
    for domain in ALL:
        text += f"{domain}. IN MX 10 mx.{domain}.\n"
        hosts = (f"mx.{domain}", *([f"mta-sts.{domain}"] if domain in _STS else []))
        for host in hosts:
            text += f"{host}. IN A {NET1_IPV4}\n{host}. IN AAAA {NET1_IPV6}\n"
    for domain in _STS:
        text += f'_mta-sts.{domain}. IN TXT "v=STSv1; id=1"\n'
    for domain, digest in _TLSA.items():
        text += f"_25._tcp.mx.{domain}. IN TLSA 3 1 1 {digest}\n"
    return text


def placed(text: str, certificate: Path) -> str:
    """With the digest of net1's own key."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    found = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return text.replace("TLSA 3 1 1 KEY", f"TLSA 3 1 1 {found.hexdigest()}")


SERVER = """\
import http.server, ssl

class Policies(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        domain = self.headers["Host"].removeprefix("mta-sts.")
        policy = f"version: STSv1\\nmode: enforce\\nmx: mx.{domain}\\nmax_age: 86400\\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(policy)))
        self.end_headers()
        self.wfile.write(policy)

server = http.server.ThreadingHTTPServer(("0.0.0.0", 443), Policies)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/etc/ssl/danhba/host.pem", "/etc/ssl/danhba/host.key")
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
"""
"""At https://mta-sts.DOMAIN/.well-known/mta-sts.txt (RFC 8461 3.3)."""
UNIT = """\
[Service]
ExecStart=/usr/bin/python3 /srv/policies.py
Restart=always
[Install]
WantedBy=multi-user.target
"""
