"""Every file that danhba writes to a host, for a small province on three hosts.

tests/unit/golden/HOST/PATH holds what is expected; after a wanted change write it anew with

    GOLDEN=write pytest tests/unit/test_deploys.py

and review the difference like any other.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from danhba.compiled import BoxState, Compiled, Grant, Guard, Mailbox, Name, Refused
from danhba.inventory import Environment, Host
from danhba.lockout.figures import Figures, Limits
from danhba.service import File, Part
from deploys import archive, backup, clamav, firewall, marks, people, postfix_edge, restore, standby
from deploys.roles import parts

GOLDEN = Path(__file__).parent / "golden"
DOMAIN = "angiang.gov.vn"
PROGRAMS = "/usr/local/lib/danhba/"
"""Source of danhba's own, as it is in this repository."""


def _mailbox(
    address: str, kind: str, name: str, *owners: str, state: BoxState = "active", **rest: str
) -> Mailbox:
    return Mailbox(
        account=rest.get("account", address),
        address=address,
        kind=kind,
        state=state,
        name=name,
        agency="sotaichinh",
        agency_name="Sở Tài chính",
        id=rest.get("id", ""),
        title=rest.get("title", ""),
        quota_mb=2048,
        owners=owners,
    )


DIRECTORY = Compiled(
    decision="50/2009/QĐ-UBND",
    province="An Giang",
    domain=DOMAIN,
    timezone="Asia/Ho_Chi_Minh",
    message_mb=20,
    message_recipients=500,
    usage_months=12,
    password_min_length=12,
    mailboxes=(
        _mailbox("lvloc", "person", "Lê Văn Lộc", "lvloc", id="10500", state="locked"),
        _mailbox("nvan", "person", "Nguyễn Văn An", "nvan", id="10234", title="Chuyên viên"),
        _mailbox("sotaichinh", "agency", "Sở Tài chính", "nvan", "sotaichinh"),
        _mailbox("sotttt", "agency", "Sở Thông tin và Truyền thông", state="closed"),
        # Formerly Trần Thị Ngân, who keeps mail and password under that name.
        _mailbox("ttkngan", "person", "Trần Thị Kim Ngân", "ttngan", id="10377", account="ttngan"),
        _mailbox("vttu", "person", "Võ Thị Tư", "vttu", id="10600", state="withdrawn"),
    ),
    names=(
        Name("postmaster", "sotaichinh", sends=True),
        Name("sotttt", "sotaichinh", sends=False),
        Name("ttkngan", "ttngan", sends=True),
    ),
    refused=(Refused("vttu", "sotaichinh"), Refused("vttu02", "")),
    grants=(Grant("sotaichinh", "nvan"), Grant("sotttt", "nvan")),
    logins=(("ttkngan", "ttngan"),),
    blocked=("lvloc", "ttngan", "vttu"),
    guard=Guard(
        people=4,
        agencies={"sotaichinh": 4},
        people_percent=5,
        agency_percent=30,
        protected={"postmaster": "sotaichinh"},
        approvals={"3/QĐ-UBND": {"people": 2, "agencies": {}, "protected": []}},
        withheld={"lvloc": "locked sotaichinh", "vttu": "withdrawn sotaichinh"},
    ),
    lockout=Figures(guesses=10, minutes=15, accounts=20, account_guesses=50, known_days=60),
    spam_grey_score=4,
    spam_junk_score=6,
    spam_reject_score=15,
    macros_refused=True,
    secrecy_contact="Văn thư mật, Văn phòng UBND tỉnh An Giang",
    block_lists=("zen.spamhaus.org", "bl.spamcop.net"),
    own_networks=("10.20.0.0/16", "2001:db8:20::/48"),
    free_domains=("gmail.com", "yahoo.com.vn"),
    free_refused=True,
    sending=Limits(
        inside=600,
        inside_burst=400,
        answers=50,
        incident_inside=900,
        messages=200,
        recipients=200,
        burst=30,
        keeper_times=5,
        incident_recipients=400,
        incident_spam=10,
        incident_bounces=30,
        incident_unknown=30,
    ),
    incident_contact=f"sotttt@{DOMAIN}",
    officers=(("sotaichinh", "nvan"),),
    dmarc_reports=f"dmarc@{DOMAIN}",
    arc_sealers=("lists.example.org", "example.net"),
    bad_links=("example.com",),
    link_lists=("dbl.spamhaus.org", "multi.uribl.com"),
)


_STORE = {
    "/etc/danhba/filters", "/etc/danhba/tables/mailboxes", "/etc/dovecot/accounts", standby.TABLE
}  # fmt: skip


def _host(name: str, number: int, *roles: str) -> Host:
    return Host(name, f"{name}.{DOMAIN}", f"198.18.0.{number}", f"2001:db8:18::{number}", roles)


ENV = Environment(
    "golden",
    (
        _host("mx1", 11, "edge"),
        _host("store1", 21, "store"),
        _host("store2", 22, "store", "people"),
        _host("people1", 31, "people"),
        _host("vault1", 41, "vault"),
    ),
)
SINGLE = Environment("single", (_host("single1", 31, "store", "people", "edge"),))
TWINS = Environment(
    "twins",
    (_host("one", 31, "store", "people", "edge"), _host("two", 32, "store", "people", "edge")),
)


def _files(host: Host, directory: Compiled = DIRECTORY, env: Environment = ENV) -> dict[str, File]:
    return {file.path: file for part in parts(directory, env, host) for file in part.files}


def _second() -> dict[str, File]:
    """What an edge puts elsewhere, or writes differently, to share a host with a store."""
    alone = {path for host in ENV.hosts for path in _files(host)}
    shared = _files(SINGLE.hosts[0], env=SINGLE)
    names = {path for path in shared if "-edge" in path}
    assert shared.keys() - names <= alone
    return {path: shared[path] for path in sorted(names)}


def _golden(host: str) -> dict[str, bytes]:
    root = GOLDEN / host
    return {
        f"/{path.relative_to(root)}": path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("host", (*ENV.hosts, *SINGLE.hosts), ids=lambda host: host.name)
def test_files_of_a_host(host: Host) -> None:
    found = _second() if host in SINGLE.hosts else _files(host)
    rendered = {
        path: file.content
        for path, file in found.items()
        if not path.startswith(PROGRAMS) and not file.secret
    }
    if os.environ.get("GOLDEN") == "write":
        shutil.rmtree(GOLDEN / host.name, ignore_errors=True)
        for path, content in rendered.items():
            target = Path(f"{GOLDEN / host.name}{path}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    expected = _golden(host.name)
    assert sorted(rendered) == sorted(expected)
    for path, content in rendered.items():
        assert content.decode() == expected[path].decode(), path


@pytest.mark.parametrize("env", [ENV, SINGLE, TWINS], ids=lambda env: env.name)
def test_no_path_and_no_unit_is_claimed_twice_and_tables_are_files(env: Environment) -> None:
    for host in env.hosts:
        _claims_are_its_own(parts(DIRECTORY, env, host))


def _claims_are_its_own(built: tuple[Part, ...]) -> None:
    units = [service.unit for part in built for service in part.services]
    assert len(units) == len(set(units))
    claimed = [file.path for part in built for file in part.files]
    claimed += [path for part in built for path in part.links]
    assert len(claimed) == len(set(claimed))
    assert {table for part in built for table in part.tables} <= set(claimed)


def test_one_more_official_is_one_more_line_in_every_table_that_names_him() -> None:
    new = _mailbox("lvbinh", "person", "Lê Văn Bình", "lvbinh", id="10400")
    grown = Compiled(**{**vars(DIRECTORY), "mailboxes": (*DIRECTORY.mailboxes, new)})
    for host in ENV.hosts:
        before, after = _files(host), _files(host, grown)
        changed = [path for path in after if after[path] != before[path]]
        home = {backup.HOMES} if ENV.place(new).home == host.name else set()
        assert {
            "mx1": {
                "/etc/danhba/agencies", "/etc/danhba/tables/homes", "/etc/danhba/tables/senders",
                "/etc/dovecot/routes", "/etc/danhba/officers",
            },
            "store1": {*_STORE, *home},
            "store2": {people.TREE, *_STORE, *home},
            "people1": {people.TREE},
            "vault1": {"/etc/danhba/journal-agencies"},
        }[host.name] == set(changed)  # fmt: skip
        for path in changed:
            old = before[path].content.splitlines()
            added = [line for line in after[path].content.splitlines() if line not in old]
            assert len(added) == 1 and b"lvbinh" in added[0], path
            wanted = "reload" if path.startswith("/etc/danhba/tables/") else "none"
            assert after[path].effect == wanted, path


def test_proxy_routes_never_answer_for_smtp() -> None:
    """The open relay trap: a passdb with nopassword that SMTP AUTH also asks takes any password."""
    config = _files(ENV.hosts[0])["/etc/dovecot/dovecot.conf"].content.decode()
    block = re.search(r"^protocol !smtp \{\n(.*?)^\}$", config, re.DOTALL | re.MULTILINE)
    assert block and "nopassword" in block[1]
    outside = config.replace(block[0], "")
    assert "nopassword =" not in outside and "proxy =" not in outside


@pytest.mark.parametrize("env", [ENV, SINGLE, TWINS], ids=lambda env: env.name)
def test_no_two_services_listen_on_one_port_of_a_host(env: Environment) -> None:
    """As far as their probes tell: a service is asked on the ports that it opens."""
    for host in env.hosts:
        places = Counter(
            (probe.address or host.ipv4, probe.port)
            for part in parts(DIRECTORY, env, host)
            for service in part.services
            for probe in service.answers
        )
        assert [place for place, times in places.items() if times > 1] == []


def test_a_store_that_is_an_edge_as_well_keeps_its_places() -> None:
    """doveadm and postqueue, asked for nothing else, speak to the store."""
    alone = _files(ENV.hosts[1])
    shared = _files(SINGLE.hosts[0], env=SINGLE)
    # One store has nobody to copy to, and one host no vault.
    parts = (
        build(DIRECTORY, ENV, ENV.hosts[1])
        for build in (standby.part, restore.part, backup.part, archive.every)
    )
    others = {file.path for part in parts for file in part.files}
    assert alone.keys() - others <= shared.keys()
    tables = [path for path in alone if path.startswith("/etc/danhba/tables/")]
    for path in ("/etc/dovecot/accounts", "/etc/dovecot/grants", "/etc/dovecot/blocked", *tables):
        assert shared[path].content == alone[path].content.replace(b"store1.", b"single1."), path


def test_no_password_and_no_secret_is_written() -> None:
    for host in ENV.hosts:
        for path, file in _files(host).items():
            assert not re.search(rb"\{CRYPT\}\$|userPassword\":|rootpw|\$6\$[^r]", file.content), (
                path
            )


NAMES = ("lvloc", "nvan", "sotaichinh", "sotttt", "ttngan", "vttu")


def test_tree_lists_parents_first_and_accounts_by_name() -> None:
    entries = [json.loads(line) for line in people.tree(DIRECTORY).decode().splitlines()]
    root = "dc=angiang,dc=gov,dc=vn"
    assert [entry["dn"] for entry in entries] == [
        root,
        f"ou=people,{root}",
        f"cn=policy,{root}",
        *(f"uid={name},ou=people,{root}" for name in NAMES),
    ]
    assert entries[4]["attrs"]["sn"] == ["Nguyễn"]
    assert "title" not in entries[5]["attrs"]


def test_senders_are_owners_also_under_an_alias() -> None:
    owners = postfix_edge.senders(DIRECTORY)
    assert owners[f"nvan@{DOMAIN}"] == f"nvan@{DOMAIN}"
    assert owners[f"sotaichinh@{DOMAIN}"] == f"nvan@{DOMAIN},sotaichinh@{DOMAIN}"
    assert owners[f"postmaster@{DOMAIN}"] == owners[f"sotaichinh@{DOMAIN}"]


def test_an_attachment_of_20_mb_fits_into_a_message_of_30() -> None:
    assert 20 * 1024 * 1024 * 78 // 57 < postfix_edge.size_outside(30) == 30 * 1024 * 1024
    assert postfix_edge.size_within(30) > postfix_edge.size_outside(30)


def test_only_the_lab_knows_the_test_virus_and_no_other() -> None:
    paths = {}
    for signatures in ("freshclam", "lab"):
        edge = replace(ENV.hosts[0], data={"signatures": signatures})
        built = [*parts(DIRECTORY, ENV, edge)]
        paths[signatures] = {path for part in built for path in [file.path for file in part.files]}
        unit = _files(edge)["/etc/systemd/system/clamav-daemon.service"].content.decode()
        assert ("main.*" in unit and "daily.*" in unit) == (signatures == "freshclam")
    assert paths["lab"] - paths["freshclam"] == {"/var/lib/clamav/lab.ndb"}
    assert paths["freshclam"] - paths["lab"] == {
        "/etc/danhba/freshclam.conf", "/etc/systemd/system/clamav-freshclam.service",
    }  # fmt: skip


NAMES_REFUSED = (
    "hoadon.exe",
    "HOADON.SCR",
    "a.pdf.js",
    "a.exe. ",
    "a.exe.gz",
    "a.exe. .bz2 ",
    "a.library-ms",
    "mau.docm",
    "word/vbaProject.bin",
)
NAMES_ACCEPTED = (
    "angiang.com.docx",
    "Thong bao exe.pdf",
    "a.json",
    "a.csv.gz",
    "jar",
    "mau.docx",
    "a.exe.pdf",
)


def test_names_of_a_dangerous_type_are_refused_and_those_that_look_so_are_not() -> None:
    def found(macros_refused: bool) -> list[re.Pattern[str]]:
        rows = clamav.types(macros_refused).decode().splitlines()
        return [re.compile(row.split(":")[3]) for row in rows]

    for name in NAMES_REFUSED:
        assert any(pattern.search(name) for pattern in found(True)), name
    for name in NAMES_ACCEPTED:
        assert not any(pattern.search(name) for pattern in found(True)), name
    assert not any(pattern.search("mau.docm") for pattern in found(False))


def test_ports_of_a_store_open_to_edges_only() -> None:
    (rules,) = firewall.part(DIRECTORY, ENV, ENV.hosts[1]).files
    open_to_all = re.findall(r"^\s*tcp dport \{ (.*) \} accept$", rules.content.decode(), re.M)
    assert open_to_all == ["22"]
    assert "ip saddr { 198.18.0.11 } tcp dport { 2525, 2993, 2995, 6190, 12340 } accept" in (
        rules.content.decode()
    )


def test_a_contact_is_said_in_ascii() -> None:
    assert marks.in_ascii("Văn thư mật, Đỗ Thị Ửng (0296)") == "Van thu mat, Do Thi Ung (0296)"
    assert marks.in_ascii("Va\u0306n thu\u031b") == "Van thu"


def _postfix(directory: Compiled) -> str:
    files = _files(ENV.hosts[0], directory)
    return "".join(
        files[f"/etc/postfix/{name}"].content.decode() for name in ("main.cf", "master.cf")
    )


def test_without_block_lists_none_is_asked() -> None:
    text = _postfix(replace(DIRECTORY, block_lists=()))
    assert "dnsbl" not in text and "dnsblog" not in text and "postscreen_greet_action" in text


def test_what_a_block_list_says_of_its_own_trouble_is_no_listing() -> None:
    """As postscreen reads it: a range stands for one of its numbers."""
    fits = re.compile(postfix_edge.LISTED.replace("[2..255]", r"(\d+)").replace(".", r"\."))
    for answer, listed in (
        ("127.0.0.2", True), ("127.0.0.10", True), ("127.0.0.255", True),
        ("127.0.0.1", False), ("127.255.255.254", False), ("127.255.255.252", False),
    ):  # fmt: skip
        found = fits.fullmatch(answer)
        assert bool(found and 2 <= int(found[1]) <= 255) == listed, answer
    assert f"zen.spamhaus.org={postfix_edge.LISTED}" in _postfix(DIRECTORY)


def test_greetings_of_this_province_are_those_of_its_edges_alone() -> None:
    rows = postfix_edge.helo(DIRECTORY, ENV).decode().splitlines()
    rules = [re.compile(row[1 : row.index("/ ")], re.IGNORECASE) for row in rows]
    for name in (DOMAIN, f"MX1.{DOMAIN}", "[198.18.0.11]", "[IPv6:2001:db8:18::11]"):
        assert any(rule.search(name) for rule in rules), name
    for name in (f"mail.{DOMAIN}", f"mx1.{DOMAIN}.test", "mx1xangiang.gov.vn", "198.18.0.11"):
        assert not any(rule.search(name) for rule in rules), name
    for row in rows:
        assert row.isascii() and len(row.partition("/ ")[2]) < 510
