"""Records of access: made where sessions are, read by root, and with nothing in them but times."""

from __future__ import annotations

from seen import Server

RECORDING = {"edge", "store"}

_EVENTS = """
import glob, json
keys = set()
for path in glob.glob('/var/spool/danhba-usage/events*'):
    for line in open(path):
        event = json.loads(line)
        keys |= {*event, *('fields.' + each for each in event['fields'])}
print(json.dumps(sorted(keys)))
"""


def records(server: Server) -> bool:
    return bool(RECORDING & set(server.facts.roles))


def test_records_are_made_every_few_minutes_where_sessions_are(server: Server) -> None:
    timer = server.run("systemctl is-active danhba-usage.timer || true")
    assert (timer == "active") == records(server)
    if records(server):
        server.run("systemctl start danhba-usage.service")
        assert server.run("systemctl show -P Result danhba-usage.service") == "success"


def test_only_root_reads_records_and_only_dovecot_writes_events(server: Server) -> None:
    if records(server):
        paths = "/var/lib/danhba-usage /var/lib/danhba-usage/records.sqlite /var/spool/danhba-usage"
        assert server.run(f"stat -c '%U:%G %a' {paths}").splitlines() == [
            "root:root 750", "root:root 640", "dovecot:root 750",
        ]  # fmt: skip


def test_events_hold_account_and_times_and_nothing_else(server: Server) -> None:
    if records(server):
        found = set(server.python(_EVENTS))
        assert found <= {"start_time", "end_time", "fields", "fields.user"}
