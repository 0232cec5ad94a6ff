"""directory.schema.json: as the model gives it, and of one mind with load about every form."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator, FormatChecker

from danhba import generate, load, load_policy
from danhba.check import check_text
from danhba.commands import main
from danhba.fmt import ORDER, formatted
from danhba.project import ROOT
from danhba.schema import _ENTRIES, DESCRIPTIONS, schema, schema_text

HERE = Path(__file__).parent
LINE = "# yaml-language-server: $schema=directory.schema.json\n"

FULL = """\
province: {name: An Giang, domain: angiang.gov.vn, timezone: Asia/Ho_Chi_Minh}
legal_basis: [50/2009/QĐ-UBND]
policy:
  quota_gb: 2
  agency_quota_gb: 10
  kind_quota_gb: {so: 20, xa: 5}
  message_mb: 30
  alias_months: 6
  mailbox_kept_months: 24
  mailbox_archived_days: 60
  confirm_days: 5
  message_recipients: 300
  password_min_length: 10
  guard_people_percent: 100
  guard_agency_percent: 1
  lockout_guesses: 5
  lockout_minutes: 30
  lockout_accounts: 10
  lockout_account_guesses: 40
  lockout_known_days: 30
  send_messages: 100
  send_recipients: 5
  send_burst: 20
  send_inside: 5
  send_inside_burst: 350
  send_answers: 40
  send_keeper_times: 3
  incident_recipients: 900
  incident_inside: 800
  incident_spam: 5
  incident_bounces: 20
  incident_unknown: 15
  spam_grey_score: 3
  spam_junk_score: 5
  spam_reject_score: 12
  macros: accepted
  protected: [sotaichinh]
  inactive_months: 6
  usage_months: 24
  holidays: [2026-01-01, 2026-04-30]
  working_days: [2026-12-26]
  secrecy: {contact: "Văn thư mật, 0296 3852 000"}
  block_lists: [zen.spamhaus.org, bl.ngoaitinh.test]
  own_networks: [10.20.0.0/16, 2001:db8:20::/48]
  free_mail: {domains: [gmail.com, yahoo.com.vn], action: refused}
  archive: {years: 20, kinds: {so: 30, xa: 5}}
  incidents: {contact: sotaichinh}
  dmarc_reports: sotaichinh
  arc_sealers: [lists.example.org]
  bad_links: [example.net]
  link_lists: [dbl.spamhaus.org]
  backup: {days: 7, weeks: 4, months: 6}
  engineers: [Nguyễn Văn An, Trần Thị Bình]
requests:
  12/CV-STC: {agency: sotaichinh, date: 2026-11-02, signer: Chánh Văn phòng, sha256: %s}
agencies:
  sotaichinh:
    kind: so
    name: Sở Tài chính
    account: sotc
    decision: 9/QĐ-UBND
    keepers: [nvan]
    it_officer: nvan
    quota: {gb: 40, decision: 10/QĐ-STTTT}
    staff:
      - {id: "10234", name: Nguyễn Văn An, address: nvan, since: 2026-11-05, request: 12/CV-STC, \
title: Chuyên viên, quota: {gb: 5, decision: 9/QĐ-STTTT}}
      - {id: "10235", name: Trần Thị Kim Ngân, given_name: Ngân, address: ttkngan, account: ngan, \
since: 2026-11-05, decision: 4/QĐ-STTTT, changed: 2026-11-06, \
leave: {until: 2027-05-31, decision: 12/QĐ-STC}, exception: {decision: 7/QĐ-STTTT, reason: tên cũ}}
      - {id: "10236", name: Đặng Đức Đạt, address: dddat, since: 2026-11-05, request: 12/CV-STC, \
status: locked, from: 2026-11-09, reason: lộ mật khẩu, confirm_by: 2099-11-16}
      - {id: "10237", name: Lê Văn Lộc, address: lvloc, since: 2026-11-05, decision: 5/QĐ-STC, \
status: withdrawn, from: 2099-12-01, reason: nghỉ hưu, locked: 2026-11-09, confirm_by: 2099-11-16}
  chomoi:
    kind: huyen
    name: Huyện Chợ Mới
    keepers: []
    closed: {from: 2026-12-01, decision: 8/QĐ-UBND, successors: [sotaichinh], until: 2027-11-30}
    staff: []
  noivu.chomoi:
    kind: phong
    name: Phòng Nội vụ
    parent: chomoi
    keepers: []
    exception: {decision: 7/QĐ-STTTT, reason: tên cũ}
    staff: []
aliases:
  sotc: {to: sotaichinh, until: 2027-06-30}
  ngan: {to: ttkngan}
approve:
  8/QĐ-UBND: {people: 3, agencies: {sotaichinh: 3}, protected: [sotaichinh]}
holds:
  12/2026/TTr: {authority: Thanh tra tỉnh, request: 55/CV-TTT, date: 2026-11-20, \
addresses: [nvan, sotc], from: 2026-01-01, to: 2026-11-30, note: thư với nhà thầu, \
released: {from: 2027-03-01, decision: 90/CV-TTT}}
retired:
  nvanh: {was: Ngô Vĩnh Anh, since: 2026-11-20}
reserved: [hotro]
""" % ("a0" * 32)
"""Every key of the language stands in it once at least, and nothing is wrong with it."""


class Editor(yaml.SafeLoader):
    """Reads as yaml-language-server does, by the core schema of YAML 1.2: a date is text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012


for tag, form, first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", "null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", "[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)", "-+.0123456789"),
):
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"({form})$"), first)

VALIDATOR = Draft7Validator(schema(), format_checker=FormatChecker(["date"]))


def seen(text: str) -> Any:
    return yaml.load(text, Editor)


def marks(tree: Any) -> list[str]:
    """What an editor marks."""
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(tree)]


def loads(text: str) -> bool:
    return load.load_text(text.encode(), "x.yaml")[0] is not None


def errors(text: str) -> list[str]:
    findings = check_text(text.encode(), "x.yaml", date(2026, 11, 20))[1]
    return [str(each) for each in findings if each.severity == "error"]


# The schema and the model


def test_the_file_is_what_the_model_gives() -> None:
    text = (ROOT / "directory.schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), "danhba schema >directory.schema.json"


def test_the_command_prints_it() -> None:
    done = CliRunner().invoke(main, ["schema"])
    assert (done.exit_code, done.output) == (0, schema_text())


def test_it_is_a_schema_of_draft_07() -> None:
    Draft7Validator.check_schema(json.loads(schema_text()))


def test_every_key_is_described() -> None:
    assert {sort: list(keys) for sort, keys in DESCRIPTIONS.items()} == {
        sort: list(keys) for sort, keys in ORDER.items()
    }


def test_every_key_of_load_is_known() -> None:
    optional = {
        "directory": load.DIRECTORY_OPTIONAL, "policy": load_policy.POLICY_OPTIONAL,
        "request": load.REQUEST_OPTIONAL, "agency": load.AGENCY_OPTIONAL,
        "closed": load.CLOSURE_OPTIONAL, "alias": load.ALIAS_OPTIONAL,
        "person": load.PERSON | load.PERSON_OPTIONAL, "approval": load.APPROVAL,
        "hold": load.HOLD_OPTIONAL,
        "free_mail": load_policy.FREE_MAIL_OPTIONAL, "archive": load_policy.ARCHIVE_OPTIONAL,
    }  # fmt: skip
    for sort, (_, needed) in _ENTRIES.items():
        assert set(ORDER[sort]) == needed | optional.get(sort, frozenset())


def objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.get("type") == "object":
            yield part
        for value in part.values():
            yield from objects(value)


def test_no_unknown_key_passes_and_names_have_a_form() -> None:
    for part in objects(schema()):
        assert part["additionalProperties"] is False or (
            {"pattern", "enum"} & part["propertyNames"].keys()
        )


# What it takes


@pytest.mark.parametrize("people", [344, 1000])
def test_generated_directories_pass(people: int) -> None:
    text = generate.generate(people, people)
    assert loads(text)
    assert marks(seen(text)) == []


@pytest.mark.parametrize("path", [ROOT / "directory.yaml", HERE / "good.yaml"], ids=str)
def test_files_in_use_pass(path: Path) -> None:
    assert marks(seen(path.read_text(encoding="utf-8"))) == []


def test_a_directory_with_every_key_passes() -> None:
    assert errors(FULL) == []
    assert marks(seen(FULL)) == []
    assert {key for keys in ORDER.values() for key in keys} <= set(re.findall(r"\w+(?=:)", FULL))


# What it marks

OF_FORM = (
    "address_in_different_case", "address_too_long", "address_with_newline",
    "address_with_shell_characters", "agency_name_with_a_blank_letter", "agency_with_newline",
    "arc_sealer_that_is_an_address", "archive_of_an_unknown_kind", "archive_without_years",
    "archive_of_a_thousand_years",
    "backup_without_months", "backup_for_ever",
    "alias_that_turns_the_text", "alias_until_no_date", "approval_with_newline",
    "confirm_by_of_the_withdrawn", "block_list_that_is_an_address", "contact_with_a_percent_sign",
    "control_character_in_a_name", "date_in_local_form", "fifty_recipients",
    "date_that_does_not_exist", "deep_nesting", "domain_with_a_space", "empty",
    "from_without_status", "holiday_that_is_no_date", "inactive_months_of_no_months",
    "incidents_without_contact", "no_burst",
    "leave_without_decision", "lockout_for_two_days", "macros_perhaps",
    "missing_key", "name_in_another_script",
    "name_of_no_letters", "password_of_seven",
    "name_with_a_joiner", "name_with_a_stroke", "own_network_that_is_an_address",
    "free_mail_blocked", "free_mail_of_an_address",
    "no_value", "null_is_text",
    "number_as_id", "only_comments", "person_without_request_and_decision",
    "quota_of_a_kind_that_is_no_number", "quota_of_an_unknown_kind",
    "quota_that_no_server_has", "quota_without_decision",
    "request_of_unknown_agency", "request_with_newline", "request_without_a_number",
    "retired_with_invisible_letter", "status_unknown", "status_without_from",
    "status_without_reason", "title_that_is_invisible",
    "true_as_key",
    "truncated_before_the_last_key", "truncated_between_lines", "unknown_key", "unknown_kind",
    "unknown_section", "working_days_that_are_no_list", "wrong_type_list",
    "wrong_type_mapping", "wrong_type_number",
    "wrong_type_root", "wrong_type_text",
)  # fmt: skip
NOT_OF_SCHEMA = (
    "anchors_that_expand", "control_character", "duplicate_agency", "duplicate_key",
    "invalid_utf8", "merge_key", "second_document", "tab_indentation", "tag",
    "truncated_in_an_entry", "unclosed_list", "utf16",
    "staff_code_with_a_blank", "bad_link_twice", "block_list_twice", "own_network_twice",
    "free_mail_twice", "free_mail_of_the_state",
    # arithmetic
    "own_network_that_is_no_network", "own_network_of_everybody",
    "own_network_of_one_ipv6_address",
    # two keys that must fit each other
    "spam_refused_before_it_is_junk", "incident_before_the_limit",
    "incident_before_the_limit_inside",
    # true in YAML 1.1, and text in YAML 1.2, which editors read
    "no_is_text", "on_is_text",
)  # fmt: skip
"""What load refuses of YAML itself: there a reader decides before a schema has its say."""


@pytest.mark.parametrize("name", OF_FORM)
def test_a_fault_of_form_is_marked(name: str) -> None:
    assert marks(seen((HERE / f"bad/{name}.yaml").read_text(encoding="utf-8")))


def test_every_bad_file_that_load_refuses_is_of_one_sort_or_the_other() -> None:
    paths = [path for path in (HERE / "bad").glob("*.yaml") if load.load(path)[0] is None]
    assert {path.stem for path in paths} - set(OF_FORM) == set(NOT_OF_SCHEMA)


RULES = {
    "neither request nor decision": (", decision: 4/QĐ-STTTT", ""),
    "status alone": (", from: 2026-11-09, reason: lộ mật khẩu, confirm_by: 2099-11-16", ""),
    "no reason": (", reason: lộ mật khẩu", ""),
    "no first day": (", from: 2026-11-09", ""),
    "no status": ("status: locked, ", ""),
    "confirm_by alone": ("status: locked, from: 2026-11-09, reason: lộ mật khẩu, ", ""),
    "confirm_by of who is withdrawn": ("status: locked", "status: withdrawn"),
    "unknown status": ("status: locked", "status: gone"),
    "lock of who is locked": ("reason: lộ mật khẩu", "reason: lộ mật khẩu, locked: 2026-11-09"),
    "lock of who is active": (
        "status: withdrawn, from: 2099-12-01, reason: nghỉ hưu, locked: 2026-11-09, "
        "confirm_by: 2099-11-16",
        "locked: 2026-11-09",
    ),
    "confirm_by of the withdrawn": (", locked: 2026-11-09", ""),
    "figure above its limit": ("message_mb: 30", "message_mb: 201"),
    "figure below its limit": ("password_min_length: 10", "password_min_length: 7"),
    "figure of nothing": ("people: 3", "people: 0"),
    "figure in quotes": ("alias_months: 6", 'alias_months: "6"'),
    "sha256 cut short": ("a0a0a0a0", "a0a0a0a"),
    "month 13": ("2027-06-30", "2027-13-30"),
    "blank text": ("title: Chuyên viên", 'title: " "'),
    "two lines": ("title: Chuyên viên", r'title: "Chuyên\nviên"'),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_load_is_one_of_the_schema(rule: str) -> None:
    before, after = RULES[rule]
    assert before in FULL
    text = FULL.replace(before, after, 1)
    assert not loads(text)
    assert marks(seen(text))


def places(tree: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to everything in a tree."""
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield (*above, key)
            yield from places(tree[key], (*above, key))


def changed(tree: Any, place: tuple[Any, ...], *value: Any) -> Any:
    """tree with another value at a place, or without it."""
    tree = copy.deepcopy(tree)
    part = tree
    for key in place[:-1]:
        part = part[key]
    if value:
        part[place[-1]] = value[0]
    else:
        del part[place[-1]]
    return tree


@pytest.mark.parametrize("value", [(), (7,), (None,), (True,), ([],), ({},), ("",)], ids=str)
def test_schema_and_load_agree_on_every_place(value: tuple[Any, ...]) -> None:
    """Whatever is taken away or of another type."""
    whole = seen(FULL)
    for place in places(whole):
        tree = changed(whole, place, *value)
        text = yaml.safe_dump(tree, allow_unicode=True, width=1000)
        assert loads(text) == (marks(tree) == []), (place, marks(tree))


# The line that names it


def test_a_generated_directory_names_the_schema_first() -> None:
    assert generate.generate(344, 1).startswith(LINE)
    assert (ROOT / "directory.yaml").read_text(encoding="utf-8").startswith(LINE)


def test_the_line_stays_on_top_whatever_moves() -> None:
    head, rest = FULL.split("policy:\n")
    text = formatted(f"{LINE}# of policy\npolicy:\n{rest}{head}".encode(), "x.yaml")
    assert text == formatted(f"{LINE}{head}# of policy\npolicy:\n{rest}".encode(), "x.yaml")
    assert text.startswith(LINE)
