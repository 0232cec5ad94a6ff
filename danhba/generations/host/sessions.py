"""Sessions of accounts end at once, by the programs that end them after an apply."""

from __future__ import annotations

from danhba.generations.host.common import Json, Refused, must


def kick(request: Json) -> Json:
    """Run request["programs"] for request["accounts"]. Raises Refused with their words."""
    for program in request["programs"]:
        try:
            must([program, *request["accounts"]])
        except FileNotFoundError:
            raise Refused(f"{program} is not there: apply first") from None
    return {"ended": request["accounts"]}
