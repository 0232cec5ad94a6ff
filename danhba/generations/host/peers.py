"""The other people hosts: what they have that this one lacks, and what their clocks say.

Every change carries the host it was made on and that host's time (a CSN); the greatest of each host
are in the top entry's contextCSN. Whoever has at least another's, for every host, has all of its
changes.
"""

from __future__ import annotations

import time
from calendar import timegm
from dataclasses import dataclass, field

from danhba.generations.host.common import Json, Refused, run, unit_states
from danhba.generations.host.ldap import PROMPT, parse, search

UNIT = "slapd.service"
STILL = 15
"""Seconds for which nothing comes of what other people hosts have, after which slapd here is
restarted, once. After a power cut or a cut line it may have missed that there is more (seen of
2.6.10), and learns of it when it connects anew; users are served by another people host
meanwhile."""
CLOSED = 60
"""Seconds more for which nothing comes, after which nothing is expected any more. All of it may
take much longer: slapd flushes every entry to disk, and disks differ (measured: 30,000 entries half
a minute to a quarter of an hour)."""
SKEW = 5
"""Seconds by which clocks may differ. Of two changes to one password the one with the later time
stays: a user's own, on a host whose clock is behind, would lose against the one that was handed
to him. slapd tells its time in whole seconds."""


def ask(base: str, peer: str = "") -> Json:
    """{"stamps": {host's number: CSN}, "clock": seconds ahead of this host, "error"} of slapd on a
    people host, "" being this one. No stamps: it holds nothing yet."""
    stamps, error = _stamps(base, peer)
    if error:
        return {"stamps": {}, "clock": 0, "error": error}
    there, here = _clock(peer), _clock()
    if there is None or here is None:
        return {"stamps": {}, "clock": 0, "error": "slapd does not say what time it is"}
    return {"stamps": stamps, "clock": there - here, "error": ""}


def _stamps(base: str, peer: str) -> tuple[dict[str, str], str]:
    """And what is wrong, "" when it answers."""
    found = search("-b", base, "-s", "base", "contextCSN", peer=peer, limit=PROMPT)
    if found.returncode not in (0, 32):  # 32: noSuchObject
        words = found.stderr.decode(errors="replace").split("\n")[0]
        return {}, words or f"status {found.returncode}"
    _, attrs = next(parse(found.stdout), ("", {}))
    return {csn.split("#")[2]: csn for csn in attrs.get("contextCSN", [])}, ""


def _clock(peer: str = "") -> int | None:
    """What time it is for slapd, which is what it stamps changes with; None: it does not say."""
    where = ("-b", "cn=Current,cn=Time,cn=Monitor", "-s", "base", "monitorTimestamp")
    _, attrs = next(parse(search(*where, peer=peer, limit=PROMPT).stdout), ("", {}))
    said = attrs.get("monitorTimestamp")
    return timegm(time.strptime(said[0], "%Y%m%d%H%M%SZ")) if said else None


def answers(request: Json) -> Json:
    """{"error": "" when this host's slapd answers}."""
    return ask(request["base"])


def lacks(own: Json, other: Json) -> dict[str, str]:
    """The other's stamps that are later than one's own."""
    held = own["stamps"]
    return {host: csn for host, csn in other["stamps"].items() if held.get(host, "") < csn}


def report(tree: Json) -> Json:
    """{"own", "peers": {name: as ask answers}} for whoever looks after the province."""
    return {
        "own": ask(tree["base"]),
        "peers": {peer: ask(tree["base"], peer) for peer in tree["peers"]},
    }


@dataclass(frozen=True)
class Standing:
    """own: as `ask` answers. theirs: the latest stamps that the others have. behind: those of them
    that have what this host lacks. silent: those that do not answer, and why. progress: is
    different whenever something of theirs came."""

    own: Json
    theirs: dict[str, str]
    behind: list[str]
    silent: dict[str, str]
    progress: object

    @classmethod
    def of(cls, tree: Json) -> Standing:
        own = ask(tree["base"])
        others = {peer: ask(tree["base"], peer) for peer in tree["peers"]}
        missing = {peer: lacks(own, found) for peer, found in others.items()}
        held = {host: own["stamps"].get(host) for stamps in missing.values() for host in stamps}
        theirs: dict[str, str] = {}
        for found in others.values():
            theirs |= lacks({"stamps": theirs}, found)
        return cls(
            own,
            theirs,
            [peer for peer in missing if missing[peer]],
            {peer: found["error"] for peer, found in others.items() if found["error"]},
            (held, count(tree["base"])),
        )


@dataclass
class Patience:
    """How long to wait for what other people hosts have. told: what was done meanwhile, for the
    engineer."""

    moved: float = field(default_factory=time.monotonic)
    last: object = None
    told: list[str] = field(default_factory=list)

    def spend(self, standing: Standing) -> bool:
        """Wait a little; a slapd that stands still is restarted. False: no more patience."""
        now = time.monotonic()
        if standing.progress != self.last:
            self.last, self.moved = standing.progress, now
        still, others = now - self.moved, ", ".join(standing.behind)
        if still > CLOSED and (self.told or not others):
            return False
        if still > STILL and not self.told and others:
            run(["systemctl", "restart", UNIT])
            self.told.append(
                f"slapd did not take what {others} has; it was restarted after {STILL} s"
            )
            self.moved = time.monotonic()
        time.sleep(0.2)
        return True


def catch_up(tree: Json) -> list[str]:
    """Wait until this host has what the others have, as far as they answer; heal a slapd that
    stands still. Answers what the engineer should know. Raises Refused.

    tree["here"]: names of the others that are part of this run. Of the rest a silent one is not
    waited for: it may be dead. But an empty tree counts as complete only when all others say that
    theirs is empty too: it may as well be that of a host which lost its disk, and passwords are on
    the others.
    """
    patience = Patience()
    while True:
        standing = Standing.of(tree)
        if not standing.behind and not standing.own["error"]:
            if standing.own["stamps"] or not standing.silent:
                return patience.told
            if not set(standing.silent) <= set(tree["here"]):
                raise Refused(_why([], standing.silent))
        if not patience.spend(standing):
            if standing.own["error"]:
                raise Refused(_dead(standing.own["error"]))
            raise Refused(_why(standing.behind, standing.silent))


def is_behind(tree: Json) -> bool:
    """Does this host lack what another one has, or, being empty, not know?"""
    standing = Standing.of(tree)
    return bool(standing.behind or (standing.silent and not standing.own["stamps"]))


def count(base: str) -> int:
    """Number of entries: one that was deleted leaves no later change number behind.

    slapd's monitor knows it (slapd-monitor(5)); to list the entries would take as long as they are
    many. -1 when it does not say, which equals no tree's count and makes the plan look at them all.
    """
    where = ("-b", "cn=Databases,cn=Monitor", f"(namingContexts={base})", "olmMDBEntries")
    said = (attrs.get("olmMDBEntries") for _, attrs in parse(search(*where, limit=PROMPT).stdout))
    return next((int(counts[0]) for counts in said if counts), -1)


def wake(tree: Json) -> None:
    """slapd of this host must answer; one that was stopped, masked or has died is started, as the
    plan says, with what is live. Raises Refused."""
    if not unit_states([UNIT])[UNIT]["active"]:
        run(["systemctl", "unmask", UNIT])
        run(["systemctl", "reset-failed", UNIT])
        run(["systemctl", "start", UNIT])
    if error := ask(tree["base"])["error"]:
        raise Refused(_dead(error))


def must_not_be_elsewhere(tree: Json) -> None:
    """For a host that has never held people: those that are not part of this run must say what
    they hold, else an empty tree would be filled beside theirs. Raises Refused."""
    # Not `ask`: a machine that is new has no slapd to compare clocks with.
    others = {peer: _stamps(tree["base"], peer)[1] for peer in tree["peers"]}
    silent = {peer: said for peer, said in others.items() if said and peer not in tree["here"]}
    if silent:
        raise Refused(_why([], silent))


def _dead(error: str) -> str:
    return f"LDAP here does not answer ({error}): journalctl -u {UNIT}, systemctl restart {UNIT}"


def _why(behind: list[str], silent: dict[str, str]) -> str:
    if behind:
        return (
            f"LDAP here lacks changes of {', '.join(behind)}, and did not get them when slapd was"
            f" restarted; none was made: journalctl -u {UNIT}, danhba status"
        )
    told = "; ".join(f"{peer}: {words}" for peer, words in silent.items())
    return (
        f"LDAP here is empty, and whether others hold the people is not known ({told}): start them,"
        " or take those that are lost for good out of the inventory"
    )


def must_agree_on_time(tree: Json) -> None:
    """Raises Refused when another people host's clock differs."""
    for peer in tree["peers"]:
        ahead = ask(tree["base"], peer)["clock"]
        if abs(ahead) > SKEW:
            raise Refused(
                f"the clock of {peer} differs by {ahead:+d} s: a password that its user changes"
                " there might not last; set the clocks first; no password was set"
            )
