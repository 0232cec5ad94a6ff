"""directory.yaml to the model: every key known, every value of its type, all findings at once.

What entries mean to each other (references, one name space) is danhba.check's matter.
"""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from danhba.findings import Finding, shown
from danhba.garbage import no_garbage
from danhba.load_policy import FIGURES, PolicyReader
from danhba.model import (
    Agency,
    Alias,
    Approval,
    Closure,
    Directory,
    Exemption,
    Hold,
    Leave,
    Person,
    Province,
    Quota,
    Release,
    Request,
    Reserved,
    Retired,
    Status,
)
from danhba.naming import KINDS
from danhba.source import Mapping, Node, parse
from danhba.values import DOMAIN, MANY, SHA256, TIMEZONE, Day


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


class _Reader(PolicyReader):
    """Reads nodes as entries of the model. After a finding it goes on with a stand-in value."""

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
        holds: tuple[Hold, ...] = ()
        if "holds" in fields:
            holds = self.each(fields["holds"], "holds", self.hold)
        basis = self.texts(fields["legal_basis"], "legal_basis")
        if province is None or policy is None:
            return None
        return Directory(
            self.file, province, basis, policy, requests, agencies, aliases, approve, holds,
            retired, reserved,
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

    def hold(self, case: str, node: Node) -> Hold | None:
        fields = self.fields(node, f"hold {shown(case)}", HOLD, HOLD_OPTIONAL)
        if fields is None:
            return None

        def address(item: Node) -> str:
            return self.text(item, "an entry of addresses")

        return Hold(
            case,
            self.text(fields["authority"], "the authority of a hold"),
            self.text(fields["request"], "the request of a hold"),
            self.date(fields["date"], "the date of a hold"),
            self.once(fields["addresses"], "addresses", address),
            self.date(fields["from"], "from"),
            self.optional_date(fields, "to"),
            self.optional(fields, "note"),
            self.release(fields["released"]) if "released" in fields else None,
            node.line,
        )

    def release(self, node: Node) -> Release | None:
        fields = self.fields(node, "released", RELEASE)
        if fields is None:
            return None
        decision = self.text(fields["decision"], "the decision of a release")
        return Release(self.date(fields["from"], "from"), decision, node.line)

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

DIRECTORY_OPTIONAL = frozenset(("approve", "holds", "retired"))
RETIRED = frozenset(("was", "since"))
PROVINCE = frozenset(("name", "domain", "timezone"))
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
HOLD = frozenset(("authority", "request", "date", "addresses", "from"))
HOLD_OPTIONAL = frozenset(("to", "note", "released"))
RELEASE = frozenset(("from", "decision"))
