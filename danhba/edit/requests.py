"""The letters with which agencies ask (Điều 6.1), as entries of the directory."""

from __future__ import annotations

from danhba.edit.draft import Draft, EditError
from danhba.fmt import request_order, word
from danhba.model import Request


def add_request(draft: Draft, request: Request) -> None:
    """One request more, where it belongs. Raises EditError."""
    if any(request.number == each.number for each in draft.directory.requests):
        raise EditError(f"request {request.number} is there already")
    digest = f", sha256: {word(request.sha256)}" if request.sha256 else ""
    row = (
        f"  {word(request.number)}: {{agency: {word(request.agency)}, date: {request.date}, "
        f"signer: {word(request.signer)}{digest}}}\n"
    )
    there = {_order(each): each.line for each in draft.directory.requests}
    draft.put("requests", row, _order(request), there)


def _order(request: Request) -> str:
    return request_order(request.agency, request.number)
