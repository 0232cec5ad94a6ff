"""What a province has that must be there again when machines were lost."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass

from doors import IMAPS, Refused, enter
from mailboxes import number_of, on, send
from people import Person, official, trusting
from province import Province, wait_for

from danhba.rebuilding.machines import Machine

VALKEY = ("valkey-cli", "-s", "/run/valkey/valkey")
LEARNED = "danhba.test.learned"


def machines_say(province: Province, *hosts: str) -> dict[str, Machine | None]:
    """How far the rebuild of hosts is; None: none is under way."""
    found = {}
    for host in hosts:
        said = province.lab.run(host, ["cat", "/var/lib/danhba-rebuild/state.json"]).stdout
        found[host] = Machine(host, **json.loads(said)) if said else None
    return found


def keys(province: Province) -> set[str]:
    """Names of the pairs that edges sign with (DKIM)."""
    said = province.danhba("dkim", "show", "staging", check=False).stdout
    return set(re.findall(r"^; \S+: (\S+): signs", said, re.MULTILINE))


@dataclass
class Holding:
    """An official's mail: what was sent, which of it is flagged and filed."""

    person: Person
    flagged: str
    filed: str
    late: str = ""

    @classmethod
    def of(cls, province: Province, edge: str, name: str) -> Holding:
        person = official(province, edge, name)
        flagged, filed = (send(edge, person.address, subject) for subject in ("co", "ho-so"))
        for each in (flagged, filed):
            wait_for(lambda each=each: province.has(name, each), "delivered", 60)  # type: ignore[misc]
        with person.inbox() as imap:
            imap.create("Viec")
            imap.subscribe("Viec")
            imap.uid("STORE", number_of(imap, flagged), "+FLAGS", r"(\Seen \Flagged)")
            imap.uid("MOVE", number_of(imap, filed), "Viec")
        return cls(person, flagged, filed)

    def is_there(self, province: Province, store: str) -> None:
        """On the store each message is there once, and he gets in with the password he chose."""
        name = self.person.local
        sent = [each for each in (self.flagged, self.filed, self.late) if each]
        found = on(province, store, name)
        assert Counter({each: found[each] for each in sent}) == Counter(sent), (name, found)
        assert on(province, store, name, "Viec")[self.filed] == 1
        with self.person.inbox() as imap:
            _, [flags] = imap.uid("FETCH", number_of(imap, self.flagged), "(FLAGS)")
            assert rb"\Flagged" in flags

    def enters(self) -> bool:
        try:
            enter(IMAPS, self.person.server, self.person.login, self.person.password, trusting())
        except (Refused, OSError):
            return False
        return True
