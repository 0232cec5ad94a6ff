"""The text of a PDF file, by Debian's pdftotext."""

from __future__ import annotations

import os
import subprocess

from .documents import Unread

SECONDS = 8
"""Of a clock; processor and memory are limited like those of the reader that starts it."""
_MOST = 8 << 20
"""Bytes of text."""


def is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024]


def text_of(data: bytes) -> str:
    """Raises Unread, with the text so far as its second argument."""
    with open(os.memfd_create("text"), "w+b") as out:
        why = _run(data, out.fileno())
        out.seek(0)
        text = out.read(_MOST).decode("utf-8", "replace")
    if why:
        raise Unread(why, text)
    return text


def _run(data: bytes, out: int) -> str:
    """Why it was not read to its end, "" when it was."""
    argv = ["pdftotext", "-q", "-enc", "UTF-8", "-nopgbrk", "-", "-"]
    try:
        done = subprocess.run(
            argv, input=data, stdout=out, stderr=subprocess.DEVNULL, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "a PDF file that takes too long"
    return f"an encrypted or broken PDF file ({done.returncode})" if done.returncode else ""
