"""Stores: Dovecot and Postfix know exactly the mailboxes of the directory."""

from __future__ import annotations

import json
import shlex

import pytest
from seen import Server

from deploys.common import FILTERS_SOCKET, FOLDERS, KEPT, QUOTA_PORT

ROLE = "store"


@pytest.fixture
def held(server: Server) -> set[str]:
    """Addresses of the mailboxes that this store serves or has the standby copy of."""
    return {
        server.wanted.mail(mailbox.account)
        for mailbox in server.wanted.compiled.mailboxes
        if server.facts.name in server.wanted.environment.place(mailbox).holders
    }


def test_dovecot_knows_every_mailbox_and_no_other(server: Server, held: set[str]) -> None:
    assert server.users == held


def test_postfix_delivers_every_mailbox_to_dovecot_and_no_other(
    server: Server, held: set[str]
) -> None:
    assert server.table("mailboxes") == dict.fromkeys(held, "lmtp:unix:/run/dovecot/lmtp")


def test_keepers_open_their_agencies_and_nothing_else(server: Server) -> None:
    mail = server.wanted.mail
    grants = server.wanted.compiled.grants
    rows = server.run("cut -d: -f1 /etc/dovecot/grants").split()
    assert sorted(rows) == sorted(f"{mail(row.keeper)}>{mail(row.agency)}" for row in grants)


def test_every_mailbox_has_the_quota_of_the_directory(server: Server, held: set[str]) -> None:
    wanted = {
        server.wanted.mail(mailbox.account): f"userdb_quota_storage_size={mailbox.quota_mb}M"
        for mailbox in server.wanted.compiled.mailboxes
    }
    rows = [row.split(":") for row in server.run("cat /etc/dovecot/accounts").splitlines()]
    found = {row[0]: row[-1].split()[0] for row in rows}
    assert found == {address: wanted[address] for address in held}


def test_what_leaves_an_agencys_mailbox_is_kept(server: Server, held: set[str]) -> None:
    mail = server.wanted.mail
    agencies = {mail(box.account) for box in server.wanted.compiled.mailboxes if not box.id}
    rows = server.run("cat /etc/dovecot/accounts").splitlines()
    kept = {row.partition(":")[0] for row in rows if f"userdb_lazy_expunge_mailbox={KEPT}" in row}
    assert kept == agencies & held


def test_no_mailbox_on_the_disk_lacks_an_account(server: Server, held: set[str]) -> None:
    found = set(server.run("ls /srv/mail").split())
    assert found <= {address.partition("@")[0] for address in held}


def test_only_the_owner_of_mailboxes_reads_them(server: Server) -> None:
    mail = server.shell.file("/srv/mail")
    assert (mail.user, mail.group, mail.mode) == ("vmail", "vmail", 0o700)


def test_the_owner_of_mailboxes_cannot_log_in(server: Server) -> None:
    assert server.shell.user("vmail").shell == "/usr/sbin/nologin"


def test_new_messages_are_stored_compressed_in_sdbox(server: Server) -> None:
    names = "mail_driver mail_compress_write_method"
    assert server.run(f"doveconf -h {names}").split() == ["sdbox", "zstd"]


ASK = """\
import socket
with socket.create_connection(("127.0.0.1", {port}), 10) as line:
    line.sendall(b"request=smtpd_access_policy\\nrecipient=nobody@invalid\\nsize=1\\n\\n")
    print(line.recv(99).decode().strip())
"""


def test_who_has_no_mailbox_is_not_refused_for_want_of_room(server: Server) -> None:
    said = server.run(f"python3 -c {shlex.quote(ASK.format(port=QUOTA_PORT))}")
    assert said.strip() == "action=DUNNO"


@pytest.mark.parametrize("place", ["/var/lib/danhba-keepers", "/var/lib/danhba-quota"])
def test_only_root_reads_who_opened_and_who_was_told(server: Server, place: str) -> None:
    found = server.shell.file(place)
    assert (found.user, found.mode) == ("root", 0o700)


def test_the_filter_for_junk_is_compiled_where_who_delivers_reads_it(server: Server) -> None:
    shown = server.run("stat -c '%U %a' /run/danhba-junk /run/danhba-junk/junk.svbin").splitlines()
    assert shown == ["root 755", "root 644"]
    assert server.run("doveconf -h -f protocol=lmtp sieve_script/junk/type") == "before"


def test_the_spool_of_what_is_taught_is_dovecots_to_fill_and_one_daemons_to_empty(
    server: Server,
) -> None:
    spool = "/var/spool/danhba-learning"
    shown = server.run(f"stat -c '%U:%G %a' {spool} {spool}/new").splitlines()
    assert shown == ["danhba-learning:vmail 750", "vmail:danhba-learning 2770"]
    edges = {edge.name for edge in server.wanted.environment.having("edge")}
    assert set(server.run(f"ls {spool}/edges").split()) == edges
    user = server.run("ps -o user:20= -p $(systemctl show -P MainPID danhba-learning)")
    assert user == "danhba-learning"


def test_what_is_moved_by_imap_teaches_and_officials_scripts_start_no_programs(
    server: Server,
) -> None:
    asked = "doveconf -h -f protocol=%s mail_plugins"
    having = {name: "imap_sieve" in server.run(asked, name) for name in ("imap", "lmtp", "doveadm")}
    assert having == {"imap": True, "lmtp": False, "doveadm": False}
    assert server.run("doveconf -h sieve_global_extensions") == "vnd.dovecot.pipe = yes"
    shown = server.run("doveconf -h sieve_extensions")
    assert "vnd.dovecot.pipe" not in shown
    compiled = "/run/danhba-learning-sieve"
    modes = server.run(f"stat -c '%U %a' {compiled}/spam.svbin {compiled}/ham.svbin")
    assert modes.splitlines() == ["root 644"] * 2


def test_every_folder_with_a_flag_has_its_vietnamese_name(server: Server) -> None:
    shown = server.run("doveconf namespace/inbox/mailbox")
    for use, folder in FOLDERS.items():
        assert f"mailbox {folder} {{" in shown.replace('"', "")
        assert f"\\{use}" in shown


def test_what_filters_send_is_asked_about_by_the_table_of_who_is_here(
    server: Server, held: set[str]
) -> None:
    filters = server.run("postconf -P 127.0.0.1:10025/inet/smtpd_milters").split("=")[1].strip()
    assert filters == f"unix:{FILTERS_SOCKET}"
    config = json.loads(server.run("cat /etc/danhba/filters.json"))
    assert config["socket"] == FILTERS_SOCKET
    rows = dict(row.split(" ") for row in server.run(f"cat {config['table']}").splitlines())
    assert held & {server.wanted.mail(box.account) for box in server.wanted.compiled.mailboxes
                   if box.kind == "person" and box.state == "active"} <= {
        owner for owners in rows.values() for owner in owners.split(",")
    }  # fmt: skip
    read = f"runuser -u danhba-senders -- test -r {config['table']} && echo readable"
    assert server.run(read).strip() == "readable"


def test_no_extension_of_sieve_sends_but_vacation_and_redirect(server: Server) -> None:
    shown = server.run("doveconf -n sieve_extensions")
    on = {row.split()[0] for row in shown.splitlines() if row.endswith("= yes")}
    sends = {"enotify", "notify", "editheader", "extlists", "vnd.dovecot.report"}
    assert not on & (sends | {"vnd.dovecot.pipe", "vnd.dovecot.filter", "vnd.dovecot.execute"})
