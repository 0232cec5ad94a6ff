"""A restore that is cut off, and a repository that is damaged (docs/restore.md)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from mailboxes import on
from province import Province, wait_for

WHO = "phuc.loi"
COUNT = 1500
"""Messages: more than one part of a restore."""
_MANY = f"""
out = __import__("sys").stdout.buffer
out.write(b"a APPEND INBOX")
for n in range({COUNT}):
    message = b"From: a@b.test\\r\\nMessage-ID: <%d@loi>\\r\\n\\r\\n%d\\r\\n" % (n, n)
    out.write(b" {{%d+}}\\r\\n" % len(message) + message)
out.write(b"\\r\\nb LOGOUT\\r\\n")
"""
"""Appends them all at once (RFC 3502, RFC 7888)."""
_UNKNOWN = """
cd {index}
next=$(doveadm -f tab mailbox status -u {user} uidnext INBOX | tail -1 | cut -f2)
test -e u.$next || mv "$(ls u.* | head -1)" u.$next
"""
"""A message that no index knows, where the next one comes: what a power cut may leave."""
REPOSITORY = "/srv/vault/backup"


@pytest.fixture(scope="module")
def moment(province: Province) -> str:
    """Of a snapshot of WHO's mailbox, whose messages are gone since."""
    province.add_officials(WHO)
    province.apply()
    store, user = province.home(WHO), province.mail(WHO)
    appended = f"python3 -c '{_MANY}' | /usr/lib/dovecot/imap -u {user}"
    made = f"{appended} && systemctl start danhba-backup-mail.service && sleep 1"
    done = province.lab.run(store, ["sh", "-c", made])
    assert done.returncode == 0, done.stderr
    assert on(province, store, WHO).total() == COUNT
    at = datetime.now(ZoneInfo(province.compiled.timezone)).isoformat(timespec="seconds")
    done = province.lab.run(store, ["doveadm", "expunge", "-u", user, "mailbox", "INBOX", "all"])
    assert done.returncode == 0 and not on(province, store, WHO)
    return at


def words(moment: str) -> list[str]:
    return ["restore", "mailbox", "staging", WHO, "--at", moment, "--in-place"]


@contextmanager
def damaged(province: Province, how: str) -> Iterator[None]:
    """The packs of a store's repository; $place is their folder."""
    data = f"{REPOSITORY}/{province.home(WHO)}/data"
    run = province.lab.run
    assert run("vault1", ["cp", "-a", data, f"{data}.whole"]).returncode == 0
    try:
        done = run("vault1", ["sh", "-ec", f"place={data}\n{how}"])
        assert done.returncode == 0, done.stderr
        yield
    finally:
        run("vault1", ["sh", "-ec", f"rm -r {data}; mv {data}.whole {data}"])


@pytest.mark.parametrize(
    "how",
    [
        # All of each pack: a blob of somebody else's would be no trouble to this mailbox.
        "for pack in $place/*/*; do chmod u+w $pack; size=$(stat -c %s $pack);"
        " head -c $size /dev/zero | dd of=$pack bs=$size iflag=fullblock conv=notrunc status=none;"
        " done",
        "rm $place/*/*",
    ],
    ids=["corrupted", "missing"],
)
def test_a_damaged_repository_restores_nothing_and_says_why(
    province: Province, moment: str, how: str
) -> None:
    store = province.home(WHO)
    with damaged(province, how):
        done = province.danhba(*words(moment), check=False)
    assert done.returncode == 1
    assert "vault1: " in done.stderr and "Nothing was taken away" in done.stderr
    print(done.stderr)
    assert "Traceback" not in done.stderr
    assert not on(province, store, WHO)
    left = province.lab.run(store, ["ls", f"/srv/mail/.restore/{WHO}"])
    assert left.returncode != 0


def test_a_store_that_loses_power_meanwhile_has_all_of_it_once_afterwards(
    province: Province, moment: str
) -> None:
    store, user = province.home(WHO), province.mail(WHO)
    process = province.start(*words(moment))
    index = f"/srv/mail/{WHO}/mail/mailboxes/INBOX/dbox-Mails"
    # Messages come to the mailbox: some parts are there, one is half done.
    wait_for(lambda: province.lab.run(store, ["sh", "-c", f"ls {index} | grep -c ^u[.]"]).stdout
             .strip() not in ("", "0"), "it has begun", 60)  # fmt: skip
    province.lab.kill(store)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    province.lab.start(store)
    assert province.lab.run(store, ["sh", "-ec", _UNKNOWN.format(index=index, user=user)],
                            ).returncode == 0  # fmt: skip
    done = province.danhba(*words(moment))
    print(done.stdout)
    found = on(province, store, WHO)
    assert len(found) == COUNT and set(found.values()) == {1}
    assert province.lab.run(store, ["ls", f"/srv/mail/.restore/{WHO}"]).returncode != 0
    again = province.danhba(*words(moment)).stdout
    assert "0 messages came back" in again
    # What was half done and no index knew does not turn up later.
    assert province.lab.run(store, ["doveadm", "force-resync", "-u", user, "INBOX"]).returncode == 0
    assert set(on(province, store, WHO).values()) == {1}
