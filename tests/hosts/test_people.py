"""People: one LDAP entry for everybody in the directory, passwords nobody can read."""

from __future__ import annotations

from collections import Counter

from seen import Server

ROLE = "people"
MARK = "danhba-loaded:"


def test_every_mailbox_has_one_entry_and_no_entry_lacks_a_mailbox(server: Server) -> None:
    people = f"ou=people,{server.suffix}"
    wanted = {f"uid={mailbox.account},{people}" for mailbox in server.wanted.compiled.mailboxes}
    policy = f"cn=policy,{server.suffix}"
    assert set(server.entries) == wanted | {people, policy, server.suffix}


def test_all_people_hosts_hold_the_same(server: Server) -> None:
    """The others are asked as replication asks them: over TLS, known by the host's certificate."""
    for peer in server.manifest["tree"]["peers"]:
        there = server.python(_DIGEST, server.suffix, f"ldaps://{peer}")
        assert there == server.python(_DIGEST, server.suffix, "ldapi:///")


def test_a_certificate_of_ones_own_making_opens_nothing(server: Server) -> None:
    """It names a people host, but nobody whom the hosts trust has signed it."""
    assert server.run("sh -c %s - %s %s", _FORGED, server.facts.fqdn, server.suffix) == ""


def test_every_entry_says_what_the_directory_says(server: Server) -> None:
    found, wanted = {}, {}
    for mailbox in server.wanted.compiled.mailboxes:
        entry = server.entries.get(f"uid={mailbox.account},ou=people,{server.suffix}", {})
        keys = ("cn", "mail", "departmentNumber", "o", "title", "employeeNumber", "employeeType")
        found[mailbox.address] = [entry.get(key, []) for key in keys]
        said = (
            mailbox.name, server.wanted.mail(mailbox.address), mailbox.agency,
            mailbox.agency_name, mailbox.title, mailbox.id,
            "" if mailbox.state == "active" else mailbox.state,
        )  # fmt: skip
        wanted[mailbox.address] = [[text] if text else [] for text in said]
    assert found == wanted


def test_no_two_entries_have_one_mail_address(server: Server) -> None:
    addresses = [
        mail.lower() for entry in server.entries.values() for mail in entry.get("mail", [])
    ]
    used = Counter(addresses)
    assert [mail for mail, times in used.items() if times > 1] == []


def test_the_last_load_of_entries_ended_and_was_of_this_directory(server: Server) -> None:
    path = server.manifest["tree"]["path"]
    marks = server.entries[server.manifest["tree"]["top"]].get("description", [])
    assert marks == [MARK + server.manifest["files"][path]["sha256"]]


def test_every_password_is_a_salted_hash(server: Server) -> None:
    schemes = server.python(_SCHEMES, server.suffix)  # hashes never leave the server
    assert set(schemes) <= {"{CRYPT}$6$"}


def test_nobody_reads_a_password_or_the_tree_without_logging_in(server: Server) -> None:
    search = "ldapsearch -LLL -x -H ldapi:/// -b %s '(objectClass=*)' 1.1 userPassword"
    found = server.shell.run(search, server.suffix)
    assert found.stdout.strip() == ""
    assert found.rc in (0, 32)  # 32: noSuchObject, even the top is hidden


def test_the_database_is_closed_to_everybody_but_slapd(server: Server) -> None:
    shown = server.run("stat -c '%U %a' /var/lib/ldap/data.mdb").split()
    assert shown == ["openldap", "600"]


def test_on_the_host_itself_only_root_asks_slapd(server: Server) -> None:
    """There a stranger would guess passwords that nobody counts."""
    asked = "setpriv --reuid=nobody --clear-groups ldapwhoami -x -H ldapi:/// 2>&1 || true"
    assert "Can't contact LDAP server" in server.run("sh -c %s", asked)


def test_slapd_runs_as_its_own_user(server: Server) -> None:
    assert server.run("ps -C slapd -o user=").split() == ["openldap"]


_DIGEST = """
import hashlib, json, os, subprocess, sys
ssl = "/etc/ssl/danhba/"
env = {**os.environ, "LDAPTLS_CERT": ssl + "host.pem", "LDAPTLS_KEY": ssl + "host.key"}
argv = ["ldapsearch", "-LLL", "-Q", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-b", sys.argv[1],
        "-H", sys.argv[2], "(objectClass=*)", "*", "+"]
said = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout
blocks = ("\\n".join(sorted(block.splitlines())) for block in said.split("\\n\\n"))
assert "userPassword" in said or "uid=" in said
print(json.dumps(hashlib.sha256("\\n\\n".join(sorted(blocks)).encode()).hexdigest()))
"""

_FORGED = """
place=$(mktemp -d)
trap 'rm -r $place' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout $place/key \\
    -out $place/pem 2>/dev/null
LDAPTLS_CERT=$place/pem LDAPTLS_KEY=$place/key ldapsearch -LLL -Q -Y EXTERNAL -H "ldaps://$1" \\
    -b "$2" -s base contextCSN 2>/dev/null || true
"""

_SCHEMES = """
import base64, json, re, subprocess, sys
argv = ["ldapsearch", "-LLL", "-Q", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", "ldapi:///",
        "-b", sys.argv[1], "(userPassword=*)", "userPassword"]
schemes = {}
for line in subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines():
    if line.startswith("userPassword"):
        value = line.split(":", 1)[1]
        text = base64.b64decode(value[1:]).decode() if value.startswith(":") else value.strip()
        scheme = re.match(r"\\{[A-Z]+\\}\\$[0-9]\\$", text)
        name = scheme.group() if scheme else "no hash"
        schemes[name] = schemes.get(name, 0) + 1
print(json.dumps(schemes))
"""
