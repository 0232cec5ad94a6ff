"""Hosts know each other by their certificates; who is no store teaches nothing."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Any


def towards_edges(config: Mapping[str, Any]) -> ssl.SSLContext:
    """Of a store: the edge must be the one that is meant."""
    return _context(ssl.Purpose.SERVER_AUTH, config)


def towards_stores(config: Mapping[str, Any]) -> ssl.SSLContext:
    """Of an edge: whoever comes must show a certificate of the province."""
    return _context(ssl.Purpose.CLIENT_AUTH, config)


def _context(purpose: ssl.Purpose, config: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(purpose, cafile=config["authority"])
    key = f"{os.environ['CREDENTIALS_DIRECTORY']}/host.key"
    context.load_cert_chain(config["certificate"], key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
