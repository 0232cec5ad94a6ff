"""The journal on the vault: who reaches it, and that it can write and not read."""

from __future__ import annotations

import json

from seen import Server

ROLE = "vault"
_ROOT = "/srv/vault/journal"


def test_only_its_own_user_reads_the_journal(server: Server) -> None:
    said = server.run(f"stat -c '%U:%G %a' {_ROOT} /run/danhba-journal/desk").splitlines()
    assert said == ["danhba-journal:danhba-journal 700", "danhba-journal:danhba-journal 600"]


def test_the_key_that_opens_it_is_not_there(server: Server) -> None:
    config = json.loads(server.run("cat /etc/danhba/journal.json"))
    secrets = server.wanted.environment.secrets
    assert config["public"] != secrets.derive("journal").hex()
    private = secrets.derive("journal").hex()
    assert not server.run(f"grep -rl {private} /etc /run/danhba* {_ROOT} || true").strip()
    assert config["edges"] == {
        edge.fqdn: edge.name for edge in server.wanted.environment.having("edge")
    }


def test_the_daemon_is_not_reached_but_through_the_tunnel(server: Server) -> None:
    listening = server.run("ss -Hltn").splitlines()
    doors = [row.split()[3] for row in listening if row.split()[3].endswith(":10028")]
    assert doors == ["127.0.0.1:10028"]
