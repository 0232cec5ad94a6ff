"""The other people hosts: what they have that this one lacks, and what their clocks say.

Every change carries the host it was made on and that host's time (a CSN); the greatest of each host
are in the top entry's contextCSN. Whoever has at least another's, for every host, has all of its
changes.
"""

from __future__ import annotations

import time
from calendar import timegm

from danhba.generations.host.common import Json, Refused
from danhba.generations.host.ldap import parse, search

CLOSED = 60
"""Seconds to wait for what other people hosts have and this one lacks."""
SKEW = 5
"""Seconds by which clocks may differ. Of two changes to one password the one with the later time
stays: a user's own, on a host whose clock is behind, would lose against the one that was handed
to him. slapd tells its time in whole seconds."""


def ask(base: str, peer: str = "") -> Json:
    """{"stamps": {host's number: CSN}, "clock": seconds ahead of this host, "error"} of slapd on a
    people host, "" being this one. No stamps: it holds nothing yet."""
    found = search("-b", base, "-s", "base", "contextCSN", peer=peer)
    if found.returncode not in (0, 32):  # 32: noSuchObject
        words = found.stderr.decode(errors="replace").split("\n")[0]
        return {"stamps": {}, "clock": 0, "error": words or f"status {found.returncode}"}
    _, attrs = next(parse(found.stdout), ("", {}))
    stamps = {csn.split("#")[2]: csn for csn in attrs.get("contextCSN", [])}
    there, here = _clock(peer), _clock()
    if there is None or here is None:
        return {"stamps": {}, "clock": 0, "error": "slapd does not say what time it is"}
    return {"stamps": stamps, "clock": there - here, "error": ""}


def _clock(peer: str = "") -> int | None:
    """What time it is for slapd, which is what it stamps changes with; None: it does not say."""
    where = ("-b", "cn=Current,cn=Time,cn=Monitor", "-s", "base", "monitorTimestamp")
    _, attrs = next(parse(search(*where, peer=peer).stdout), ("", {}))
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


def catch_up(tree: Json) -> bool:
    """Wait until this host has what the others have, as far as they answer. Raises Refused.

    Did it have to wait? Then a plan may be of before. An empty tree counts as complete only when
    all others say that theirs is empty too: it may as well be that of a host which lost its disk,
    and passwords are on the others.
    """
    deadline, waited = time.monotonic() + CLOSED, False
    while True:
        own = ask(tree["base"])
        others = {peer: ask(tree["base"], peer) for peer in tree["peers"]}
        silent = {peer: found["error"] for peer, found in others.items() if found["error"]}
        behind = [peer for peer, found in others.items() if lacks(own, found)]
        if not behind and (own["stamps"] or not silent):
            return waited
        if time.monotonic() > deadline:
            raise Refused(_why(behind, silent))
        waited = True
        time.sleep(0.2)


def _why(behind: list[str], silent: dict[str, str]) -> str:
    if behind:
        return (
            f"LDAP here lacks changes of {', '.join(behind)}; none was made. If it goes on lacking"
            " them: systemctl restart slapd.service here, and apply again"
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
