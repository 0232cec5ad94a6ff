"""What the command line shows as a message, not as a traceback."""

from __future__ import annotations


class DanhbaError(Exception):
    """Something that an engineer can mend; the message says what."""
