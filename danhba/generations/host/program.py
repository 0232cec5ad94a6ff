"""A program of the live generation, run for the control machine."""

from __future__ import annotations

from danhba.generations.host.common import Json, run


def program(request: Json) -> Json:
    """Run request["argv"] with request["stdin"]: {"status", "out", "err"}, whatever the status."""
    done = run(request["argv"], request["stdin"].encode())
    out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return {"status": done.returncode, "out": out, "err": err}
