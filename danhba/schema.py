"""JSON Schema of directory.yaml, so that editors complete its keys and mark errors of form.

Keys, types, figures and patterns come from the model, danhba.load, danhba.fmt and danhba.naming;
only what a key means is said here. Draft-07 is what yaml-language-server knows in full. What
entries owe each other (references, one name space) remains danhba check's matter.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import date
from types import UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from danhba import load, load_policy, values
from danhba.backup.figures import Backup
from danhba.fmt import ORDER
from danhba.model import (
    Agency,
    Alias,
    Approval,
    Archive,
    Closure,
    Contact,
    Directory,
    Exemption,
    FreeMail,
    Hold,
    Leave,
    Person,
    Policy,
    Province,
    Quota,
    Release,
    Request,
    Retired,
    Secrecy,
    Status,
)
from danhba.names import LOCAL_PART, MAX_OCTETS
from danhba.naming import KINDS

Schema: TypeAlias = dict[str, Any]

_ENTRIES: dict[str, tuple[type, frozenset[str]]] = {
    "directory": (Directory, load.DIRECTORY),
    "province": (Province, load.PROVINCE),
    "policy": (Policy, load_policy.POLICY),
    "secrecy": (Secrecy, load_policy.SECRECY),
    "free_mail": (FreeMail, frozenset()),
    "archive": (Archive, load_policy.ARCHIVE_NEEDED),
    "incidents": (Contact, load_policy.INCIDENTS),
    "backup": (Backup, load_policy.BACKUP_KEYS),
    "request": (Request, load.REQUEST),
    "agency": (Agency, load.AGENCY),
    "closed": (Closure, load.CLOSURE),
    "exception": (Exemption, load.EXEMPTION),
    "leave": (Leave, load.LEAVE),
    "quota": (Quota, load.QUOTA),
    "person": (Person, load.DECIDED),
    "alias": (Alias, load.ALIAS),
    "approval": (Approval, frozenset()),
    "hold": (Hold, load.HOLD),
    "released": (Release, load.RELEASE),
    "retired": (Retired, load.RETIRED),
}
"""Each sort of ORDER as the model has it, and the keys it always needs."""

_SORTS = {entry: sort for sort, (entry, _) in _ENTRIES.items()}

_ELSEWHERE = {
    ("closed", "from"): (Closure, "since"),
    ("hold", "date"): (Hold, "asked"),
    ("hold", "from"): (Hold, "first"),
    ("hold", "to"): (Hold, "last"),
    ("released", "from"): (Release, "since"),
    ("person", "status"): (Status, "kind"),
    ("person", "from"): (Status, "since"),
    ("person", "reason"): (Status, "reason"),
    ("person", "locked"): (Status, "locked"),
    ("person", "confirm_by"): (Status, "confirm_by"),
}
"""Where the model keeps what has another name in the file, or stands in an entry of its own."""

_UNSEEN = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
"""Of what danhba.letters knows as not seen, that which somebody may have pasted."""

_FORMS: dict[str, tuple[str | re.Pattern[str], str]] = {
    "text": (rf"(?=.*\S)[^{_UNSEEN}]+", "Write plain letters on one line"),
    "address": (LOCAL_PART, "Use a-z and 0-9, with single dots or hyphens between them"),
    "date": (values.DATE, "Write the day as YYYY-MM-DD, as in 2026-11-05"),
    "domain": (values.DOMAIN, "Write it like angiang.gov.vn"),
    "timezone": (values.TIMEZONE, "Write it like Asia/Ho_Chi_Minh"),
    "sha256": (values.SHA256, "Write 64 digits 0-9a-f"),
    "network": (values.NETWORK, "Write it like 10.20.0.0/16 or 2001:db8:20::/48"),
    "contact": (values.CONTACT, "Write it in 3 to 100 letters, digits and simple signs"),
    "name": (values.NAME, "Type it in Vietnamese letters (TCVN 6909)"),
}
"""How text of each form looks, and what to do where it does not."""

_LIMITS: dict[str, Schema] = {"address": {"maxLength": MAX_OCTETS}, "date": {"format": "date"}}
"""What the pattern of a form leaves open."""

_FORM_OF = {
    "person.name": "name",
    "domain": "domain",
    "timezone": "timezone",
    "sha256": "sha256",
    "contact": "contact",
    "incidents.contact": "address",
    **dict.fromkeys(("block_lists", "arc_sealers", "bad_links", "link_lists"), "domain"),
    "own_networks": "network",
    "engineers": "name",
    "domains": "domain",
    **dict.fromkeys(("address", "account", "agency", "parent", "it_officer", "to"), "address"),
    "hold.addresses": "address",
    **dict.fromkeys(("keepers", "successors", "protected", "reserved"), "address"),
    "dmarc_reports": "address",
    **dict.fromkeys(("holidays", "working_days"), "date"),
}
"""By key, or by sort and key where the sort decides; the rest is plain text."""

_PERSON_RULES: Schema = {
    "anyOf": [{"required": ["request"]}, {"required": ["decision"]}],
    "dependencies": {
        "status": ["from", "reason"],
        **{key: ["status"] for key in sorted(load.STATUS)},
        "locked": {"required": ["status"], "properties": {"status": {"const": "withdrawn"}}},
        "confirm_by": {
            "required": ["status"],
            "anyOf": [{"properties": {"status": {"const": "locked"}}}, {"required": ["locked"]}],
        },
    },
}

DESCRIPTIONS = {
    "directory": {
        "province": "Name, domain and time zone of the province",
        "legal_basis": "Decisions that this directory rests on",
        "policy": "The figures of the regulation, or of the operator where it gives none",
        "requests": "The agencies' written lists, by their numbers (Điều 6.1, 6.2)",
        "agencies": "Agencies with their staff, by address (Điều 5.3)",
        "aliases": "Second names, by address; nobody logs in with them",
        "approve": "Decisions to disturb many, by number; one holds for the change that brings it",
        "holds": "Mail that an authority asked to keep, by its case (Điều 8.9)",
        "retired": "Names that somebody had and nobody gets again (Điều 5.3)",
        "reserved": "Names given to nobody; the last key, so that a file cut short is seen",
    },
    "province": {
        "name": "With diacritics",
        "domain": "All addresses end in it",
        "timezone": "Of all servers, as in the tz database",
    },
    "policy": {
        "quota_gb": "A person's mailbox, gigabytes (Điều 10.1)",
        "agency_quota_gb": "An agency's mailbox, gigabytes (Điều 10.1)",
        "kind_quota_gb": "The mailbox of agencies of a kind, gigabytes, instead",
        "message_mb": "The largest message, megabytes; base64 included",
        "message_recipients": "Of one message, at most (Điều 8.6)",
        "alias_months": "How long a name that was given up still receives",
        "mailbox_kept_months": "How long the mailbox of who is withdrawn is kept before it is "
        "archived (Điều 6.3, 8.9)",
        "mailbox_archived_days": "How long it then stays beside its archive",
        "confirm_days": "Within which an agency confirms a lock in writing (Điều 10.2.a)",
        "password_min_length": "Characters of a password, at least (Điều 10.2.a)",
        "guard_people_percent": "Share of all people above which a change needs an approval",
        "guard_agency_percent": "Share of one agency above which a change needs an approval",
        "lockout_guesses": "Different wrong passwords until a source is refused for an account",
        "lockout_minutes": "How long at first; twice as long every further time, up to a day",
        "lockout_accounts": "Accounts, none known from there, until their source is refused",
        "lockout_account_guesses": "Likewise for one account, from wherever it is not known",
        "lockout_known_days": "How long a network stays known after a login from there",
        "send_messages": "Of one account in an hour; one to the inside alone counts a tenth",
        "send_recipients": "Likewise; one inside counts a tenth of one outside",
        "send_burst": "Messages of one account in a minute, counted likewise",
        "send_inside": "Different addresses of the province of one account in an hour",
        "send_inside_burst": "Likewise in a minute",
        "send_answers": "To addresses outside, of one account's filter in an hour",
        "send_keeper_times": "As many times as much for who keeps an agency's mailbox",
        "incident_recipients": "Outside in an hour, asked for, until the account is suspended",
        "incident_inside": "Different addresses inside in an hour, asked for, likewise",
        "incident_spam": "Messages in an hour with the score of junk, likewise",
        "incident_bounces": "Addresses outside in an hour that nobody has, likewise",
        "incident_unknown": "Addresses inside in an hour that nobody has, likewise",
        "spam_grey_score": "Of rspamd, from which on strangers have to send again (Điều 8.6)",
        "spam_junk_score": "Of rspamd, from which on mail is filed as junk (Điều 8.6)",
        "spam_reject_score": "Of rspamd, from which on mail is refused (Điều 8.6)",
        "macros": "What becomes of Office documents with macros (Điều 8.6)",
        "protected": "Addresses that always need an approval, besides postmaster and abuse",
        "inactive_months": "Without access, after which a mailbox is withdrawn (Điều 6.4)",
        "usage_months": "How long it is known in which hours there was an access (Điều 10.1)",
        "holidays": "Days from Monday to Friday on which nobody works (Điều 10.1)",
        "working_days": "Days of a weekend that are worked by decision (Điều 10.1)",
        "secrecy": "What becomes of documents that bear a secrecy mark (Điều 4.4)",
        "block_lists": "DNS block lists of addresses from which no mail is taken (Điều 8.7)",
        "own_networks": "Of the province; never refused as a whole for guesses (Điều 8.7)",
        "free_mail": "Services that are not for work, and what becomes of mail to them (Điều 4.2)",
        "archive": "How long the archive keeps all mail (Điều 8.9)",
        "incidents": "What becomes of accounts that are misused (Điều 8.7)",
        "dmarc_reports": "Address from which DMARC's reports are sent and where others' arrive",
        "arc_sealers": "Domains whose word counts on who wrote what they hand on (RFC 8617)",
        "bad_links": "Domains to which no honest mail leads, with all below (Điều 8.6)",
        "link_lists": "DNS lists of such domains (Điều 8.6)",
        "backup": "How long backups are kept (Điều 8.9)",
        "engineers": "Who may approve an export, by full name; two of them each (Điều 8.4)",
    },
    "free_mail": {
        "domains": "Of the services: mail to and from them is counted by agency",
        "action": "What becomes of mail to them; it is counted in either case",
    },
    "archive": {
        "years": "From the day on which a message passed",
        "kinds": "For mail of agencies of a kind, instead; of several the longest",
    },
    "secrecy": {
        "contact": "Whom a sender calls whose mail was refused",
    },
    "incidents": {
        "contact": "Address that is told of a suspended account",
    },
    "backup": {
        "days": "All backups of so many days",
        "weeks": "Then one a week, of so many",
        "months": "Then one a month, of so many",
    },
    "request": {
        "agency": "Address of the agency that asks (Điều 6.1)",
        "date": "Of the list",
        "signer": "Who signed the list",
        "sha256": "Of the file that was received",
    },
    "agency": {
        "kind": "Decides the address (Điều 5.3.a)",
        "name": "As the decision has it",
        "account": "Name under which mailbox and password are kept, where not the address",
        "parent": "Address of the agency it belongs to",
        "keepers": "Addresses: who of its staff reads its mailbox (Điều 9.2.c)",
        "it_officer": "Address of a person: who looks after computers (Điều 9.2.b)",
        "decision": "What its present name rests on",
        "closed": "The end of the agency",
        "exception": "Why the address deviates from the rule (Điều 5.3.a)",
        "quota": "Room for mail other than policy has it",
        "staff": "One person, one line, in the order of addresses",
    },
    "closed": {
        "from": "The first day without the agency",
        "decision": "Number of the decision that closes it",
        "successors": "Addresses of agencies; the first one gets its mail",
        "until": "The last day on which the successor gets its mail",
    },
    "exception": {
        "decision": "Its number",
        "reason": "In words",
    },
    "leave": {
        "until": "The last day of the leave",
        "decision": "Its number",
    },
    "quota": {
        "gb": "Room, gigabytes",
        "decision": "Number of the decision that gives it",
    },
    "person": {
        "id": "Staff code in quotes; stays with the person, in whatever agency",
        "name": "With diacritics (TCVN 6909)",
        "given_name": "The word that is the given name, where it is not the last",
        "address": "Given once, by the rule (Điều 5.3.b)",
        "account": "Name under which mailbox and password are kept, where not the address",
        "since": "Day of registration",
        "request": "Number of the written list that the line rests on (Điều 6.1, 6.2)",
        "decision": "Number of the decision that the line rests on",
        "changed": "Day of the last transfer, reinstatement or change of name",
        "title": "What the person is",
        "status": "locked: neither logs in nor sends, and receives (Điều 10.2.a). "
        "withdrawn: does not receive either; the mailbox is kept (Điều 6.3)",
        "from": "The first day of the status",
        "reason": "Of the status",
        "locked": "First day of a lock, where a withdrawal lies ahead (Điều 10.2.a)",
        "confirm_by": "Until when the agency confirms a lock in writing (Điều 10.2.a)",
        "leave": "A long leave, in which nobody need access the mailbox (Điều 6.4)",
        "exception": "Why the address deviates from the rule (Điều 5.3.b)",
        "quota": "Room for mail other than policy has it",
    },
    "alias": {
        "to": "Address of a mailbox, or another alias: where the mail goes",
        "until": "The last day on which a name that was given up receives",
    },
    "approval": {
        "people": "How many people the change may disturb",
        "agencies": "How many people of which agencies, by address",
        "protected": "Which protected addresses the change may disturb",
    },
    "hold": {
        "authority": "Who asks, as it names itself",
        "request": "Number of its letter on file",
        "date": "Of the letter",
        "addresses": "Whose mail; all names of a mailbox count with one",
        "from": "The first day of the mail",
        "to": "The last day of the mail; without it also what is still to come",
        "note": "In words",
        "released": "The end of the hold; the line stays",
    },
    "released": {
        "from": "The first day without the hold",
        "decision": "Number of the paper that ends it",
    },
    "retired": {
        "was": "Who had it, in words",
        "since": "The day on which the line left the file (Điều 5.3)",
    },
}
"""What an editor shows of every key of ORDER."""


def schema_text() -> str:
    """The file directory.schema.json."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def schema() -> Schema:
    """The schema of directory.yaml as an editor reads it: YAML 1.2, where a date is text."""
    head = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "directory.yaml",
        "$comment": "Made by: danhba schema >directory.schema.json",
    }
    return {**head, **_entry("directory")}


def _entry(sort: str) -> Schema:
    described = DESCRIPTIONS[sort]
    rules = _PERSON_RULES if sort == "person" else {}
    return {
        "type": "object",
        "properties": {
            key: {"description": described[key], **_value(sort, key)} for key in ORDER[sort]
        },
        "required": [key for key in ORDER[sort] if key in _ENTRIES[sort][1]],
        "additionalProperties": False,
        **rules,
    }


def _value(sort: str, key: str) -> Schema:
    """Of one key, by its type in the model."""
    of = _type(sort, key)
    if get_origin(of) is tuple:
        return _several(sort, key, get_args(of)[0])
    if (sort, key) == ("agency", "kind"):
        return {"enum": list(KINDS)}
    if get_origin(of) is Literal:
        return {"enum": list(get_args(of))}
    if of is int:
        return _figure(key)
    if of is date:
        return _text("date")
    return _entry(_SORTS[of]) if of in _SORTS else _text(_form(sort, key))


def _type(sort: str, key: str) -> Any:
    """Of the value in the model, without the None of what is optional."""
    entry, name = _ELSEWHERE.get((sort, key), (_ENTRIES[sort][0], key))
    of = get_type_hints(entry)[name]
    return get_args(of)[0] if isinstance(of, UnionType) else of


def _several(sort: str, key: str, item: Any) -> Schema:
    """A list, or a mapping where what names each entry is not among the entry's own keys."""
    if get_origin(item) is tuple:
        figures = _mapping("address", _figure(key))
        return figures | {"propertyNames": {"enum": list(KINDS)}} if sort != "approval" else figures
    if item not in _SORTS:
        return {"type": "array", "items": _text(_form(sort, key))}
    named = fields(item)[0].name
    if named in ORDER[_SORTS[item]]:
        return {"type": "array", "items": _entry(_SORTS[item])}
    return _mapping(_FORM_OF.get(named, "text"), _entry(_SORTS[item]))


def _mapping(form: str, value: Schema) -> Schema:
    return {"type": "object", "propertyNames": _text(form), "additionalProperties": value}


def _figure(key: str) -> Schema:
    if key in ("years", "kinds"):
        return {"type": "integer", "minimum": 1, "maximum": load_policy.YEARS}
    key = "agency_quota_gb" if key in ("gb", "kind_quota_gb") else key
    limit = {**load_policy.FIGURES, **load_policy.BACKUP_LIMITS}.get(key, values.MANY)
    default = {"default": load_policy.DEFAULTS[key]} if key in load_policy.DEFAULTS else {}
    smallest = load_policy.SMALLEST.get(key, 1)
    return {"type": "integer", "minimum": smallest, "maximum": limit, **default}


def _form(sort: str, key: str) -> str:
    return _FORM_OF.get(f"{sort}.{key}", _FORM_OF.get(key, "text"))


def _text(form: str) -> Schema:
    pattern, remedy = _FORMS[form]
    found = {"type": "string", "pattern": _anchored(pattern), "patternErrorMessage": remedy}
    return found | _LIMITS.get(form, {})


def _anchored(pattern: str | re.Pattern[str]) -> str:
    """As a regular expression of ECMA-262, which is searched for and does not know \\Z."""
    text = pattern if isinstance(pattern, str) else pattern.pattern
    ended = text.replace(r"\Z", "$")
    return f"^(?:{ended})$"
