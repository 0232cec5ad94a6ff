"""`policy` of directory.yaml to the model: figures, their limits and defaults, lists, choices."""

from __future__ import annotations

from ipaddress import ip_network

from danhba.backup.figures import KEPT, Backup
from danhba.findings import shown
from danhba.letters import folded
from danhba.model import (
    Archive,
    Contact,
    FreeMail,
    FreeMailAction,
    Macros,
    Policy,
    Secrecy,
)
from danhba.naming import KINDS
from danhba.source import Node
from danhba.values import CONTACT, DOMAIN, NAME, NETWORK, Day, Values


class PolicyReader(Values):
    """Reads `policy`."""

    def figure(self, node: Node, key: str, limit: int) -> int:
        found, smallest = self.positive(node, key, limit), SMALLEST.get(key, 1)
        if found < smallest:
            self.refuse(node.line, f"{key} is {found}: too little", f"write at least {smallest}")
        return found

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
        reports, own = fields.get("dmarc_reports"), fields.get("own_networks")
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
            own_networks=self.once(own, "own_networks", self.network) if own else (),
            free_mail=self.free_mail(fields["free_mail"]) if "free_mail" in fields else FREE_MAIL,
            archive=self.archive(fields["archive"]) if "archive" in fields else ARCHIVE,
            incidents=self.incidents(fields),
            dmarc_reports=self.text(reports, "dmarc_reports") if reports else "",
            arc_sealers=self.domains(fields, "arc_sealers", "a sealer", "lists.example.org"),
            bad_links=self.domains(fields, "bad_links", "a bad link", "example.org"),
            link_lists=self.domains(fields, "link_lists", "a link list", "dbl.spamhaus.org"),
            backup=self.backup(fields["backup"]) if "backup" in fields else KEPT,
            engineers=self.engineers(fields["engineers"]) if "engineers" in fields else (),
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
        for name in ("recipients", "inside"):
            limit, alarm = figures[f"send_{name}"], figures[f"incident_{name}"]
            if alarm <= limit:
                message = f"incident_{name} is {alarm}, and {limit} may be written to in an hour"
                self.refuse(line, message, f"make it larger than send_{name}", "Điều 8.7")

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
        """A list that need not be there; a block list twice in it would have two votes."""

        def domain(item: Node) -> str:
            return self.matching(item, noun, DOMAIN, example)

        return self.once(fields[key], key, domain) if key in fields else ()

    def free_mail(self, node: Node) -> FreeMail:
        fields = self.fields(node, "free_mail", frozenset(), FREE_MAIL_OPTIONAL)
        if fields is None:
            return FREE_MAIL
        domains = FREE_MAIL.domains
        if "domains" in fields:
            domains = self.once(fields["domains"], "domains", self.free_domain)
        action = FREE_MAIL.action
        if "action" in fields:
            action = self.free_mail_action(fields["action"])
        return FreeMail(domains, action)

    def free_domain(self, node: Node) -> str:
        domain = self.matching(node, "a free-mail service", DOMAIN, "gmail.com")
        if domain.endswith(".gov.vn"):
            message = f"{domain} belongs to the state, and is no free-mail service"
            self.refuse(node.line, message, "delete it", "Điều 4.2")
        return domain

    def free_mail_action(self, node: Node) -> FreeMailAction:
        text = self.text(node, "the action of free_mail")
        if text == "refused":
            return "refused"
        if text != "reported":
            message = f"the action of free_mail cannot be {shown(text)}"
            self.refuse(node.line, message, "write reported or refused")
        return "reported"

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

    def backup(self, node: Node) -> Backup:
        fields = self.fields(node, "backup", BACKUP_KEYS)
        if fields is None:
            return KEPT
        return Backup(**{key: self.positive(fields[key], key, BACKUP_LIMITS[key])
                         for key in BACKUP_LIMITS})  # fmt: skip

    def engineers(self, node: Node) -> tuple[str, ...]:
        """Written another way, a name is the same name: who is there twice would approve twice."""
        names = self.once(node, "engineers", self.engineer)
        if len({folded(name) for name in names}) < len(names):
            self.refuse(node.line, "an engineer is there twice, in other letters", "keep one")
        return names

    def engineer(self, node: Node) -> str:
        name = self.matching(node, "an engineer", NAME, "Nguyễn Văn An")
        if len(name.split()) < 2:
            self.refuse(
                node.line, f"{shown(name)} is no full name", "write it in two words or more"
            )
        return name

    def dates(self, fields: dict[str, Node], key: str) -> tuple[Day, ...]:
        """A list that need not be there."""
        items = self.items(fields[key], key) if key in fields else []
        return tuple(self.date(item, f"an entry of {key}") for item in items)

    def archive(self, node: Node) -> Archive:
        fields = self.fields(node, "archive", ARCHIVE_NEEDED, ARCHIVE_OPTIONAL)
        if fields is None:
            return ARCHIVE
        years = self.positive(fields["years"], "years", YEARS)
        kinds = fields.get("kinds")
        return Archive(years, self.by_kind(kinds, "kinds", YEARS) if kinds else ())

    def rooms(self, node: Node) -> tuple[tuple[str, int], ...]:
        """Gigabytes for agencies of single kinds."""
        return self.by_kind(node, "kind_quota_gb", FIGURES["agency_quota_gb"])

    def by_kind(self, node: Node, key: str, limit: int) -> tuple[tuple[str, int], ...]:
        """A figure for agencies of single kinds."""
        entries = self.entries(node, key)
        for kind, value in entries.items():
            if kind not in KINDS:
                self.no_kind(kind, value.line)
        return tuple((kind, self.positive(value, kind, limit)) for kind, value in entries.items())


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
    "send_inside": 100000, "send_inside_burst": 100000, "send_answers": 100000,
    "send_keeper_times": 100, "incident_inside": 1000000, "incident_recipients": 1000000,
    "incident_spam": 1000,
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
    "send_inside": 600, "send_inside_burst": 400, "send_answers": 50,
    "incident_recipients": 400, "incident_inside": 900, "incident_spam": 10, "incident_bounces": 30,
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
        "archive",
        "incidents",
        "backup",
        "engineers",
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
YEARS = 100
"""The most that no slip of the finger is; what is kept for ever goes to the state's archive."""
ARCHIVE_NEEDED = frozenset(("years",))
ARCHIVE_OPTIONAL = frozenset(("kinds",))
ARCHIVE = Archive(10, ())
"""What it is when it is not written: too long does no harm that too short would not do."""
INCIDENTS = frozenset(("contact",))
BACKUP_LIMITS = {"days": 90, "weeks": 60, "months": 240}
"""And the largest: what is kept longer is an archive's matter."""
BACKUP_KEYS = frozenset(BACKUP_LIMITS)
