"""What every server is, whatever its role: its generation, its services, its ports."""

from __future__ import annotations

import pytest
from seen import Server

from danhba.inventory import Host
from deploys.common import POLICY_PORT
from deploys.firewall import INTERNAL

DEBIAN = "13"
Internal = list[tuple[tuple[Host, ...], tuple[int, ...]]]


def test_runs_the_wanted_debian(server: Server) -> None:
    release = server.shell.system_info
    assert (release.distribution, release.release.split(".")[0]) == ("debian", DEBIAN)


def test_has_its_own_name_and_the_clock_of_the_province(server: Server) -> None:
    name, fqdn, zone = server.run("hostname; hostname -f; readlink /etc/localtime").split()
    assert (name, fqdn) == (server.facts.name, server.facts.fqdn)
    assert zone == f"/usr/share/zoneinfo/{server.wanted.compiled.timezone}"


def test_every_package_of_the_generation_is_installed(server: Server) -> None:
    shown = server.run("dpkg-query -W -f '${Package} ${db:Status-Abbrev}\\n'")
    installed = {row.split()[0] for row in shown.splitlines() if row.split()[1] == "ii"}
    assert set(server.manifest["packages"]) <= installed


def test_no_package_is_left_half_configured(server: Server) -> None:
    assert server.run("dpkg --audit") == ""


def test_postfix_is_3_10_or_later_and_dovecot_is_2_4(server: Server) -> None:
    """Where they are: a vault has no Postfix, a people host neither."""
    if {"edge", "store"} & set(server.facts.roles):
        command = "dpkg --compare-versions %s ge 3.10"
        postfix = server.shell.package("postfix").version
        assert server.shell.run(command, postfix).rc == 0, postfix
        assert server.shell.package("dovecot-core").version.startswith("1:2.4.")


def test_service_runs_and_starts_with_the_host(server: Server, unit: str) -> None:
    active, state = server.units[unit]
    assert active == "active"
    assert state in ("enabled", "static", "alias", "indirect")


def test_timer_waits_for_its_time_and_what_it_starts_succeeds(
    server: Server, timer: str, in_the_lab: bool
) -> None:
    state = server.run("systemctl is-enabled %s; systemctl is-active %s", timer, timer)
    assert state.split() == ["enabled", "active"]
    service = server.run("systemctl show -P Unit %s", timer)
    if in_the_lab:
        server.run("systemctl start %s", service)
    said = server.run("systemctl show -P Result -P ExecMainStatus %s", service)
    assert said.split() == ["success", "0"]
    next_time = server.run("systemctl list-timers --no-legend %s", timer)
    assert next_time and not next_time.startswith("-"), next_time


def test_no_unit_has_failed(server: Server) -> None:
    assert server.run("systemctl list-units --state=failed --no-legend --plain") == ""


def test_the_live_generation_is_the_one_that_the_directory_makes(server: Server) -> None:
    live = server.python("print(open('/var/lib/danhba/current/manifest.json').read())")
    assert live == server.manifest


def test_file_has_its_content_owner_and_mode(server: Server, path: str) -> None:
    wanted = server.manifest["files"][path]
    found = server.files[path]
    keys = ("sha256", "mode", "owner", "group")
    assert {key: found.get(key) for key in keys} == {key: wanted[key] for key in keys}, found
    assert found["real"].startswith("/var/lib/danhba/generations/")


def test_link_points_where_it_should(server: Server, link: str) -> None:
    assert server.links[link] == server.manifest["links"][link]


def test_listens_on_its_ports_and_on_no_others(
    server: Server, public: set[int], internal: Internal
) -> None:
    ports = public.union(*(ports for _, ports in internal), _to_itself(server.facts))
    assert server.listening == {("tcp", port) for port in ports}


def _to_itself(host: Host) -> set[int]:
    """Ports on which one role of a host is asked by another one of the same host, over loopback."""
    asked = (
        (peer, ports)
        for role in host.roles
        for peer, ports in INTERNAL.get(role, ())
        if peer != role
    )
    return {port for peer, ports in asked if peer in host.roles for port in ports}


def test_the_firewall_opens_what_the_role_needs_and_nothing_else(
    server: Server, public: set[int], internal: Internal
) -> None:
    wanted: set[tuple[tuple[str, ...], tuple[int, ...]]] = {((), tuple(sorted(public)))}
    for hosts, ports in internal:
        for addresses in ([host.ipv4 for host in hosts], [host.ipv6 for host in hosts]):
            wanted.add((tuple(sorted(addresses)), tuple(sorted(ports))))
    assert server.openings == wanted


@pytest.mark.parametrize("chain", ["input", "forward"])
def test_the_firewall_drops_what_no_rule_accepts(server: Server, chain: str) -> None:
    chains = [row["chain"] for row in server.ruleset if "chain" in row]
    assert [found["policy"] for found in chains if found["name"] == chain] == ["drop"]
    assert {found["table"] for found in chains} == {"danhba"}


def test_the_private_key_is_closed_to_everybody_else(server: Server) -> None:
    key = server.shell.file("/etc/ssl/danhba/host.key")
    assert key.user == "root"
    assert (key.mode, key.group) in ((0o600, "root"), (0o640, "ssl-cert"))
    assert server.run("getent group ssl-cert | cut -d: -f4") == ""


def test_the_certificate_names_the_host_and_lasts_another_week(server: Server) -> None:
    command = "openssl x509 -in /etc/ssl/danhba/host.pem -noout -checkend 604800 -ext %s"
    assert f"DNS:{server.facts.fqdn}" in server.run(command, "subjectAltName")


def test_nobody_but_root_can_write_to_the_generations(server: Server) -> None:
    found = "find /var/lib/danhba ! -type l '(' -perm /022 -o ! -user root ')'"
    assert server.run(found) == ""


def test_the_lock_out_is_asked_by_root_alone_and_keeps_what_it_knows_to_itself(
    server: Server,
) -> None:
    paths = ("/run/danhba-lockout", "/run/danhba-lockout/control", "/run/danhba-lockout/key",
             "/var/lib/danhba-lockout", "/var/lib/danhba-lockout/table")  # fmt: skip
    shown = server.run("stat -c '%U %a' " + " ".join(paths)).splitlines()
    # Its group's, which on edges who counts what is sent is in (deploys/abuse.py).
    modes = ("750", "700", "600", "700", "600")
    assert shown == [f"danhba-lockout {mode}" for mode in modes]
    assert server.run("ps -C python3 -o user:20=,args= | grep lockout").startswith(
        "danhba-lockout "
    )


def test_the_lock_out_hears_all_other_hosts(server: Server) -> None:
    answer = server.python(_LOCKOUT)
    assert answer["peers"] == {host.fqdn: "" for host in _others(server)}


def _others(server: Server) -> list[Host]:
    return [host for host in server.wanted.environment.hosts if host != server.facts]


def test_dovecot_asks_the_lock_out_where_it_checks_passwords(server: Server) -> None:
    """On an edge for SMTP alone: of what it passes on to a store it does not know the outcome."""
    asks = f"http://127.0.0.1:{POLICY_PORT}/"
    rows = {"edge": ("smtp", server.edge.dovecot), "store": ("imap", "/etc/dovecot")}
    command = "doveconf -c %s/dovecot.conf -h -f protocol=%s auth_policy/server_url"
    for role in {*rows}.intersection(server.facts.roles):
        protocol, home = rows[role]
        assert server.run(command, home, protocol) == asks
    if "edge" in server.facts.roles:
        assert server.run(command, server.edge.dovecot, "imap") == ""


def test_root_logs_in_with_a_key_only(server: Server) -> None:
    settings = server.run("sshd -T").lower().splitlines()
    assert "permitrootlogin without-password" in settings or "passwordauthentication no" in settings


def test_no_apply_is_under_way_or_was_cut_off(server: Server) -> None:
    found = server.run("ls -d /var/lib/danhba/lock /var/lib/danhba/generations/.*.partial || true")
    assert found == ""


def test_security_upgrades_come_from_debian_security_alone(server: Server) -> None:
    shown = server.run("apt-config dump Unattended-Upgrade::Origins-Pattern").splitlines()
    origins = [row.split('"')[1] for row in shown if row.split('"')[1]]
    assert origins == ["origin=Debian,codename=${distro_codename}-security,label=Debian-Security"]


_LOCKOUT = """
import socket
asked = socket.socket(socket.AF_UNIX)
asked.connect("/run/danhba-lockout/control")
asked.sendall(b'{"do": "list"}\\n')
print(asked.makefile().read())
"""
