"""The pyinfra operations that carry a plan out. Each is one remote command, none without need."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation

from danhba.generations import remote
from danhba.generations.generation import Generation
from danhba.generations.plan import Plan
from danhba.owner import me

Commands = Generator[StringCommand, None, None]


def _step(step: str, request: Mapping[str, Any]) -> StringCommand:
    return StringCommand(remote.COMMAND, _stdin=remote.stdin(step, request))


@operation()
def lock(plan: Plan, owner: Mapping[str, str], instead_of: str | None, here: bool) -> Commands:
    """Take the host's lock for this run, over from the token `instead_of` when asked to."""
    if plan.changes and here:
        yield _step("lock", {"owner": owner, "instead_of": instead_of})


@operation()
def stage(
    plan: Plan,
    generation: Generation,
    live: Mapping[str, Any] | None,
    token: str,
    people: Mapping[str, Any] | None,
) -> Commands:
    """Install packages, upload what the host lacks, validate, ask LDAP whether it can take the
    changes. The live generation goes on. people: of danhba.generations.plan.batch."""
    if plan.changes:
        request = {
            "token": token,
            "live": plan.live,
            "digest": generation.digest,
            "manifest": generation.manifest,
            "revision": generation.revision,
            "blobs": _missing(plan, generation, live),
            "people": people and _asked(people),
        }
        yield _step("stage", request)


def _asked(people: Mapping[str, Any]) -> dict[str, Any]:
    """Of a batch which entries it changes; how they will be says the tree file that comes along."""
    changes = people["changes"]
    touched = changes and [change["dn"] for change in changes]
    return {**people, "changes": None, "touched": touched}


def _missing(plan: Plan, generation: Generation, live: Mapping[str, Any] | None) -> dict[str, str]:
    """Contents that the live generation does not hold at the same path, or not any more."""
    held = (live or {"files": {}})["files"]
    drifted = {path for path, _ in plan.drift}
    blobs = {}
    for path, facts in generation.manifest["files"].items():
        if path in drifted or held.get(path, {}).get("sha256") != facts["sha256"]:
            content = generation.contents[facts["sha256"]]
            blobs[facts["sha256"]] = content.decode(errors="surrogateescape")
    return blobs


@operation()
def activate(
    plan: Plan, generation: Generation, token: str, address: str, fqdn: str, here: bool
) -> Commands:
    """Swap, reload what is due, see that it answers, swap back if it does not."""
    if plan.changes and here:
        request = {
            "token": token,
            "digest": generation.digest,
            "address": address,
            "name": fqdn,
        }
        yield _step("activate", request)


@operation()
def people(step: str, batch: Mapping[str, Any] | None, token: str, here: bool) -> Commands:
    """Write the batch of LDAP changes (load), or see that another host's is here (arrived)."""
    if batch and batch["due"] and here:
        yield _step(step, {"token": token, **batch})


@operation()
def boxes(plan: Plan, day: str, token: str) -> Commands:
    """Archive and remove mailboxes whose time has passed; the host has a list of its own."""
    if plan.boxes:
        meant = [{"account": box.account, "action": box.action} for box in plan.boxes]
        yield _step("boxes", {"token": token, "day": day, "boxes": meant})


@operation()
def expire(plan: Plan, day: str, token: str) -> Commands:
    """Let messages go from the archive whose years are over; the host has the rules itself."""
    if plan.expiries or plan.unfinished:
        meant = [{"segment": each.segment, "class": each.kept_as} for each in plan.expiries]
        asked = {"token": token, "day": day, "who": me()["who"], "expiries": meant}
        yield _step("expire", asked)


@operation()
def unlock(plan: Plan, token: str) -> Commands:
    """Give the lock back."""
    if plan.changes:
        yield _step("unlock", {"token": token})
