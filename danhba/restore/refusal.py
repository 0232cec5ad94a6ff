"""What ends a restore."""

from __future__ import annotations


class Refused(Exception):
    """It cannot be done; the message is for the engineer."""
