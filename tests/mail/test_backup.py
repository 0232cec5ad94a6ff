"""Backups on real hosts: consistent while a mailbox changes, safe from the host they are of, copied
elsewhere, forgotten by policy, and told of when they are old (docs/backup.md)."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from province import Province, wait_for

from deploys.backup import CONFIG, PLACE, STATE, VAULT_CONFIG, program_of
from staging.config import SECOND_FOLDER

MESSAGES = 30
_OWN = f"""\
set -eu
export RESTIC_PASSWORD=$(python3 -c 'import json;print(json.load(open("/etc/danhba/backup.secret"))["repository"])')
export RESTIC_REST_PASSWORD=$(python3 -c 'import json;print(json.load(open("/etc/danhba/backup.secret"))["server"])')
export RESTIC_REST_USERNAME=$(hostname) RESTIC_CACERT=/etc/ssl/danhba/ca.pem
export RESTIC_CACHE_DIR={STATE}/cache
url=https://{{vault}}:2541
export RESTIC_REPOSITORY=rest:$url/$(hostname)/
"""  # noqa: E501
"""What a thief of a host has: everything that is on it."""
_ASK = """
import base64, os, ssl, sys, urllib.error, urllib.request
word = os.environ["RESTIC_REST_USERNAME"] + ":" + os.environ["RESTIC_REST_PASSWORD"]
request = urllib.request.Request(sys.argv[2], method=sys.argv[1],
    data=b"x" if sys.argv[1] == "POST" else None,
    headers={"Authorization": "Basic " + base64.b64encode(word.encode()).decode()})
context = ssl.create_default_context(cafile=os.environ["RESTIC_CACERT"])
try:
    print(urllib.request.urlopen(request, context=context).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
_CHURN = """\
set -eu
touch /run/thu-sao-luu
while [ -e /run/thu-sao-luu ]; do
    doveadm move -u {user} Khac mailbox INBOX 1:7
    doveadm flags -u {user} add '\\Flagged' mailbox Khac 1:3
    doveadm move -u {user} INBOX mailbox Khac 1:5
    printf 'Subject: x\\nMessage-ID: <qua@thu>\\n\\nx\\n' | doveadm save -u {user} -m Khac
    doveadm expunge -u {user} mailbox Khac header message-id '<qua@thu>'
done
"""
_RESTORED = """\
rm -rf /srv/mail/.thu /srv/mail/.thu-goc
restic restore -q {snapshot} --target /srv/mail/.thu-goc --include /srv/mail/{account} \
    --include {state}/mail/{account} >/dev/null
mv /srv/mail/.thu-goc/srv/mail/{account} /srv/mail/.thu
cat /srv/mail/.thu-goc{state}/mail/{account}/manifest.jsonl
cp -a /srv/mail/.thu-goc{state}/mail/{account}/mail /srv/mail/.thu/
chown -R vmail:vmail /srv/mail/.thu
"""
_SEEN = """\
set -eu
(cd /srv/mail/.thu && find mail -name 'u.*' | sort | xargs sha256sum)
echo ---
doveadm -o mail_path=/srv/mail/.thu/mail force-resync -u {user} '*' >&2
doveadm -f flow -o mail_path=/srv/mail/.thu/mail fetch -u {user} 'mailbox hdr.message-id' all
rm -rf /srv/mail/.thu /srv/mail/.thu-goc
"""


@pytest.fixture(scope="module")
def box(province: Province) -> Iterator[tuple[str, str]]:
    """A mailbox with mail, and its store."""
    address = province.stranger()
    store, user = province.home(address), province.mail(address)
    script = "".join(
        f"printf 'Subject: {n}\\nMessage-ID: <thu{n}@thu>\\n\\nXin chao\\n' |"
        f" doveadm save -u {user} -m INBOX\n"
        for n in range(MESSAGES)
    )
    done = province.lab.run(
        store, ["sh", "-eu"], f"doveadm mailbox create -u {user} Khac\n{script}"
    )
    assert done.returncode == 0, done.stderr
    yield address, store
    province.lab.run(store, ["rm", "-f", "/run/thu-sao-luu"])
    province.lab.run(store, ["doveadm", "expunge", "-u", user, "mailbox", "*", "all"])


def find(province: Province, **question: str) -> dict[str, str]:
    words = " ".join(program_of(VAULT_CONFIG))
    done = province.lab.run("vault1", ["sh", "-c", f"{words} find"], json.dumps(question))
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def own(province: Province, host: str, script: str) -> str:
    """What a script says that has all that the host has."""
    vault = province.environment.host("vault1").fqdn
    done = province.lab.run(host, ["sh"], _OWN.format(vault=vault) + script)
    return done.stdout + done.stderr


def run(province: Province, host: str, *argv: str) -> str:
    done = province.lab.run(host, argv)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


def test_a_mailbox_that_never_keeps_still_is_restored_whole(
    province: Province, box: tuple[str, str]
) -> None:
    """Messages are moved to and fro all the time, and others come and go: each of those that were
    there all the time is in the snapshot, and what it lists is what it has."""
    address, store = box
    user = province.mail(address)
    script = _CHURN.format(user=user)
    start = "cat >/run/thu.sh; setsid sh /run/thu.sh >/dev/null 2>&1 &"
    province.lab.run(store, ["sh", "-c", start], script)
    wait_for(
        lambda: not province.lab.run(store, ["test", "-e", "/run/thu-sao-luu"]).returncode, "on"
    )
    try:
        said = province.danhba("backup", "staging", "--host", store).stdout
        print(said)
        found = find(province, account=address)
    finally:
        run(province, store, "rm", "-f", "/run/thu-sao-luu")
    gone = ["pgrep", "-f", "/run/thu[.]sh"]
    wait_for(lambda: bool(province.lab.run(store, gone).returncode), "its last turn has ended")
    words = {"snapshot": found["snapshot"], "account": address, "state": STATE, "user": user}
    listed, _, rest = own(province, store, _RESTORED.format(**words) + "echo ===\n"
                          + _SEEN.format(**words)).partition("===\n")  # fmt: skip
    manifest = {row["path"]: row["sha256"] for row in map(json.loads, listed.splitlines())}
    hashes, _, seen = rest.partition("---\n")
    have = {path: sha for sha, _, path in (row.partition("  ") for row in hashes.splitlines())}
    assert have == manifest and len(have) >= MESSAGES
    ids = Counter(row.partition("hdr.message-id=")[2] for row in seen.splitlines() if "hdr." in row)
    assert all(ids[f"<thu{n}@thu>"] >= 1 for n in range(MESSAGES)), ids
    assert sum(ids.values()) == len(manifest)


def test_without_a_change_a_run_costs_little(province: Province, box: tuple[str, str]) -> None:
    province.danhba("backup", "staging", "--host", box[1])
    before = run(province, "vault1", "ls", f"{PLACE}/{box[1]}/snapshots").split()
    began = time.monotonic()
    said = province.danhba("backup", "staging", "--host", box[1]).stdout
    print(f"{time.monotonic() - began:.1f} s: {said}")
    assert "mail: 0 mailboxes, 0 files read" in said
    after = run(province, "vault1", "ls", f"{PLACE}/{box[1]}/snapshots").split()
    [new] = {*after} - {*before}  # by which the vault knows that somebody looked
    assert find(province, account=box[0])["snapshot"] in before
    listed = run(province, "vault1", *program_of(VAULT_CONFIG), "restic", box[1], "ls", new)
    assert "/accounts.json" in listed and "manifest.jsonl" not in listed


def test_a_thief_of_a_host_destroys_nothing(province: Province, box: tuple[str, str]) -> None:
    store = box[1]
    other = next(each.name for each in province.environment.having("store") if each.name != store)
    find(province, account=box[0])
    before = run(province, "vault1", "sh", "-c", f"find {PLACE} -type f | grep -v /locks/ | sort")
    said = own(province, store, f"""\
        restic forget --keep-last 1 --prune 2>&1 | tail -3 || true
        ask='{_ASK}'
        ask() {{ python3 -c "$ask" "$@"; }}
        for snapshot in $(restic list snapshots); do
            echo delete $(ask DELETE $url/{store}/snapshots/$snapshot)
            echo replace $(ask POST $url/{store}/snapshots/$snapshot)
        done
        echo config $(ask DELETE $url/{store}/config) $(ask POST $url/{store}/config)
        echo all $(ask DELETE $url/{store}/)
        echo other $(ask GET $url/{other}/config)
        """)  # fmt: skip
    print(said)
    assert "delete 403" in said and "replace 403" in said and "config 403 403" in said, said
    assert "delete 200" not in said and "replace 200" not in said
    assert "all 200" not in said and ("other 401" in said or "other 403" in said)
    after = run(province, "vault1", "sh", "-c", f"find {PLACE} -type f | grep -v /locks/ | sort")
    assert set(before.split()) <= set(after.split())
    assert run(province, "vault1", *program_of(VAULT_CONFIG), "restic", store, "check")


def test_what_a_host_needs_to_begin_again_is_there(province: Province) -> None:
    province.danhba("backup", "staging", "--all")
    people = own(province, "store1", f"""\
        restic dump latest --tag host {STATE}/host/people.ldif | grep -c '^userPassword'
        restic ls latest --tag host | grep -c generations
        """).split()  # fmt: skip
    assert [int(each) > 0 for each in people] == [True, True], people
    edge = own(province, "mx1", "restic ls latest --tag host")
    assert "/var/lib/danhba-signing/" in edge and "/var/lib/valkey" in edge, edge[-500:]
    assert "/var/spool/postfix" not in edge


def test_the_second_place_has_all_of_it(province: Province, box: tuple[str, str]) -> None:
    """Of several of one day the newest, by policy. That it is all: tests/faults/test_rebuild.py."""
    run(province, "vault1", "systemctl", "start", "danhba-backup-copy.service")
    for host in ("store1", "store2", "mx1"):
        here = run(province, "vault1", "ls", f"{PLACE}/{host}/snapshots").split()
        there = run(province, "net1", "ls", f"{SECOND_FOLDER}/backup/{host}/snapshots").split()
        assert 0 < len(there) <= len(here), host
    said = province.danhba("status", "staging", check=False).stdout
    assert "backups copied to the second place" in said


_DATED = """\
set -eu
rm -rf /srv/vault/thu
install -d -o danhba-backup -g danhba-backup /srv/vault/thu /srv/vault/thu/s
echo '{{"thu": "x"}}' >/srv/vault/thu.secret
cat >/srv/vault/thu.json <<END
{{"hosts": {{"thu": true}}, "place": "/srv/vault/thu", "secret": "/srv/vault/thu.secret",
 "second": "", "sftp": "", "keep": {{"days": 3, "weeks": 2, "months": 2}}, "mail": "/srv/mail",
 "user": "danhba-backup", "state": "/srv/vault/thu/s", "held": []}}
END
cd /
{program} repositories
for day in {days}; do
    {program} restic thu backup -q --tag mail-all --host thu --time "$day 02:15:00" /etc/hostname
    newest=$(ls -t /srv/vault/thu/thu/snapshots | head -1)
    touch -d "$day 02:15:00" /srv/vault/thu/thu/snapshots/$newest
done
{program} prune
{program} restic thu snapshots --json >/srv/vault/thu.left
{program} restic thu backup -q --tag mail-all --host thu --time "2026-09-01 02:15:00" /etc/hostname
{program} prune 2>/srv/vault/thu.refused || true
{program} restic thu snapshots --json >/srv/vault/thu.still
"""


def test_what_is_old_is_forgotten_by_policy_and_nothing_by_a_lie(province: Province) -> None:
    """Three days, two weeks, two months of one snapshot now and then; then one comes that says that
    it is of September, and nothing is forgotten any more."""
    days = ["2026-09-10", "2026-10-05", "2026-10-20", "2026-11-09", "2026-11-16", "2026-11-20",
            "2026-11-23", "2026-11-24", "2026-11-25"]  # fmt: skip
    program = " ".join(program_of("/srv/vault/thu.json"))
    try:
        script = _DATED.format(program=program, days=" ".join(days))
        done = province.lab.run("vault1", ["sh"], script)
        assert done.returncode == 0, done.stderr
        left, still = (json.loads(run(province, "vault1", "cat", f"/srv/vault/thu.{name}"))
                       for name in ("left", "still"))  # fmt: skip
        kept = sorted(each["time"][:10] for each in left)
        assert kept == ["2026-10-20", "2026-11-20", "2026-11-23", "2026-11-24", "2026-11-25"]
        assert "nothing is forgotten" in run(province, "vault1", "cat", "/srv/vault/thu.refused")
        assert len(still) == len(left) + 1
    finally:
        province.lab.run("vault1", ["sh", "-c", "rm -rf /srv/vault/thu /srv/vault/thu.*"])


def test_what_is_old_or_refused_is_told(province: Province, box: tuple[str, str]) -> None:
    """34 days are "34 days"; a blank disk is backed up by nobody."""
    store = box[1]
    province.danhba("backup", "staging", "--host", store)
    note = (
        "import sqlite3,json,time\n"
        f"base=sqlite3.connect('{STATE}/backup.sqlite')\n"
        "note=json.dumps({'at': time.time()-34*86400-60, 'why': ''})\n"
        "base.execute(\"update notes set value=? where name='good mail'\", (note,))\n"
        "base.execute(\"insert or replace into boxes values('thu-a','x',9),('thu-b','x',9),"
        "('thu-c','x',9),('thu-d','x',9)\")\n"
        "base.commit()\n"
    )
    homes = "/etc/danhba/backup-homes"
    run(province, store, "python3", "-c", note)
    place = Path(run(province, store, "readlink", "-f", homes).strip())
    before = run(province, store, "cat", str(place))
    try:
        # As if four, and all others, had had mail here: none of it is on the disk.
        blank = (
            f"printf 'thu-a\\nthu-b\\nthu-c\\nthu-d\\n' >/run/thu; mount --bind /run/thu {homes}"
        )
        run(province, store, "sh", "-c", blank)
        done = province.danhba("backup", "staging", "--host", store, check=False)
        assert done.returncode == 1 and "4 of 4 mailboxes" in done.stdout, done.stdout
        said = province.danhba("status", "staging", check=False).stdout
        assert "mail is 34 days old (4 of 4 mailboxes" in said, said
    finally:
        run(province, store, "umount", homes)
        assert run(province, store, "cat", str(place)) == before
    province.danhba("backup", "staging", "--host", store)
    assert "34 days" not in province.danhba("status", "staging", check=False).stdout


def test_a_host_asks_for_its_own_configuration(province: Province) -> None:
    for host in province.environment.hosts:
        run(province, host.name, *program_of(CONFIG), "check")
