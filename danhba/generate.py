"""Writes a directory.yaml of An Giang as of 2009 with invented officials, for staging and tests.

python -m danhba.generate --people 1000 --seed 2009 --out directory.yaml
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

from danhba import naming
from danhba.fmt import formatted, word
from danhba.names import RESERVED

DATA = Path(__file__).parent / "data"

IN_FORCE = date(2009, 11, 15)
"""QĐ 50/2009/QĐ-UBND, Điều 2 of the decision: ten days after 05/11/2009."""

STAFF = {"so": 20, "ban": 8, "huyen": 6, "khac": 6, "phong": 4, "hoi": 3}
"""Relative size of agencies by kind; communes and whatever is not named here count 3."""

HEADS = {
    **{"so": "Giám đốc", "ban": "Trưởng ban", "hoi": "Chủ tịch", "khac": "Thủ trưởng"},
    **{"phong": "Trưởng phòng"},
}
"""Title of the first of the staff; where a people's committee governs, its chairman."""

ALIASES = {
    # RFC 5321 and RFC 2142 want these to reach somebody: the operator (Điều 8.8).
    **dict.fromkeys(("abuse", "hostmaster", "postmaster", "security"), "sotttt"),
    # The portal of the province spells the commune Ô Long Vĩ.
    "olongvi": "olongvy",
}

KEPT_FREE = ("angiang", "danhba", "hotro", "quantri")
"""Reserved by the operator: the province, this program, help, administration."""


@dataclass
class Unit:
    """An agency to be written. number: of its request."""

    kind: str
    name: str
    address: str
    parent: str = ""
    exception: str = ""
    staff: list[str] = field(default_factory=list)
    number: str = ""
    since: date = IN_FORCE


class Names:
    """Draws full names, token by token, with the frequencies of data/name_weights.csv."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        weights: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        for row in rows("name_weights.csv"):
            weights[row["part"], row["sex"]][row["token"]] = float(row["weight"])
        later = weights["middle2_after_Thị", "female"]
        rest = (100 - sum(weights["middle1", "female"].values())) / sum(later.values())
        # What is neither Thị nor Ngọc is drawn from the tokens that else follow Thị.
        first = {token: weight * rest for token, weight in later.items()}
        weights["middle1", "female"] = {**first, **weights["middle1", "female"]}
        weights["middle2", "female"] = later
        for sex in ("male", "female"):
            weights["family", sex] |= weights["family", "any"]
        self.tables = {key: (list(w), list(accumulate(w.values()))) for key, w in weights.items()}

    def token(self, part: str, sex: str) -> str:
        tokens, weights = self.tables[part, sex]
        return self.chance.choices(tokens, cum_weights=weights)[0]

    def full(self) -> str:
        sex = self.chance.choice(("male", "female"))
        count = int(self.token("word_count", sex))
        middle = [self.token("middle2" if n else "middle1", sex) for n in range(count - 2)]
        return " ".join((self.token("family", sex), *middle, self.token("given", sex)))


def generate(people: int, seed: int) -> str:
    """The text of a directory with this many people; equal arguments give equal text.

    people: at least the number of agencies, so that each has a keeper. Raises ValueError.
    """
    chance = random.Random(seed)
    units = province()
    if people < len(units):
        raise ValueError(f"{len(units)} agencies need at least as many people, not {people}")
    weights = [STAFF.get(unit.kind, 3) for unit in units]
    staff_of = units + chance.choices(units, weights, k=people - len(units))
    names = Names(chance)
    for unit in staff_of:
        unit.staff.append(names.full())
    for order, unit in enumerate(units):
        unit.number = f"{chance.randint(1, 250)}/CV-{unit.address.upper()}"
        # One list after the other is registered, five on a day.
        unit.since = IN_FORCE + timedelta(days=order // 5 + 1)
    text = "".join(f"{line}\n" for line in _file(units, people, seed))
    return formatted(text.encode(), "the generated directory")


def province() -> list[Unit]:
    """All agencies of 2009: the province's, then each district with its offices and communes."""
    listed = rows("agencies.csv")
    units = [row for row in rows("units.csv") if row["district"]]
    districts = [row for row in rows("units.csv") if not row["district"]]
    agencies = [Unit(r["kind"], r["name"], r["local_part"]) for r in listed if not r["district"]]
    offices = [row for row in listed if row["district"]]
    communes = _communes(units, [row["name"] for row in districts])
    for row in districts:
        address = naming.fold(row["name"])
        agencies.append(Unit(row["kind"], _titled(row["kind"], row["name"]), address))
        for office in (office for office in offices if office["district"] == row["name"]):
            name = office["name"].removesuffix(" huyện")
            agencies.append(Unit(office["kind"], name, office["local_part"], address))
        agencies += [commune for commune in communes if commune.parent == address]
    return agencies


def _communes(rows: list[dict[str, str]], districts: list[str]) -> list[Unit]:
    units = [naming.Commune(row["kind"], row["name"], row["district"]) for row in rows]
    found: list[Unit] = []
    for unit, address in zip(units, naming.communes(units, districts), strict=True):
        parent = naming.fold(unit.district)
        name = _titled(unit.kind, unit.name)
        if address is not None:
            found.append(Unit(unit.kind, name, address, parent))
            continue
        # The rule is silent on two names in one district that differ by tone only: as invented
        # decisions have it, the first keeps the name and the other takes its kind in front.
        other = next((one for one in found if one.address == naming.fold(unit.name)), None)
        address = naming.fold(name if other else unit.name)
        found.append(Unit(unit.kind, name, address, parent, exception=unit.district))
    return found


def rows(file: str) -> list[dict[str, str]]:
    """The records of a table under danhba/data, without its comments."""
    with (DATA / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def _titled(kind: str, name: str) -> str:
    return f"{naming.KINDS[kind].word} {name}"


def _file(units: list[Unit], people: int, seed: int) -> Iterator[str]:
    yield from HEADER.format(people=people, seed=seed).splitlines()
    yield "requests: # Điều 6.1: the lists with which agencies ask for addresses"
    for unit in units:
        agency, day = word(unit.address), unit.since - timedelta(days=1)
        yield f"  {unit.number}: {{agency: {agency}, date: {day}, signer: Chánh Văn phòng}}"
    yield "agencies:"
    last = dict.fromkeys((unit.address for unit in units), 1) | dict.fromkeys(RESERVED, 1)
    last |= dict.fromkeys((*ALIASES, *KEPT_FREE), 1)
    code = 10000
    for unit in units:
        access = [_access_name(name, last) for name in unit.staff]
        yield from _agency(unit, access)
        for order, (name, address) in enumerate(zip(unit.staff, access, strict=True)):
            code += 1
            title = HEADS.get(unit.kind, "Chủ tịch Ủy ban nhân dân") if not order else "Chuyên viên"
            yield (
                f'      - {{id: "{code}", name: {word(name)}, address: {word(address)}, '
                f"since: {unit.since}, request: {unit.number}, title: {title}}}"
            )
    yield "aliases: # names that deliver to a mailbox; nobody logs in with them"
    for alias, to in sorted(ALIASES.items()):
        yield f"  {alias}: {{to: {to}}}"
    yield f"reserved: [{', '.join(KEPT_FREE)}] # given to nobody, besides RFC 2142"


def _agency(unit: Unit, access: list[str]) -> Iterator[str]:
    yield f"  {word(unit.address)}:"
    yield f"    kind: {unit.kind}"
    yield f"    name: {word(unit.name)}"
    if unit.parent:
        yield f"    parent: {unit.parent}"
    # A large agency has a second keeper for when the first is away.
    keepers = access[1:3] if len(access) > 4 else access[-1:]
    yield f"    keepers: [{', '.join(map(word, keepers))}]"
    yield f"    it_officer: {word(access[-1])}"
    if unit.exception:
        reason = f"hai xã của huyện {unit.exception} chỉ khác nhau dấu thanh"
        yield f"    exception: {{decision: 01/QĐ-STTTT, reason: {reason}}}"
    yield "    staff:"


def _access_name(name: str, last: dict[str, int]) -> str:
    """The next free access name; last: the number last given to each base, changed here."""
    base = naming.person(name)
    last[base] = last.get(base, 0) + 1
    return naming.numbered(base, last[base])


HEADER = """\
# yaml-language-server: $schema=directory.schema.json
# Tỉnh An Giang, 2009: mail directory for staging and tests.
#
# All people, staff codes, requests and decisions in this file are INVENTED. The names are drawn
# at random from frequencies of name parts; any likeness to a real official is chance. Agencies,
# districts and communes are those of 2009.
#
# Made by: python -m danhba.generate --people {people} --seed {seed}

province: {{name: An Giang, domain: angiang.gov.vn, timezone: Asia/Ho_Chi_Minh}}
legal_basis: [50/2009/QĐ-UBND]
policy:
  quota_gb: 2 # a person's mailbox; the regulation names no figure (Điều 10.1: no overflow)
  agency_quota_gb: 10 # an agency's mailbox, likewise
  message_mb: 30 # largest message; holds an attachment of 20 MB as base64
  password_min_length: 12 # characters; Điều 10.2.a asks to protect it and names no figure
  inactive_months: 6 # without access, then the mailbox is withdrawn (Điều 6.4)
  usage_months: 12 # kept: in which hours of a day there was an access (Điều 10.1)
  archive: {{years: 10}} # of all mail (Điều 8.9: by the law on archives; it names no figure)
  backup: {{days: 14, weeks: 8, months: 12}} # kept (Điều 8.9 asks for backups and names no figure)
  engineers: [Nguyễn Văn An, Trần Thị Bình] # two of them approve an export (Điều 8.4)
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m danhba.generate", description=__doc__)
    parser.add_argument("--people", type=int, default=1000, help="invented officials")
    parser.add_argument("--seed", type=int, default=2009, help="equal seeds give equal files")
    parser.add_argument("--out", type=Path, help="file to write, standard output if absent")
    options = parser.parse_args(arguments)
    try:
        text = generate(options.people, options.seed)
    except ValueError as error:
        parser.error(str(error))
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
