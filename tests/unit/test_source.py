"""Trees from text: what was written, with its lines, and no exception for any bytes."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from danhba import source
from danhba.check import check_text
from danhba.compile import compile_directory
from danhba.fmt import ORDER
from danhba.source import Mapping, Node, Scalar, Sequence, parse

GOOD = Path(__file__).parent / "good.yaml"

# Text that is nearly YAML finds more than text of any letters.
PIECES = st.sampled_from(
    (
        *("a", "đ", ": ", "\n", "  ", "- ", "{", "}", "[", "]", ", ", '"', "'", "#", "|", ">"),
        *("&x ", "*x", "!t ", "---\n", "...\n", "? ", "<<", "%YAML 1.1\n", "@", "`"),
        *("\t", "\r", "\0", "\u2028"),
    )
)


def plain(node: Node) -> object:
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(value) for key, value in node.entries.items()}


def tree(text: str) -> Node:
    node, findings = parse(text.encode(), "x.yaml")
    assert findings == []
    assert node is not None
    return node


@given(st.binary())
@example(b"\xef\xbb\xbf")
def test_never_raises_on_bytes(data: bytes) -> None:
    node, findings = parse(data, "x.yaml")
    assert (node is None) == bool(findings)


@given(st.lists(PIECES | st.characters(), max_size=60).map("".join))
@example("? [a]\n: b\n")
@example("a: b: c")
@example("%YAML 9.9\n---\na")
@example("[" * 5000)
@example("\ud800")
def test_never_raises_on_text(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    node, findings = parse(data, "x.yaml")
    assert (node is None) == bool(findings)
    last = data.count(b"\n") + 1
    assert all(0 <= finding.line <= last and finding.remedy for finding in findings)


LINES = st.sampled_from(
    (
        *("a:\n", "b:", "  - c\n", "- d\n", "x: |\n", "x: >\n", 'x: "\n', "'\n", '"', "[\n", "]\n"),
        *(
            "- {a: b, c: d}\n",
            "  - {a: b}\n",
            '    - {a: "10", b: Nguyễn Văn An}\n',
            "- - {a: b}\n",
        ),
        *("- {a: b, a: c}\n", "- {no: a}\n", "- {<<: a}\n", "- {a: b }\n", "- {a: b} # c\n"),
        *(
            "  - {a: b - c, d: 'e'}\n",
            "      e\n",
            "# f\n",
            "\n",
            "---\n",
            "- \ue0001\n",
            "{",
            "}\n",
        ),
    )
)


@settings(max_examples=500)
@given(st.lists(LINES, max_size=12).map("".join))
@example("- {a: b}\n  c\n")
@example("x: |\n  - {a: b}\n")
@example('x: "\n  - {a: b}\n  "\n')
@example("a:\n  - {a: b}\n  -\n  - [{a: b}]\n")
@example("- - - - - - -\n" + " " * 14 + "- {a: b}\n")
@example("- \ue0002\n- {a: b}\n")
def test_short_way_for_simple_lines_says_the_same(text: str) -> None:
    short = parse(text.encode(), "x.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "_ENTRY", re.compile("(?!)"))
        assert parse(text.encode(), "x.yaml") == short


def test_short_way_is_taken() -> None:
    text = 'a:\n  - {id: "10", name: Nguyễn Văn An}\n  - b\n'
    shorter, entries = source._set_aside(text)
    assert shorter == "a:\n  - \ue0002\n  - b\n"
    assert [plain(entry) for entry in entries.values()] == [{"id": "10", "name": "Nguyễn Văn An"}]


@given(st.data())
def test_damage_to_a_good_file_never_raises(data: st.DataObject) -> None:
    good = GOOD.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(good)))
    cut = data.draw(st.integers(0, 20))
    piece = data.draw(st.lists(PIECES, max_size=4).map("".join))
    text = good[:at] + piece + good[at + cut :]
    _, findings = check_text(text.encode(), "x.yaml")
    last = text.count("\n") + 1
    assert all(1 <= finding.line <= last and finding.remedy for finding in findings)


FULL = """\
province: {name: An Giang, domain: angiang.gov.vn, timezone: Asia/Ho_Chi_Minh}
legal_basis: [50/2009/QĐ-UBND]
policy: {quota_gb: 2, agency_quota_gb: 10, message_mb: 30, alias_months: 6, confirm_days: 5,
         password_min_length: 10,
         mailbox_kept_months: 24, mailbox_archived_days: 60,
         guard_people_percent: 4, guard_agency_percent: 20, protected: [sotaichinh],
         inactive_months: 7, usage_months: 3, holidays: [2026-01-01], working_days: [2026-01-03],
         kind_quota_gb: {so: 20}, secrecy: {contact: Văn thư mật},
         message_recipients: 200, block_lists: [zen.spamhaus.org], own_networks: [10.20.0.0/16],
         free_mail: {domains: [gmail.com], action: refused}, archive: {years: 20, kinds: {so: 30}},
         dmarc_reports: sotaichinh, arc_sealers: [lists.example.org],
         bad_links: [example.net], link_lists: [dbl.spamhaus.org],
         lockout_guesses: 9, lockout_minutes: 20, lockout_accounts: 30,
         lockout_account_guesses: 40, lockout_known_days: 90,
         send_messages: 100, send_recipients: 300, send_burst: 20, send_keeper_times: 3,
         send_inside: 500, send_inside_burst: 300, send_answers: 40, incident_inside: 800,
         incident_recipients: 900, incident_spam: 5, incident_bounces: 20, incident_unknown: 15,
         incidents: {contact: sotaichinh}, backup: {days: 7, weeks: 4, months: 6},
         engineers: [Nguyễn Văn An, Trần Thị Bình],
         spam_grey_score: 3, spam_junk_score: 5, spam_reject_score: 12, macros: accepted}
requests:
  12/CV-STC: {agency: sotaichinh, date: 2026-11-02, signer: Chánh Văn phòng, sha256: SHA}
agencies:
  sotaichinh:
    kind: so
    name: Sở Tài chính
    account: sotc
    keepers: [nvan]
    it_officer: ttkngan
    decision: 3/NQ-HĐND
    exception: {decision: 7/QĐ-STTTT, reason: tên cũ}
    staff:
      - {id: "1", name: Nguyễn Văn An, address: nvan, since: 2026-11-05, request: 12/CV-STC}
      - {id: "2", name: Trần Thị Kim Ngân, given_name: Ngân, address: ttkngan, account: ttngan,
         since: 2026-11-05, request: 12/CV-STC, decision: 9/QĐ, changed: 2026-11-06, title: Kế toán,
         leave: {until: 2027-05-31, decision: 4/QĐ}, status: locked, from: 2026-11-07,
         reason: lộ mật khẩu, confirm_by: 2026-11-14}
      - {id: "3", name: Lê An, address: lan, since: 2026-11-05, decision: 9/QĐ, status: withdrawn,
         from: 2027-01-01, reason: nghỉ hưu, exception: {decision: 7/QĐ, reason: tên cũ},
         quota: {gb: 5, decision: 9/QĐ}}
  sokhdt:
    kind: so
    name: Sở Kế hoạch và Đầu tư
    keepers: []
    closed: {from: 2025-03-01, decision: 3/NQ, successors: [sotaichinh], until: 2026-03-01}
    staff: []
aliases:
  sotc: {to: sotaichinh, until: 2027-03-01}
  ttngan: {to: ttkngan, until: 2027-03-01}
approve:
  3/NQ-HĐND: {people: 3, agencies: {sokhdt: 2}, protected: [sotaichinh]}
holds:
  1/TTr: {authority: Thanh tra, request: 5/CV, date: 2026-11-20, addresses: [nvan, sotc],
    from: 2026-01-01, to: 2026-11-30, note: x, released: {from: 2027-03-01, decision: 9/CV}}
retired:
  nvan02: {was: Ngô Vũ An, since: 2026-11-20}
reserved: [hotro]
""".replace("SHA", "ab" * 32)
WORDS = re.compile(r"[^\s{}\[\],:#]+")
ODD = st.sampled_from(
    ("", "~", "no", "0x1f", "[]", "{}", "[a, b]", "{a: b}", "nvan", "sotaichinh", "2026-02-30",
     "1969-01-01", "2199-01-01", '"\\u202e"', "'\u200b'", "Аn", "a" * 80, "-5", "1e400", "*a",
     "&a b", "!!python/object:os.system", "status", "from", "until", "withdrawn", "locked",
     "!x y", "|", ">")
)  # fmt: skip


def test_the_file_with_every_key_has_no_errors() -> None:
    assert [each for each in check_text(FULL.encode(), "x")[1] if each.severity == "error"] == []
    keys = {key for keys in ORDER.values() for key in keys}
    assert keys - set(WORDS.findall(FULL)) == {"parent"}


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(0), ODD), min_size=1, max_size=3))
def test_whatever_stands_in_any_place_has_a_line_and_a_remedy(
    changes: list[tuple[int, str]],
) -> None:
    text = FULL
    for number, word in changes:
        places = list(WORDS.finditer(text))
        place = places[number % len(places)]
        text = text[: place.start()] + word + text[place.end() :]
    directory, findings = check_text(text.encode(), "x.yaml")
    last = text.count("\n") + 1
    assert all(1 <= finding.line <= last and finding.remedy for finding in findings)
    if directory is not None and all(each.severity == "warning" for each in findings):
        compile_directory(directory)


@given(
    st.recursive(
        st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner),
        max_leaves=20,
    ).filter(lambda value: isinstance(value, dict))
)
def test_reads_what_was_written(value: object) -> None:
    text = yaml.safe_dump(value, width=3000, default_style='"')
    node, findings = parse(text.encode(), "x.yaml")
    if not any("deeper" in finding.message for finding in findings):
        assert node is not None and plain(node) == value


def test_lines_are_those_of_the_keys() -> None:
    root = tree("a: 1\nb:\n  c:\n    - d\n    - {e: f,\n       g: h}\n")
    assert isinstance(root, Mapping)
    b = root.entries["b"]
    assert isinstance(b, Mapping) and b.line == 2
    c = b.entries["c"]
    assert isinstance(c, Sequence) and c.line == 3
    second = c.items[1]
    assert isinstance(second, Mapping) and second.line == 5
    assert second.entries["g"].line == 6


def test_scalars_stay_text_and_know_their_quotes() -> None:
    root = tree("[no, 'no', \"010\", 010, ~, 2026-02-30]")
    assert isinstance(root, Sequence)
    found = [(item.text, item.plain) for item in root.items if isinstance(item, Scalar)]
    assert found == [
        ("no", True),
        ("no", False),
        ("010", False),
        ("010", True),
        ("~", True),
        ("2026-02-30", True),
    ]


def test_names_come_out_composed() -> None:
    assert plain(tree("name: Nguye\u0302\u0303n")) == {"name": "Nguyễn"}


def test_python_events_serve_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.read_text(encoding="utf-8")
    with_libyaml = tree(text)
    monkeypatch.setattr(source, "_Parser", yaml.SafeLoader)
    assert tree(text) == with_libyaml


def test_every_character_that_passes_is_one_that_yaml_reads() -> None:
    letters = [chr(code) for code in range(0x20, 0x110000, 1) if chr(code) not in '"\\']
    passed = [letter for letter in letters if not source._UNSEEN.match(letter)]
    assert len(passed) > 1_000_000
    lines = ("".join(passed[at : at + 900]) for at in range(0, len(passed), 900))
    data = "\n".join(f'- "{line}"' for line in lines).encode()
    node, findings = parse(data, "x.yaml")
    assert findings == [] and node is not None


@pytest.mark.parametrize("letter", ["\r", "\x85", "\u2028", "\u2029", "\ufeff", "\x7f"])
def test_what_an_editor_does_not_show_is_found(letter: str) -> None:
    _, [finding] = parse(f"a: b\nc: d{letter}e\n".encode(), "x.yaml")
    assert (finding.line, finding.remedy) == (2, "delete the character")
    assert f"U+{ord(letter):04X}" in finding.message


def test_windows_line_ends_and_byte_order_mark() -> None:
    text = GOOD.read_text(encoding="utf-8")
    data = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    assert parse(data, "x.yaml") == parse(text.encode(), "x.yaml")
