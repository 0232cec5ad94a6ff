"""Every bad directory under bad/ is a finding with file, line and what to do; none is an exception.

The files differ from good.yaml in one place each; their names say in which.
"""

from pathlib import Path

import pytest

from danhba.check import check_file, check_text
from danhba.findings import Finding

HERE = Path(__file__).parent
BAD = HERE / "bad"
EARLY = "if the file ends too early, restore it from git"
LETTERS = "use a-z and 0-9"

# file: [(line, part of the message, part of the remedy)]
CASES = {
    "empty": [(1, "the file is empty", "restore it from git")],
    "only_comments": [(1, "nothing but comments", "restore it from git")],
    "truncated_in_an_entry": [(21, "end of stream", EARLY)],
    "truncated_between_lines": [(2, "lacks aliases, reserved", EARLY)],
    "truncated_before_the_last_key": [(2, "lacks reserved", EARLY)],
    "unclosed_list": [(27, "that begins on line 26", "close what was opened")],
    "invalid_utf8": [(10, "not UTF-8", "save the file as UTF-8")],
    "utf16": [(1, "not UTF-8", "save the file as UTF-8")],
    "control_character": [(10, "U+0007", "delete the character")],
    "control_character_in_a_name": [(21, "unprintable", "on one line")],
    "tab_indentation": [(12, "a tab", "indent with spaces")],
    "duplicate_key": [(12, "'keepers' stands here again, first on line 11", "keep one")],
    "duplicate_agency": [
        (16, "again, first on line 8 (Sở Tài chính and Huyện Chợ Mới)", "keep one of the two"),
    ],
    "unknown_key": [(15, "unknown key 'titel'", "title")],
    "unknown_section": [(2, "lacks aliases", EARLY), (30, "unknown key 'alias'", "aliases")],
    "missing_key": [(21, "a person lacks id", "add id")],
    "wrong_type_list": [(11, "keepers is not a list", "keepers: [a, b]")],
    "wrong_type_text": [(10, "is not text", "write one word or phrase")],
    "wrong_type_mapping": [(27, "exception is not a mapping", "{key: value}")],
    "wrong_type_number": [(4, "quota_gb is not a whole number", "above 0")],
    "lockout_for_two_days": [(4, "lockout_minutes", "1440")],
    "spam_refused_before_it_is_junk": [(4, "nothing would be junk", "than spam_junk_score")],
    "macros_perhaps": [(4, "macros cannot be 'perhaps'", "refused or accepted")],
    "contact_with_a_percent_sign": [(4, "the contact cannot be", "Văn thư mật")],
    "block_list_that_is_an_address": [(4, "a block list cannot be", "zen.spamhaus.org")],
    "arc_sealer_that_is_an_address": [(4, "a sealer cannot be", "lists.example.org")],
    "bad_link_twice": [(4, "example.net is there twice", "keep one")],
    "reports_of_nobody": [(4, "dmarc_reports is 'khongai', which nobody has", "add an alias")],
    "block_list_twice": [(4, "zen.spamhaus.org is there twice", "keep one")],
    "own_network_twice": [(4, "2001:db8:20::/48 is there twice", "keep one")],
    "own_network_that_is_no_network": [(4, "'10.20.0.1/16' is no network", "10.20.0.0/16")],
    "own_network_that_is_an_address": [(4, "a network cannot be '10.20.0.1'", "10.20.0.0/16")],
    "own_network_of_everybody": [(4, "0.0.0.0/0 is too large", "/8 to /32")],
    "own_network_of_one_ipv6_address": [(4, "is too small", "/20 to /64")],
    "archive_of_an_unknown_kind": [(4, "no kind of agency 'cuc'", "use one of")],
    "archive_without_years": [(4, "archive lacks years", "add years")],
    "archive_of_a_thousand_years": [(4, "years is 1000", "at most 100")],
    "backup_without_months": [(4, "backup lacks months", "add months")],
    "backup_for_ever": [(4, "months is 999: too much", "at most 240")],
    "free_mail_blocked": [(4, "cannot be 'blocked'", "reported or refused")],
    "free_mail_of_an_address": [(4, "a free-mail service cannot be", "gmail.com")],
    "free_mail_twice": [(4, "gmail.com is there twice", "keep one")],
    "free_mail_of_the_state": [(4, "angiang.gov.vn belongs to the state", "delete it")],
    "fifty_recipients": [(4, "message_recipients is 50: too little", "at least 100")],
    "incident_before_the_limit": [(4, "200 may be written to in an hour", "make it larger")],
    "incident_before_the_limit_inside": [(4, "600 may be written to in an hour", "make it larger")],
    "incident_contact_of_nobody": [(4, "incidents names 'ctubnd'", "or delete it")],
    "incidents_without_contact": [(4, "incidents lacks contact", "add contact")],
    "no_burst": [(4, "send_burst is not a whole number", "above 0")],
    "password_of_seven": [(4, "password_min_length is 7: too little", "at least 8")],
    "wrong_type_root": [(1, "the directory is not a mapping", "{key: value}")],
    "quota_of_an_unknown_kind": [(4, "no kind of agency 'sở'", "use one of: so, ban")],
    "quota_of_a_kind_that_is_no_number": [(4, "so is not a whole number", "above 0")],
    "quota_without_decision": [(21, "quota lacks decision", "add decision")],
    "quota_that_no_server_has": [(26, "gb is 5000: too much", "at most 1000")],
    "no_is_text": [(21, "YAML takes no for true, false", 'write "no"')],
    "on_is_text": [(11, "YAML takes on for true, false", 'write "on"')],
    "true_as_key": [(16, "'true' is not text", 'write "true"')],
    "null_is_text": [(12, "it_officer has no value", "delete the key")],
    "no_value": [(12, "it_officer has no value", "delete the key")],
    "number_as_id": [(14, "YAML takes 10234 for a number", 'write "10234"')],
    "date_that_does_not_exist": [(29, "does not exist: 2026-02-30", "YYYY-MM-DD")],
    "date_in_local_form": [(29, "not a date: '06/11/2026'", "YYYY-MM-DD")],
    "unknown_kind": [(17, "no kind of agency 'quan'", "use one of: so, ban")],
    "domain_with_a_space": [(2, "cannot be 'angiang gov vn'", "like angiang.gov.vn")],
    "two_people_one_address": [
        (21, "first on line 14 (Nguyễn Văn An and Đặng Đức Đạt)", "lines 14 and 21"),
    ],
    "address_in_different_case": [
        (21, "'NVAN' is taken, first on line 14", "lines 14 and 21"),
        (21, "'NVAN' cannot be", LETTERS),
    ],
    "person_takes_agency_address": [(21, "'sotaichinh' is taken, first on line 8", "8 and 21")],
    "alias_takes_person_address": [(32, "'nvan' is taken, first on line 14", "14 and 32")],
    "reserved_by_the_operator": [(33, "'dddat' is taken, first on line 21", "21 and 33")],
    "reserved_by_rfc_2142": [(21, "'noc' is a name of the mail system", "take 'noc02'")],
    "person_with_two_addresses": [(29, "'10234' has an address already, on line 14", "keep one")],
    "agency_with_two_addresses": [(16, "two addresses, the first on line 8", "keep one")],
    "address_against_the_rule": [(21, "'datdd', not 'dddat'", "write dddat, or add")],
    "number_of_one_digit": [(21, "a number of two digits", "write dddat, or add")],
    "number_of_the_first": [(21, "a number of two digits", "write dddat, or add")],
    "agency_against_the_rule": [(16, "'hchomoi', not 'chomoi'", "write chomoi, or add")],
    "name_with_a_stroke": [(21, "U+0337, COMBINING SHORT SOLIDUS", "Vietnamese letters")],
    "name_with_a_joiner": [(21, r"'Đ\u034fặng Đức Đạt'", "on one line")],
    "name_of_no_letters": [(21, "cannot have U+002D, HYPHEN-MINUS", "Vietnamese letters")],
    "name_in_another_script": [(21, "CYRILLIC SMALL LETTER A", "Vietnamese letters")],
    "alias_loop": [
        (31, "'postmaster' -> 'taichinh' -> 'postmaster'", "point to a mailbox"),
        (32, "'taichinh' -> 'postmaster' -> 'taichinh'", "point to a mailbox"),
    ],
    "alias_to_itself": [(31, "'postmaster' -> 'postmaster'", "point to a mailbox")],
    "alias_to_outside": [
        (31, "taichinh.angiang@gmail.com', no mailbox", "address of a mailbox"),
        (32, "taichinh.angiang@gmail.com', no mailbox", "address of a mailbox"),
    ],
    "alias_to_nobody": [
        (31, "'postmaster' points to 'sotaichin'", "address of a mailbox"),
        (32, "'taichinh' points to 'sotaichin'", "address of a mailbox"),
    ],
    "unknown_keeper": [(22, "no person 'nvbn'", "address of a person")],
    "keeper_of_another_agency": [(22, "is of another agency", "name one of its staff")],
    "keeper_is_an_agency": [(22, "no person 'sotaichinh'", "address of a person")],
    "unknown_it_officer": [(8, "no person 'ttkngan02'", "address of a person")],
    "unknown_parent": [(22, "unknown agency 'chaudoc'", "another agency")],
    "unknown_request": [(29, "unknown request '13/CV-STC'", "written list")],
    "request_of_unknown_agency": [
        (6, "unknown agency 'soytế'", "address of an agency"),
        (14, "rests on request '12/CV-STC' of soytế", "cite a list of sotaichinh"),
        (15, "rests on request '12/CV-STC' of soytế", "cite a list of sotaichinh"),
    ],
    "address_with_newline": [(21, r"'dddat\nroot'", "on one line")],
    "address_with_shell_characters": [(21, "'dddat$(id)' cannot be", LETTERS)],
    "agency_with_newline": [(16, r"a key of agencies is empty or holds", "on one line")],
    "request_with_newline": [(6, r"'9/CV\n\nmột\x1b'", "on one line")],
    "request_without_a_number": [
        (6, "a key of requests is empty", "on one line"),
        (7, "a key of requests is empty", "on one line"),
    ],
    "alias_that_turns_the_text": [(32, r"'\u202eabc'", "on one line")],
    "approval_with_newline": [(34, r"'1/QĐ\n'", "one line"), (35, r"'chomoi\x1b'", "one line")],
    "retired_with_invisible_letter": [(34, r"'a\u3164b'", "on one line")],
    "title_that_is_invisible": [(15, r"'\u3164\ufe0f'", "on one line")],
    "agency_name_with_a_blank_letter": [(10, r"'Sở\u2800Tài chính'", "on one line")],
    "agency_in_another_script": [
        (16, "с is U+0441, CYRILLIC SMALL LETTER ES", LETTERS),
        (22, "unknown agency 'chomoi'", "another agency"),
    ],
    "address_too_long": [(21, "longer than 64 characters", "a shorter one")],
    "anchors_that_expand": [
        (34, "anchors and aliases ('&a')", "write the value out"),
        (35, "anchors and aliases ('&b')", "write the value out"),
        (36, "anchors and aliases ('&c')", "write the value out"),
    ],
    "merge_key": [(19, "merge keys", "write the entries out")],
    "tag": [(33, "os.system", "delete the tag")],
    "second_document": [(30, "a second document", "delete the line `---`")],
    "deep_nesting": [(33, "deeper than 8 levels", "indent it less")],
    # Statuses
    "staff_code_with_a_blank": [(21, "the staff code is '20001 '", 'write "20001"')],
    "status_unknown": [(15, "no status 'resting'", "locked or withdrawn")],
    "status_without_from": [(15, "who is withdrawn lacks from", "add from")],
    "status_without_reason": [(15, "who is withdrawn lacks reason", "add reason")],
    "from_without_status": [(15, "from stands without a status", "or delete the key")],
    "confirm_by_of_the_withdrawn": [(15, "confirm_by belongs to a lock", "delete the key")],
    "withdrawn_without_paper": [(15, "neither decision nor letter", "as request and its day as")],
    "locked_without_confirm_by": [(15, "no day is named until when", "add `confirm_by: ")],
    # Days
    "changed_before_since": [(15, "2026-11-03 lies before since", "put the days in order")],
    "from_before_since": [(15, "2026-11-04 lies before since", "put the days in order")],
    "confirm_by_before_from": [(15, "to be confirmed by 2026-11-19", "a later confirm_by")],
    "since_before_the_request": [(15, "since 2026-11-01 lies before the request", "on line 6")],
    "changed_before_the_request": [(15, "changed 2026-11-01 lies before the request", "on line 6")],
    # Paper
    "request_of_another_agency": [(21, "on request '12/CV-STC' of sotaichinh", "list of chomoi")],
    "person_without_request_and_decision": [(21, "a person lacks request", "add request")],
    # Ends of agencies
    "successor_unknown": [(22, "cannot be succeeded by 'sotttt'", "another agency")],
    "successor_of_itself": [
        (22, "cannot be succeeded by 'noivu.chomoi'", "another agency"),
        (22, "its own successor in the end", "correct one"),
    ],
    "successors_in_a_circle": [
        (30, "soyte is its own successor in the end", "correct one"),
        (36, "sonoivu is its own successor in the end", "correct one"),
    ],
    "successors_without_until": [(22, "goes to sotaichinh until no day", "a later day")],
    "until_before_the_end": [(22, "goes to sotaichinh until 2098-12-31", "a later day")],
    "until_without_successors": [(22, "has no successor", "or delete until")],
    # Names
    "account_that_is_no_alias": [(15, "account 'tranngan', no alias", "alias tranngan: {to: ttk")],
    "account_of_an_agency_that_is_no_alias": [(16, "account 'chomoicu', no alias", "put back")],
    "protected_unknown": [(4, "policy names 'ctubnd'", "or delete it")],
    "approve_unknown": [
        (34, "approval 8/QĐ-STTTT names 'ctubnd'", "or delete it"),
        (34, "approval 8/QĐ-STTTT names 'sotttt'", "or delete it"),
    ],
    "leave_without_decision": [(14, "leave lacks decision", "add decision")],
    "leave_before_registration": [
        (14, "is on leave until 2026-05-31, and registered on 2026-11-05", "in order"),
    ],
    "inactive_months_of_no_months": [(4, "inactive_months is not a whole number", "above 0")],
    "holiday_that_is_no_date": [(4, "an entry of holidays is not a date: 'Tết'", "YYYY-MM-DD")],
    "working_days_that_are_no_list": [(4, "working_days is not a list", "working_days: [a, b]")],
    "alias_until_no_date": [(32, "until is not a date: 'hết năm'", "YYYY-MM-DD")],
}


def errors(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def test_nothing_is_wrong_with_the_good_file() -> None:
    directory, findings = check_file(HERE / "good.yaml")
    assert [(each.line, each.severity, each.clause) for each in findings] == [
        (16, "warning", "Điều 9.2.b"), (22, "warning", "Điều 9.2.b"),
    ]  # fmt: skip
    assert directory is not None and len(directory.people) == 4


def test_every_bad_file_is_expected() -> None:
    assert {path.stem for path in BAD.glob("*.yaml")} == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_bad_file_is_found(name: str) -> None:
    path = BAD / f"{name}.yaml"
    findings = errors(check_file(path)[1])
    assert [finding.line for finding in findings] == [line for line, _, _ in CASES[name]]
    for finding, (line, message, remedy) in zip(findings, CASES[name], strict=True):
        assert finding.severity == "error"
        assert message in finding.message
        assert remedy in finding.remedy
        assert str(finding).startswith(f"{path}:{line}: error: ")
        assert "\n" not in str(finding)


def test_line_of_ten_megabytes() -> None:
    data = (HERE / "good.yaml").read_bytes() + b"# " + b"x" * 10_000_000 + b"\n"
    directory, [finding] = check_text(data, "directory.yaml")
    assert directory is None
    assert (finding.file, finding.line) == ("directory.yaml", 34)
    assert "10000002 bytes" in finding.message
    assert "one entry per line" in finding.remedy


def test_file_of_nothing_but_zeros() -> None:
    directory, findings = check_text(b"\0\n" * 100_000, "directory.yaml")
    assert directory is None
    assert 0 < len(findings) <= 20


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    directory, [finding] = check_file(tmp_path / "absent.yaml")
    assert directory is None
    assert "No such file" in finding.message


def test_all_findings_come_at_once() -> None:
    text = (HERE / "good.yaml").read_text(encoding="utf-8")
    text = text.replace('"10234"', "10234").replace("2026-11-06", "2026-02-30")
    findings = errors(check_text(text.replace("title:", "titel:").encode(), "directory.yaml")[1])
    assert [finding.line for finding in findings] == [14, 15, 29]


def test_chain_of_aliases_is_no_loop_but_may_lead_into_one() -> None:
    text = (HERE / "good.yaml").read_text(encoding="utf-8")
    chain = "".join(f"  alias{n}: {{to: alias{n + 1}}}\n" for n in range(9))
    chained = text.replace("reserved:", chain + "  alias9: {to: chomoi}\nreserved:")
    assert errors(check_text(chained.encode(), "directory.yaml")[1]) == []
    looped = chained.replace("to: chomoi", "to: alias8")
    findings = errors(check_text(looped.encode(), "directory.yaml")[1])
    assert [finding.line for finding in findings] == list(range(33, 43))
    assert "'alias7' -> 'alias8' -> 'alias9' -> 'alias8'" in findings[0].message


def test_cut_off_anywhere_is_found() -> None:
    """Wherever the file ends too early, something is found, unless only the end is missing."""
    data = (HERE / "good.yaml").read_bytes()
    whole = data.index(b"[hotro]") + len(b"[hotro]")
    for end in range(whole):
        findings = errors(check_text(data[:end], "directory.yaml")[1])
        assert findings, data[:end][-60:]
    assert errors(check_text(data[:whole], "directory.yaml")[1]) == []
