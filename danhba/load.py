"""directory.yaml to the model: every key known, every value of its type, all findings at once.

What entries mean to each other (references, one name space) is danhba.check's matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from danhba.findings import Finding, shown
from danhba.garbage import no_garbage
from danhba.letters import MARKS, code_of, is_seen
from danhba.model import (
    Agency,
    Alias,
    Approval,
    Closure,
    Contact,
    Directory,
    Exemption,
    FreeMail,
    FreeMailAction,
    Leave,
    Macros,
    Person,
    Policy,
    Province,
    Quota,
    Request,
    Reserved,
    Retired,
    Secrecy,
    Status,
)
from danhba.naming import KINDS
from danhba.source import NOT_TEXT, Mapping, Node, Scalar, Sequence, parse

T = TypeVar("T")
Day: TypeAlias = date
"""_Reader has a method of that name."""

NUMBER = re.compile(
    r"[-+]?0x[0-9a-f_]+|[-+]?(0[ob])?\.?[0-9][0-9a-f_.:]*(e[-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.I
)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DOMAIN = re.compile(r"(?=.{4,120}\Z)((?=[^.]{1,63}\.)[a-z0-9]+(-+[a-z0-9]+)*\.)+[a-z]{2,}")
"""Labels of 63 octets at most (RFC 1035 2.3.4), and room for a local part before it."""
NETWORK = re.compile(r"[0-9a-f:.]{3,43}/[0-9]{1,3}")
TIMEZONE = re.compile(r"[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+)*")
_LETTER = rf"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff][{MARKS}]{{0,2}}"
NAME = re.compile(rf"{_LETTER}(?:{_LETTER}|['\u2019. -])*")
"""Latin letters: Vietnamese, and those of the province's other languages, which put Vietnamese
marks on letters where Unicode has not composed them."""
CONTACT = re.compile(rf"(?:{_LETTER}|[0-9 .,;:()+/@&'-]){{3,100}}")
"""What a reply of SMTP can say: one line of 512 octets (RFC 5321 4.5.3.1.5) has more to tell."""
_EARLIEST, _LATEST = date(1990, 1, 1), date(2100, 1, 1)

SHA256 = re.compile(r"[0-9a-f]{64}")


def load(path: Path) -> tuple[Directory | None, list[Finding]]:
    """The directory in the file at path, or None and every finding of form. Never raises for what
    the file holds; an unreadable file is a finding too."""
    file = str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, [Finding(file, 0, "error", "", f"{error.strerror}", "name a readable file")]
    return load_text(data, file)


def load_text(data: bytes, file: str) -> tuple[Directory | None, list[Finding]]:
    """As load, from the bytes of a file called `file` (a git revision, say)."""
    with no_garbage():
        root, findings = parse(data, file)
        if root is None:
            return None, findings
        reader = _Reader(file)
        directory = reader.directory(root)
    return (None if reader.findings else directory), sorted(reader.findings)


class _Reader:
    """Reads nodes as entries of the model. After a finding it goes on with a stand-in value."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def refuse(self, line: int, message: str, remedy: str, clause: str = "") -> None:
        self.findings.append(Finding(self.file, line, "error", clause, message, remedy))

    # Values

    def text(self, node: Node, what: str) -> str:
        """Text that every YAML reader takes for text, printable, on one line."""
        if not isinstance(node, Scalar):
            self.refuse(node.line, f"{what} is not text", f"write one word or phrase for {what}")
            return ""
        text = node.text
        if node.plain and (text in NOT_TEXT or NUMBER.fullmatch(text)):
            self.not_text(node, what)
        else:
            self.visible(text, node.line, what)
        return text

    def visible(self, text: str, line: int, what: str) -> None:
        if not is_seen(text) or not text.strip():
            message = f"{what} is empty or holds unprintable characters: {shown(text)}"
            self.refuse(line, message, f"write {what} as plain letters on one line")

    def not_text(self, node: Scalar, what: str) -> None:
        if node.text in ("", "~"):
            self.refuse(node.line, f"{what} has no value", f"write {what}, or delete the key")
            return
        taken = "a number" if NUMBER.fullmatch(node.text) else "true, false or nothing"
        message = f"{what} is text, but YAML takes {node.text} for {taken}"
        self.refuse(node.line, message, f'write "{node.text}"')

    def matching(self, node: Node, what: str, pattern: re.Pattern[str], example: str) -> str:
        text = self.text(node, what)
        if text and not pattern.fullmatch(text):
            self.refuse(node.line, f"{what} cannot be {shown(text)}", f"write it like {example}")
        return text

    def name(self, node: Node) -> str:
        """Of a person. A letter of another script may look the same and is found by nobody."""
        before = len(self.findings)
        text = self.text(node, "the name of a person")
        if len(self.findings) == before and not NAME.fullmatch(text):
            fits = NAME.match(text)
            place = fits.end() if fits else 0
            odd = code_of(text[place])
            message = f"the name {shown(text)} cannot have {odd}, as its character {place + 1}"
            self.refuse(node.line, message, "type it in Vietnamese letters (TCVN 6909)", "Điều 3.1")
        return text

    def code(self, node: Node) -> str:
        """A staff code: one that only looks like another one would be a second mailbox."""
        text = self.text(node, "id")
        plain = unicodedata.normalize("NFKC", text).strip()
        if text and text.strip() and plain != text:
            self.refuse(
                node.line, f"the staff code is {shown(text)}", f'write "{plain}"', "Điều 5.3"
            )
        return text

    def positive(self, node: Node, what: str, limit: int) -> int:
        if isinstance(node, Scalar) and re.fullmatch("[1-9][0-9]{0,6}", node.text) and node.plain:
            if int(node.text) > limit:
                message = f"{what} is {node.text}: too much"
                self.refuse(node.line, message, f"write at most {limit}")
            return int(node.text)
        remedy = "write a whole number above 0 without quotes"
        self.refuse(node.line, f"{what} is not a whole number", remedy)
        return 1

    def figure(self, node: Node, key: str, limit: int) -> int:
        found, smallest = self.positive(node, key, limit), SMALLEST.get(key, 1)
        if found < smallest:
            self.refuse(node.line, f"{key} is {found}: too little", f"write at least {smallest}")
        return found

    def date(self, node: Node, what: str) -> date:
        text = node.text if isinstance(node, Scalar) else ""
        try:
            if DATE.fullmatch(text) and _EARLIEST <= (day := date.fromisoformat(text)) < _LATEST:
                return day
            problem = f"{what} is not a date: {shown(text)}"
        except ValueError:
            problem = f"{what} is a date that does not exist: {text}"
        self.refuse(node.line, problem, "write the day as YYYY-MM-DD, as in 2026-11-05")
        return date.min

    def texts(self, node: Node, what: str) -> tuple[str, ...]:
        return tuple(self.text(item, f"an entry of {what}") for item in self.items(node, what))

    def items(self, node: Node, what: str) -> list[Node]:
        if isinstance(node, Sequence):
            return node.items
        self.refuse(node.line, f"{what} is not a list", f"write a list, as in {what}: [a, b]")
        return []

    def entries(self, node: Node, what: str) -> dict[str, Node]:
        if isinstance(node, Mapping):
            return node.entries
        self.refuse(node.line, f"{what} is not a mapping", "write entries like {key: value}")
        return {}

    def fields(
        self,
        node: Node,
        what: str,
        needed: frozenset[str],
        optional: frozenset[str] = frozenset(),
        hint: str = "",
    ) -> dict[str, Node] | None:
        """The entries, when all needed ones are there; unknown ones are findings."""
        before = len(self.findings)
        entries = self.entries(node, what)
        if len(self.findings) > before:
            return None
        if entries.keys() == needed:
            return entries
        for key in entries.keys() - needed - optional:
            known = ", ".join(sorted(needed | optional))
            message = f"{what} has the unknown key {shown(key)}"
            self.refuse(entries[key].line, message, f"delete it or use one of: {known}")
        missing = sorted(needed - entries.keys())
        if missing:
            keys = ", ".join(missing)
            self.refuse(node.line, f"{what} lacks {keys}", f"add {keys}{hint}")
            return None
        return entries

    def each(self, node: Node, what: str, read: Callable[[str, Node], T | None]) -> tuple[T, ...]:
        """read for every key of a mapping, without those it could not read."""
        entries = self.entries(node, what)
        self.keys(entries, what)
        read_all = (read(key, value) for key, value in entries.items())
        return tuple(entry for entry in read_all if entry is not None)

    def keys(self, entries: dict[str, Node], what: str) -> None:
        """Text like any other: what names an entry is read in every diff."""
        for key, value in entries.items():
            self.visible(key, value.line, f"a key of {what}")

    # Entries

    def directory(self, root: Node) -> Directory | None:
        fields = self.fields(root, "the directory", DIRECTORY, DIRECTORY_OPTIONAL, hint=_WHOLE)
        if fields is None:
            return None
        province = self.province(fields["province"])
        policy = self.policy(fields["policy"])
        requests = self.each(fields["requests"], "requests", self.request)
        agencies = self.each(fields["agencies"], "agencies", self.agency)
        aliases = self.each(fields["aliases"], "aliases", self.alias)
        reserved = tuple(
            Reserved(self.text(item, "a reserved name"), item.line)
            for item in self.items(fields["reserved"], "reserved")
        )
        retired: tuple[Retired, ...] = ()
        if "retired" in fields:
            retired = self.each(fields["retired"], "retired", self.gone)
        approve: tuple[Approval, ...] = ()
        if "approve" in fields:
            approve = self.each(fields["approve"], "approve", self.approval)
        basis = self.texts(fields["legal_basis"], "legal_basis")
        if province is None or policy is None:
            return None
        return Directory(
            self.file, province, basis, policy, requests, agencies, aliases, approve, retired,
            reserved,
        )  # fmt: skip

    def province(self, node: Node) -> Province | None:
        fields = self.fields(node, "province", PROVINCE)
        if fields is None:
            return None
        return Province(
            self.text(fields["name"], "the province's name"),
            self.matching(fields["domain"], "the domain", DOMAIN, "angiang.gov.vn"),
            self.timezone(fields["timezone"]),
            node.line,
        )

    def timezone(self, node: Node) -> str:
        zone = self.matching(node, "the time zone", TIMEZONE, "Asia/Ho_Chi_Minh")
        try:
            ZoneInfo(zone or "UTC")
        except (OSError, ValueError, KeyError):
            remedy = "write one of the tz database, as Asia/Ho_Chi_Minh"
            self.refuse(node.line, f"there is no time zone {shown(zone)}", remedy)
        return zone

    def policy(self, node: Node) -> Policy | None:
        fields = self.fields(node, "policy", POLICY, POLICY_OPTIONAL)
        if fields is None:
            return None
        figures = {
            key: self.figure(fields[key], key, limit) if key in fields else DEFAULTS[key]
            for key, limit in FIGURES.items()
        }
        protected = fields.get("protected")
        names = self.texts(protected, "protected") if protected else ()
        kinds, secrecy = fields.get("kind_quota_gb"), fields.get("secrecy")
        reports = fields.get("dmarc_reports")
        self.apart(figures, node.line)
        self.above_limit(figures, node.line)
        return Policy(
            **figures,
            macros=self.macros(fields["macros"]) if "macros" in fields else "refused",
            protected=names,
            kind_quota_gb=self.rooms(kinds) if kinds else (),
            holidays=self.dates(fields, "holidays"),
            working_days=self.dates(fields, "working_days"),
            secrecy=self.secrecy(secrecy) if secrecy else Secrecy(""),
            block_lists=self.domains(fields, "block_lists", "a block list", "zen.spamhaus.org"),
            own_networks=self.own_networks(fields),
            free_mail=self.free_mail(fields["free_mail"]) if "free_mail" in fields else FREE_MAIL,
            incidents=self.incidents(fields),
            dmarc_reports=self.text(reports, "dmarc_reports") if reports else "",
            arc_sealers=self.domains(fields, "arc_sealers", "a sealer", "lists.example.org"),
            bad_links=self.domains(fields, "bad_links", "a bad link", "example.org"),
            link_lists=self.domains(fields, "link_lists", "a link list", "dbl.spamhaus.org"),
            line=node.line,
        )

    def apart(self, figures: dict[str, int], line: int) -> None:
        """What is refused is worse than what is filed."""
        junk, reject = figures["spam_junk_score"], figures["spam_reject_score"]
        if reject <= junk:
            message = f"spam_reject_score is {reject}, junk begins at {junk}: nothing would be junk"
            self.refuse(line, message, "make it larger than spam_junk_score", "Điều 8.6")

    def above_limit(self, figures: dict[str, int], line: int) -> None:
        """Who keeps to his limit is no criminal."""
        limit, alarm = figures["send_recipients"], figures["incident_recipients"]
        if alarm <= limit:
            message = f"incident_recipients is {alarm}, and {limit} may be written to in an hour"
            self.refuse(line, message, "make it larger than send_recipients", "Điều 8.7")

    def macros(self, node: Node) -> Macros:
        text = self.text(node, "macros")
        if text == "accepted":
            return "accepted"
        if text != "refused":
            self.refuse(node.line, f"macros cannot be {shown(text)}", "write refused or accepted")
        return "refused"

    def secrecy(self, node: Node) -> Secrecy:
        fields = self.fields(node, "secrecy", SECRECY)
        if fields is None:
            return Secrecy("")
        example = "Văn thư mật, Văn phòng UBND tỉnh, 0296 3852 000, in 3 to 100 letters"
        return Secrecy(self.matching(fields["contact"], "the contact", CONTACT, example))

    def domains(
        self, fields: dict[str, Node], key: str, noun: str, example: str
    ) -> tuple[str, ...]:
        """A list that need not be there. Each once: a block list that stood there twice would have
        two votes."""
        items = self.items(fields[key], key) if key in fields else []
        found: list[str] = []
        for item in items:
            domain = self.matching(item, noun, DOMAIN, example)
            if domain in found:
                self.refuse(item.line, f"{domain} is there twice", "keep one")
            found.append(domain)
        return tuple(found)

    def free_mail(self, node: Node) -> FreeMail:
        fields = self.fields(node, "free_mail", frozenset(), FREE_MAIL_OPTIONAL)
        if fields is None:
            return FREE_MAIL
        domains = FREE_MAIL.domains
        if "domains" in fields:
            domains = self.free_domains(fields["domains"])
        action = FREE_MAIL.action
        if "action" in fields:
            action = self.free_mail_action(fields["action"])
        return FreeMail(domains, action)

    def free_domains(self, node: Node) -> tuple[str, ...]:
        found: list[str] = []
        for item in self.items(node, "domains"):
            domain = self.matching(item, "a free-mail service", DOMAIN, "gmail.com")
            if domain in found:
                self.refuse(item.line, f"the service {domain} is there twice", "keep one")
            if domain.endswith(".gov.vn"):
                message = f"{domain} belongs to the state, and is no free-mail service"
                self.refuse(item.line, message, "delete it", "Điều 4.2")
            found.append(domain)
        return tuple(found)

    def free_mail_action(self, node: Node) -> FreeMailAction:
        text = self.text(node, "the action of free_mail")
        if text == "refused":
            return "refused"
        if text != "reported":
            message = f"the action of free_mail cannot be {shown(text)}"
            self.refuse(node.line, message, "write reported or refused")
        return "reported"

    def own_networks(self, fields: dict[str, Node]) -> tuple[str, ...]:
        node = fields.get("own_networks")
        found: list[str] = []
        for item in self.items(node, "own_networks") if node else ():
            network = self.network(item)
            if network in found:
                self.refuse(item.line, f"the network {network} is there twice", "keep one")
            found.append(network)
        return tuple(found)

    def network(self, node: Node) -> str:
        """As it is always written, so that nothing is there twice."""
        text = self.matching(node, "a network", NETWORK, "10.20.0.0/16 or 2001:db8:20::/48")
        if not NETWORK.fullmatch(text):
            return text
        try:
            network = ip_network(text)
        except ValueError:
            remedy = "write its first address and the bits that all have, as in 10.20.0.0/16"
            self.refuse(node.line, f"{shown(text)} is no network", remedy)
            return text
        widest, narrowest = NETWORKS[network.version]
        if not widest <= network.prefixlen <= narrowest:
            size = "too large: nobody owns so much" if network.prefixlen < widest else "too small"
            remedy = f"write /{widest} to /{narrowest}"
            self.refuse(node.line, f"the network {network} is {size}", remedy, "Điều 8.7")
        return str(network)

    def incidents(self, fields: dict[str, Node]) -> Contact:
        node = fields.get("incidents")
        inside = self.fields(node, "incidents", INCIDENTS) if node else None
        return Contact(self.text(inside["contact"], "the contact") if inside else "")

    def dates(self, fields: dict[str, Node], key: str) -> tuple[Day, ...]:
        """A list that need not be there."""
        items = self.items(fields[key], key) if key in fields else []
        return tuple(self.date(item, f"an entry of {key}") for item in items)

    def rooms(self, node: Node) -> tuple[tuple[str, int], ...]:
        """Gigabytes for agencies of single kinds."""
        entries = self.entries(node, "kind_quota_gb")
        for kind, value in entries.items():
            if kind not in KINDS:
                self.no_kind(kind, value.line)
        limit = FIGURES["agency_quota_gb"]
        return tuple((kind, self.positive(value, kind, limit)) for kind, value in entries.items())

    def no_kind(self, kind: str, line: int) -> None:
        message = f"there is no kind of agency {shown(kind)}"
        self.refuse(line, message, f"use one of: {', '.join(KINDS)}", "Điều 5.3.a")

    def request(self, number: str, node: Node) -> Request | None:
        what = f"request {shown(number)}"
        fields = self.fields(node, what, REQUEST, REQUEST_OPTIONAL)
        if fields is None:
            return None
        sha256 = fields.get("sha256")
        return Request(
            number,
            self.text(fields["agency"], "the agency of a request"),
            self.date(fields["date"], "the date of a request"),
            self.text(fields["signer"], "the signer of a request"),
            self.matching(sha256, "sha256", SHA256, "64 digits 0-9a-f") if sha256 else "",
            node.line,
        )

    def agency(self, address: str, node: Node) -> Agency | None:
        fields = self.fields(node, f"agency {shown(address)}", AGENCY, AGENCY_OPTIONAL)
        if fields is None:
            return None
        kind = self.text(fields["kind"], "the kind of an agency")
        if kind and kind not in KINDS:
            self.no_kind(kind, fields["kind"].line)
        staff = (self.person(item, address) for item in self.items(fields["staff"], "staff"))
        return Agency(
            address,
            self.optional(fields, "account"),
            kind,
            self.text(fields["name"], "the name of an agency"),
            self.optional(fields, "parent"),
            self.texts(fields["keepers"], "keepers"),
            self.optional(fields, "it_officer"),
            self.optional(fields, "decision"),
            self.closure(fields["closed"]) if "closed" in fields else None,
            self.exemption(fields["exception"]) if "exception" in fields else None,
            self.quota(fields["quota"]) if "quota" in fields else None,
            tuple(person for person in staff if person is not None),
            node.line,
        )

    def optional(self, fields: dict[str, Node], key: str) -> str:
        return self.text(fields[key], key) if key in fields else ""

    def exemption(self, node: Node) -> Exemption | None:
        fields = self.fields(node, "exception", EXEMPTION)
        if fields is None:
            return None
        decision = self.text(fields["decision"], "the decision of an exception")
        return Exemption(decision, self.text(fields["reason"], "the reason"), node.line)

    def leave(self, node: Node) -> Leave | None:
        fields = self.fields(node, "leave", LEAVE)
        if fields is None:
            return None
        decision = self.text(fields["decision"], "the decision of a leave")
        return Leave(self.date(fields["until"], "the end of a leave"), decision, node.line)

    def quota(self, node: Node) -> Quota | None:
        fields = self.fields(node, "quota", QUOTA)
        if fields is None:
            return None
        room = self.positive(fields["gb"], "gb", FIGURES["agency_quota_gb"])
        return Quota(room, self.text(fields["decision"], "the decision of a quota"), node.line)

    def closure(self, node: Node) -> Closure | None:
        fields = self.fields(node, "closed", CLOSURE, CLOSURE_OPTIONAL)
        if fields is None:
            return None
        successors = fields.get("successors")
        return Closure(
            self.date(fields["from"], "the end of an agency"),
            self.text(fields["decision"], "the decision that closes an agency"),
            self.texts(successors, "successors") if successors else (),
            self.optional_date(fields, "until"),
            node.line,
        )

    def optional_date(self, fields: dict[str, Node], key: str) -> Day | None:
        return self.date(fields[key], key) if key in fields else None

    def person(self, node: Node, agency: str) -> Person | None:
        entries = node.entries if isinstance(node, Mapping) else {}
        needed = PERSON if "request" in entries or "decision" not in entries else DECIDED
        fields = self.fields(node, "a person", needed, PERSON_OPTIONAL)
        if fields is None:
            return None
        return Person(
            self.code(fields["id"]),
            self.name(fields["name"]),
            self.text(fields["address"], "address"),
            self.optional(fields, "account"),
            agency,
            self.date(fields["since"], "since"),
            self.optional_date(fields, "changed"),
            self.optional(fields, "request"),
            self.optional(fields, "decision"),
            self.optional(fields, "title"),
            self.optional(fields, "given_name"),
            self.status(fields, node.line),
            self.leave(fields["leave"]) if "leave" in fields else None,
            self.exemption(fields["exception"]) if "exception" in fields else None,
            self.quota(fields["quota"]) if "quota" in fields else None,
            node.line,
        )

    def status(self, fields: dict[str, Node], line: int) -> Status | None:
        """Of a person; who has none is active."""
        kind = self.optional(fields, "status")
        if kind not in ("locked", "withdrawn"):
            if kind or "status" in fields:
                remedy = "write locked or withdrawn, or delete it: who is active has none"
                self.refuse(line, f"there is no status {shown(kind)}", remedy, "Điều 6")
            for key in sorted(STATUS & fields.keys()):
                remedy = "write the status, locked or withdrawn, or delete the key"
                self.refuse(line, f"{key} stands without a status", remedy, "Điều 6")
            return None
        if missing := ", ".join(sorted(("from", "reason") - fields.keys())):
            self.refuse(line, f"a person who is {kind} lacks {missing}", f"add {missing}", "Điều 6")
            return None
        if kind == "locked" and "locked" in fields:
            remedy = "delete the key: the lock begins on the day `from`"
            self.refuse(line, "locked is of who is to be withdrawn", remedy, "Điều 10.2.a")
        if kind == "withdrawn" and "confirm_by" in fields and "locked" not in fields:
            self.refuse(line, "confirm_by belongs to a lock", "delete the key", "Điều 10.2.a")
        return Status(
            "locked" if kind == "locked" else "withdrawn",
            self.date(fields["from"], "from"),
            self.text(fields["reason"], "the reason"),
            self.optional_date(fields, "confirm_by"),
            self.optional_date(fields, "locked"),
        )

    def alias(self, address: str, node: Node) -> Alias | None:
        fields = self.fields(node, f"alias {shown(address)}", ALIAS, ALIAS_OPTIONAL)
        if fields is None:
            return None
        to = self.text(fields["to"], "the target of an alias")
        return Alias(address, to, self.optional_date(fields, "until"), node.line)

    def approval(self, decision: str, node: Node) -> Approval | None:
        fields = self.fields(node, "an approval", frozenset(), APPROVAL)
        if fields is None:
            return None
        people, agencies, protected = map(fields.get, ("people", "agencies", "protected"))
        of_agency = self.entries(agencies, "agencies") if agencies else {}
        self.keys(of_agency, "agencies")
        return Approval(
            decision,
            self.positive(people, "people", MANY) if people else 0,
            tuple((name, self.positive(value, name, MANY)) for name, value in of_agency.items()),
            self.texts(protected, "protected") if protected else (),
            node.line,
        )

    def gone(self, address: str, node: Node) -> Retired | None:
        fields = self.fields(node, f"retired {shown(address)}", RETIRED)
        if fields is None:
            return None
        was = self.text(fields["was"], "who a retired address was")
        return Retired(address, was, self.date(fields["since"], "since"), node.line)


_WHOLE = "; if the file ends too early, restore it from git"

DIRECTORY = frozenset(
    ("province", "legal_basis", "policy", "requests", "agencies", "aliases", "reserved")
)
"""All needed, even when empty, and `reserved` last: so a file cut off between two lines is seen."""

DIRECTORY_OPTIONAL = frozenset(("approve", "retired"))
RETIRED = frozenset(("was", "since"))
PROVINCE = frozenset(("name", "domain", "timezone"))
MANY = 1_000_000
FIGURES = {
    "quota_gb": 1000, "agency_quota_gb": 1000, "message_mb": 200, "message_recipients": 5000,
    "alias_months": 120,
    "mailbox_kept_months": 240, "mailbox_archived_days": 3650,
    "confirm_days": 90, "password_min_length": 18,
    "guard_people_percent": 100, "guard_agency_percent": 100,
    "inactive_months": 60, "usage_months": 60,
    "lockout_guesses": 100, "lockout_minutes": 1440, "lockout_accounts": 1000,
    "lockout_account_guesses": 1000, "lockout_known_days": 366,
    "spam_grey_score": 100, "spam_junk_score": 100, "spam_reject_score": 1000,
    "send_messages": 100000, "send_recipients": 100000, "send_burst": 10000,
    "send_keeper_times": 100, "incident_recipients": 1000000, "incident_spam": 1000,
    "incident_bounces": 10000, "incident_unknown": 10000,
}  # fmt: skip
"""And the largest that is no slip of the finger; first passwords have 18 characters or more."""
NETWORKS = {4: (8, 32), 6: (20, 64)}
"""Bits that addresses of the largest and of the smallest network have in common; of IPv6, guesses
are counted by the /64 (danhba/lockout/sources.py)."""
SMALLEST = {"password_min_length": 8, "message_recipients": 100}
"""NIST SP 800-63B 5.1.1.2, RFC 5321 4.5.3.1.8. Of all other figures 1."""
DEFAULTS = {
    "message_recipients": 500,
    "mailbox_kept_months": 12, "mailbox_archived_days": 30,
    "alias_months": 12, "confirm_days": 7, "password_min_length": 12,
    "guard_people_percent": 5, "guard_agency_percent": 30,
    "inactive_months": 6, "usage_months": 12,
    "lockout_guesses": 10, "lockout_minutes": 15, "lockout_accounts": 20,
    "lockout_account_guesses": 50, "lockout_known_days": 60,
    "spam_grey_score": 4, "spam_junk_score": 6, "spam_reject_score": 15,
    "send_messages": 200, "send_recipients": 200, "send_burst": 30, "send_keeper_times": 5,
    "incident_recipients": 400, "incident_spam": 10, "incident_bounces": 30,
    "incident_unknown": 30,
}  # fmt: skip
"""Figures of policy that need not be written."""
POLICY = frozenset(FIGURES.keys() - DEFAULTS.keys())
POLICY_OPTIONAL = frozenset(
    (
        *DEFAULTS,
        "protected",
        "kind_quota_gb",
        "holidays",
        "working_days",
        "secrecy",
        "block_lists",
        "own_networks",
        "free_mail",
        "dmarc_reports",
        "arc_sealers",
        "bad_links",
        "link_lists",
        "macros",
        "incidents",
    )
)
SECRECY = frozenset(("contact",))
FREE_MAIL_OPTIONAL = frozenset(("domains", "action"))
FREE_MAIL = FreeMail(
    (
        "gmail.com", "googlemail.com", "yahoo.com", "yahoo.com.vn", "ymail.com", "rocketmail.com",
        "outlook.com", "outlook.com.vn", "hotmail.com", "hotmail.com.vn", "live.com", "msn.com",
        "icloud.com", "me.com", "aol.com", "gmx.com", "mail.com", "zohomail.com", "proton.me",
        "protonmail.com", "yandex.com", "mail.ru", "qq.com", "163.com",
    ),
    "reported",
)  # fmt: skip
"""What it is when it is not written."""
INCIDENTS = frozenset(("contact",))
REQUEST = frozenset(("agency", "date", "signer"))
REQUEST_OPTIONAL = frozenset(("sha256",))
AGENCY = frozenset(("kind", "name", "keepers", "staff"))
AGENCY_OPTIONAL = frozenset(
    ("account", "parent", "it_officer", "decision", "closed", "exception", "quota")
)
CLOSURE = frozenset(("from", "decision"))
CLOSURE_OPTIONAL = frozenset(("successors", "until"))
EXEMPTION = frozenset(("decision", "reason"))
LEAVE = frozenset(("until", "decision"))
QUOTA = frozenset(("gb", "decision"))
PERSON = frozenset(("id", "name", "address", "since", "request"))
DECIDED = PERSON - {"request"}
"""Of who rests on a decision instead of an agency's list."""
STATUS = frozenset(("from", "reason", "locked", "confirm_by"))
PERSON_OPTIONAL = frozenset(
    ("account", "changed", "decision", "title", "given_name", "status", *STATUS, "leave",
     "exception", "quota")
)  # fmt: skip
ALIAS = frozenset(("to",))
ALIAS_OPTIONAL = frozenset(("until",))
APPROVAL = frozenset(("people", "agencies", "protected"))
