"""Edges: they know every mailbox and alias, and speak TLS under their own name."""

from __future__ import annotations

import json

import pytest
from seen import Server

from danhba.learning.beginning import MARK
from deploys.common import (
    ABUSE_SOCKET,
    CLAMD_SOCKET,
    DANE_SOCKET,
    DESK_SOCKET,
    FILTER_SOCKET,
    JOURNAL_WAY,
    LEARNING_PORT,
    MARKS_SOCKET,
    REPLY_PORT,
    REPORTS_PORT,
    SASL_SOCKET,
    SENDERS_SOCKET,
    SIGNATURES,
    STORE_PORT,
    STS_SOCKET,
    VALKEY_SOCKET,
)
from deploys.postfix_edge import HELO, OUT_BODY, OUT_HEADERS
from deploys.signing import PLACE
from deploys.valkey import ways

ROLE = "edge"
_JOURNAL = f"inline:{{ {{journal.invalid = journal:[127.0.0.1]:{JOURNAL_WAY} }} }}"


def test_every_mailbox_resolves_to_its_store_and_no_other_does(server: Server) -> None:
    env = server.wanted.environment
    wanted = {
        server.wanted.mail(
            box.account
        ): f"store:[{env.host(env.place(box).home).fqdn}]:{STORE_PORT}"
        for box in server.wanted.compiled.mailboxes
    }
    assert server.table("homes", server.edge) == wanted


def test_every_alias_points_where_it_should(server: Server) -> None:
    mail = server.wanted.mail
    wanted = {mail(name.address): mail(name.account) for name in server.wanted.compiled.names}
    assert server.table("aliases", server.edge) == wanted


def test_every_address_that_receives_no_more_is_refused_and_no_other(server: Server) -> None:
    wanted = {server.wanted.mail(gone.address) for gone in server.wanted.compiled.refused}
    assert server.table("refused", server.edge).keys() == wanted


def test_nobody_else_is_kept_from_logging_in(server: Server) -> None:
    rows = server.run("cut -d: -f1 %s", f"{server.edge.dovecot}/blocked").split()
    assert rows == list(server.wanted.compiled.blocked)


def test_everybody_may_send_as_what_is_his_and_as_nothing_else(server: Server) -> None:
    mail, compiled = server.wanted.mail, server.wanted.compiled
    of_account = {mailbox.account: mailbox.owners for mailbox in compiled.mailboxes}
    owners = {mailbox.address: mailbox.owners for mailbox in compiled.mailboxes if mailbox.owners}
    owners |= {name.address: of_account[name.account] for name in compiled.names if name.sends}
    wanted = {
        mail(address): {mail(account) for account in accounts}
        for address, accounts in owners.items()
    }
    found = {
        address: set(row.split(","))
        for address, row in server.table("senders", server.edge).items()
    }
    assert found == wanted


def test_postfix_reads_these_tables(server: Server) -> None:
    names = "virtual_mailbox_maps virtual_alias_maps smtpd_sender_login_maps"
    tables = server.edge.tables
    homes, aliases, senders = (f"cdb:{tables}/{name}" for name in ("homes", "aliases", "senders"))
    asked = f"postconf -c {server.edge.postfix} -h {names}"
    assert server.run(asked).split() == [homes, aliases, senders]
    transports = server.run(f"postconf -c {server.edge.postfix} -h transport_maps").split(", ")
    assert transports[0] == homes
    assert transports[1:] == ([_JOURNAL] if server.wanted.environment.vault else [])


def test_every_mailbox_has_a_route_to_its_store(server: Server) -> None:
    env = server.wanted.environment
    command = "sed 's/:::::::host=/ /; s/ hostip=.*//' %s"
    rows = server.run(command, f"{server.edge.dovecot}/routes").splitlines()
    assert sorted(rows) == sorted(
        f"{box.account} {env.host(env.place(box).home).fqdn}"
        for box in server.wanted.compiled.mailboxes
    )


def test_every_tls_port_shows_a_certificate_of_this_host(server: Server) -> None:
    versions = server.python(_TLS, server.facts.ipv4, server.facts.fqdn)
    assert versions.keys() == {"465", "993", "995"}
    assert set(versions.values()) <= {"TLSv1.2", "TLSv1.3"}


def test_tls_1_2_is_the_oldest_version_offered(server: Server) -> None:
    """Asked of the configuration: a handshake that fails would leave a warning in the log."""
    names = "smtpd_tls_protocols smtpd_tls_mandatory_protocols"
    postfix = server.run(f"postconf -c {server.edge.postfix} -h {names}")
    assert postfix.split() == [">=TLSv1.2"] * 2
    dovecot = f"doveconf -c {server.edge.dovecot}/dovecot.conf -h ssl_min_protocol"
    assert server.run(dovecot) == "TLSv1.2"


def test_only_postfix_asks_for_passwords_and_only_through_the_door(server: Server) -> None:
    """Dovecot's own socket is that of the door alone, and the door's is closed to others."""
    door = server.run("stat -c '%%U:%%G %%a' %s", "/run/danhba-sasl-door")
    assert door == "danhba-sasl-door:postfix 750"
    behind = server.run("stat -c '%%U %%a' %s", server.edge.sasl)
    assert behind == "danhba-sasl-door 600"
    asks = server.run(f"postconf -c {server.edge.postfix} -h smtpd_sasl_path")
    assert asks == SASL_SOCKET


def test_what_is_submitted_and_nothing_else_is_asked_about_senders_and_marks(
    server: Server,
) -> None:
    """And the daemons' sockets are closed to all but Postfix."""
    milters = _milters(server)
    for daemon, socket in (("danhba-senders", SENDERS_SOCKET), ("danhba-marks", MARKS_SOCKET)):
        asking = {name for name, sockets in milters.items() if socket in sockets}
        assert asking == {"submission", "submissions"}
        place = server.run("stat -c '%%U:%%G %%a' %s", f"/run/{daemon}")
        assert place == f"{daemon}:postfix 750"


def test_what_is_submitted_is_counted_last_and_by_daemons_that_may_not_hang(
    server: Server,
) -> None:
    """After all who may refuse it, so that what was refused is not counted."""
    milters = _milters(server)
    counted = {name: sockets.split()[-1] for name, sockets in milters.items()}
    assert {name for name, last in counted.items() if last == f"unix:{ABUSE_SOCKET}"} == {
        "submission", "submissions",
    }  # fmt: skip
    assert server.run("stat -c '%%U:%%G %%a' %s", "/run/danhba-abuse") == "danhba-abuse:postfix 750"
    owner = "danhba-lockout:danhba-lockout"
    for path, mode in ((DESK_SOCKET, "660"), ("/run/danhba-lockout/control", "700")):
        assert server.run("stat -c '%%U:%%G %%a' %s", path) == f"{owner} {mode}"
    for daemon in ("danhba-abuse", "danhba-lockout"):
        assert server.run("systemctl show -P WatchdogUSec %s", daemon) == "20s"


def test_who_is_told_of_an_incident_is_known_for_every_account(server: Server) -> None:
    mail, compiled = server.wanted.mail, server.wanted.compiled
    rows = dict(row.split(" ") for row in server.run("cat /etc/danhba/officers").splitlines())
    assert rows.keys() == {mail(box.account) for box in compiled.mailboxes}
    people = {mail(box.account): mail(box.address) for box in compiled.mailboxes
              if box.kind == "person"}  # fmt: skip
    assert not [account for account, address in people.items() if rows[account] == address]


def test_senders_are_looked_up_in_the_table_that_postfix_has(server: Server) -> None:
    config = json.loads(server.run("cat /etc/danhba/senders.json"))
    assert config == {"socket": SENDERS_SOCKET, "table": f"{server.edge.tables}/senders"}
    read = "runuser -u danhba-senders -- sha256sum < %s; sha256sum < %s"
    daemon, root = server.run(read, config["table"], config["table"]).splitlines()
    assert daemon == root


def test_what_is_submitted_and_nothing_else_loses_what_tells_of_its_sender(
    server: Server,
) -> None:
    asked = f"postconf -c {server.edge.postfix} -P"
    for service in ("submission", "submissions"):
        names = ("smtpd_hide_client_session", "cleanup_service_name")
        found = server.run(f"{asked} {' '.join(f'{service}/inet/{name}' for name in names)}")
        assert [row.split(" = ")[1] for row in found.splitlines()] == ["yes", "cleanup_out"]
    assert server.run(f"{asked} '*/*/cleanup_service_name' | wc -l") == "2"
    checks = server.run(f"{asked} | grep _checks").splitlines()
    assert sorted(checks) == [
        f"cleanup_out/unix/body_checks = regexp:{OUT_BODY}",
        f"cleanup_out/unix/header_checks = regexp:{OUT_HEADERS}",
        f"cleanup_out/unix/mime_header_checks = regexp:{OUT_HEADERS}",
        "cleanup_out/unix/nested_header_checks =",
    ]
    for name in ("header_checks", "body_checks"):
        assert server.run(f"postconf -c {server.edge.postfix} -h {name}") == ""


def test_port_25_is_postscreens_and_block_lists_are_those_of_policy(server: Server) -> None:
    services = server.run(f"postconf -c {server.edge.postfix} -M smtp/inet smtpd/pass")
    assert [row.split()[7] for row in services.splitlines()] == ["postscreen", "smtpd"]
    asked = f"postconf -c {server.edge.postfix} -h postscreen_dnsbl_sites smtpd_recipient_limit"
    lists = ", ".join(f"{each}=127.0.0.[2..255]" for each in server.wanted.compiled.block_lists)
    limit = str(server.wanted.compiled.message_recipients)
    assert server.run(asked).splitlines() == [lists, limit] if lists else [limit]


def test_names_of_the_edges_are_no_greetings_of_others(server: Server) -> None:
    compiled = server.wanted.compiled
    names = [compiled.domain, server.facts.fqdn, f"[{server.facts.ipv4}]"]
    for name in names:
        found = server.run("postmap -q %s %s", name, f"regexp:{HELO}")
        assert found.startswith("550 5.7.1 ")
    others = [f"mail.{compiled.domain}", "khach.test"]
    for name in others:
        found = server.run("postmap -q %s %s || test $? -eq 1", name, f"regexp:{HELO}")
        assert found == ""


def test_what_comes_in_and_what_leaves_is_filtered_or_deferred(server: Server) -> None:
    asked = {name for name, sockets in _milters(server).items() if FILTER_SOCKET in sockets}
    reports = f"127.0.0.1:{REPORTS_PORT}"
    assert asked - {reports} == {
        "smtpd", "submission", "submissions", str(REPLY_PORT),
    }  # fmt: skip
    assert (reports in asked) == bool(server.wanted.compiled.dmarc_reports)
    postconf = f"postconf -c {server.edge.postfix}"
    assert server.run(f"{postconf} -h milter_default_action") == "tempfail"
    assert server.run(f"{postconf} -P '*/*/milter_default_action'") == ""
    # What Postfix itself sends, bounces say, is signed there.
    assert server.run(f"{postconf} -h smtpd_milters") == ""
    assert server.run(f"{postconf} -h non_smtpd_milters") == f"unix:{FILTER_SOCKET}"


def _milters(server: Server) -> dict[str, str]:
    """Service of Postfix to what it asks about every message."""
    rows = server.run(f"postconf -c {server.edge.postfix} -P '*/*/smtpd_milters'").splitlines()
    found = (row.split(" = ") for row in rows)
    return {name.split("/")[0]: sockets for name, sockets in found}


@pytest.mark.parametrize(
    ("socket", "owner"),
    [
        (FILTER_SOCKET, "_rspamd:postfix 660"),
        ("/run/rspamd", "_rspamd:postfix 750"),
        ("/run/rspamd/controller", "_rspamd:postfix 600"),
        (CLAMD_SOCKET, "clamav:clamav 660"),
        ("/run/clamav", "clamav:clamav 750"),
        (VALKEY_SOCKET, "valkey:valkey 770"),
    ],
)
def test_the_filter_is_asked_by_those_who_have_to_and_by_nobody_else(
    server: Server, socket: str, owner: str
) -> None:
    assert server.run("stat -c '%%U:%%G %%a' %s", socket) == owner


@pytest.mark.parametrize(
    ("process", "user"), [("rspamd", "_rspamd"), ("clamd", "clamav"), ("valkey-server", "valkey")]
)
def test_no_part_of_the_filter_runs_as_root_or_listens_on_a_port(
    server: Server, process: str, user: str
) -> None:
    assert set(server.run("ps -C %s -o user:20=", process).split()) == {user}
    assert process not in server.run("ss -Hltunp")


@pytest.mark.parametrize("daemon", ["rspamd", "clamav-daemon", "valkey-server"])
def test_the_filter_cannot_take_all_memory(server: Server, daemon: str) -> None:
    assert server.run("systemctl show -P MemoryMax %s", daemon).isdigit()


def test_who_wrote_a_message_is_looked_at(server: Server) -> None:
    """Each module that the rules rest on runs: rspamd starts without one, and says nothing."""
    known = server.run("rspamc -h /run/rspamd/controller counters")
    for symbol in ("R_SPF_FAIL", "R_DKIM_REJECT", "ARC_ALLOW", "DMARC_POLICY_REJECT"):
        assert symbol in known


def test_reports_leave_by_a_port_that_only_this_host_reaches(server: Server) -> None:
    if not server.wanted.compiled.dmarc_reports:
        return
    listening = server.run("ss -Hltn sport = :%s", str(REPORTS_PORT)).split()
    assert listening[3] == f"127.0.0.1:{REPORTS_PORT}"
    asked = f"postconf -c {server.edge.postfix} -P '*/inet/smtpd_sender_restrictions' | grep inline"
    assert f"{server.wanted.compiled.dmarc_reports}=OK" in server.run(asked)


def test_clamd_has_signatures(server: Server) -> None:
    names = ("lab.ndb",) if server.facts.signatures == "lab" else ("main.c?d", "daily.c?d")
    for name in names:
        assert server.run(f"ls {SIGNATURES}/{name}")


def test_only_stores_teach_and_only_by_their_certificates(server: Server) -> None:
    """And what takes it in has no rights but rspamd's."""
    config = json.loads(server.run("cat /etc/danhba/learning-door.json"))
    env = server.wanted.environment
    assert config["stores"] == [store.fqdn for store in env.having("store")]
    said = server.run("sh -c %s - %s %s", _UNKNOWN, server.facts.ipv4, str(LEARNING_PORT))
    assert "certificate required" in said and "HTTP/" not in said
    user = server.run("ps -o user:20= -p $(systemctl show -P MainPID danhba-learning-door)")
    assert user == "_rspamd"


def test_valkey_has_all_that_other_edges_know_and_depends_on_none(server: Server) -> None:
    ask = f"valkey-cli -s {VALKEY_SOCKET} "
    assert server.run(f"{ask} get {MARK}") == "yes"
    assert "role:master" in server.run(f"{ask} info replication")
    for way in ways(server.wanted.environment, server.facts).values():
        host, _, port = way.rpartition(":")
        there = (
            f"setpriv --reuid %s --clear-groups valkey-cli -h {host} -p {port} ping 2>&1 || true"
        )
        assert server.run(there, "_rspamd") == "PONG"
        assert "refused" in server.run(there, "nobody")


_UNKNOWN = """
printf 'POST /spam HTTP/1.1\\r\\nContent-Length: 1\\r\\n\\r\\nx' |
    timeout 10 openssl s_client -quiet -connect "$1:$2" -CAfile /etc/ssl/danhba/ca.pem 2>&1
true
"""

_TLS = """
import json, socket, ssl, sys
address, name = sys.argv[1:]
found = {}
for port in (465, 993, 995):
    try:
        with socket.create_connection((address, port), timeout=5) as plain:
            context = ssl.create_default_context()
            with context.wrap_socket(plain, server_hostname=name) as secure:
                found[port] = secure.version()
                secure.recv(512)
    except OSError as error:
        found[port] = str(error)
print(json.dumps(found))
"""


def test_an_edge_signs_with_keys_that_only_rspamd_reads(server: Server) -> None:
    state = json.loads(server.run("cat %s", f"{PLACE}/state.json"))
    pair = next(each for each in state["pairs"] if each["name"] == state["signing"])
    assert pair["public"].keys() == {"rsa", "ed25519"}
    keys = f"find {PLACE}/{pair['name']} -name '*.key' -printf '%f %u %m\\n' | sort"
    assert server.run(keys).splitlines() == ["ed25519.key _rspamd 400", "rsa.key _rspamd 400"]


def test_dns_is_asked_of_this_host_alone(server: Server) -> None:
    servers = server.run("grep ^nameserver /etc/resolv.conf").splitlines()
    assert servers == ["nameserver 127.0.0.1"]
    # An address of the host, if it were open, would answer the world.
    listening = server.run("ss -Hlnu sport = :53").splitlines()
    assert {line.split()[3] for line in listening} == {"127.0.0.1:53", "[::1]:53"}


def test_what_leaves_is_held_to_what_the_other_side_says(server: Server) -> None:
    names = "smtp_tls_security_level smtp_dns_support_level"
    asked = f"postconf -c {server.edge.postfix} -h {names}"
    assert server.run(asked).split() == ["dane", "dnssec"]
    maps = server.run(f"postconf -c {server.edge.postfix} -h smtp_tls_policy_maps").split(", ")
    assert maps == [f"socketmap:unix:{DANE_SOCKET}:dane", f"socketmap:unix:{STS_SOCKET}:postfix"]
    for socket in (DANE_SOCKET, STS_SOCKET):
        assert server.run("stat -c '%%G %%a' %s", socket.rpartition("/")[0]) == "postfix 750"
