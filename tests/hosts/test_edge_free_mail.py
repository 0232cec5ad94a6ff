"""Mail to and from free-mail services: counted on edges, by the names of agencies."""

from __future__ import annotations

import json

from seen import Server

ROLE = "edge"


def test_mail_is_counted_every_few_minutes(server: Server) -> None:
    assert server.run("systemctl is-active danhba-free-mail.timer").strip() == "active"
    server.run("systemctl start danhba-free-mail.service")
    assert server.run("systemctl show -P Result danhba-free-mail.service").strip() == "success"


def test_only_root_reads_the_counts(server: Server) -> None:
    paths = "/var/lib/danhba-free-mail /var/lib/danhba-free-mail/records.sqlite"
    assert server.run(f"stat -c '%U:%G %a' {paths}").splitlines() == [
        "root:root 750", "root:root 640",
    ]  # fmt: skip


def test_every_address_is_an_agencys_and_services_are_those_of_policy(server: Server) -> None:
    compiled = server.wanted.compiled
    config = json.loads(server.run("cat /etc/danhba/free-mail.json"))
    assert config["domains"] == sorted(compiled.free_domains)
    rows = dict(line.split(" ") for line in server.run("cat /etc/danhba/agencies").splitlines())
    agencies = {box.account for box in compiled.mailboxes if box.kind == "agency"}
    assert set(rows.values()) <= agencies
    assert {server.wanted.mail(box.address) for box in compiled.mailboxes} <= set(rows)
