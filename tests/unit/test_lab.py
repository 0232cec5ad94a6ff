"""The lab's decisions, without booting anything: addresses, mirrors, DNS, when to boot what."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest

from danhba.inventory import Environment, InventoryError, build
from staging import (
    cache,
    certificates,
    cgroup,
    image,
    internet,
    lab,
    mirrors,
    network,
    overlap,
    zones,
)
from staging.config import BRIDGE, CHECKOUT, NET1, NET1_IPV4, OUTSIDE, RANGES
from staging.shell import LabError

PROVINCE = ipaddress.IPv4Network("198.18.0.0/24")
PROVINCE6 = ipaddress.IPv6Network("2001:db8:18::/64")


def clashes(
    routes: list[dict[str, Any]] | None = None,
    links: list[dict[str, Any]] | None = None,
    named: list[tuple[str, str]] | None = None,
) -> list[str]:
    return overlap.clashes((PROVINCE, PROVINCE6), routes or [], links or [], named or [])


class TestOverlap:
    def test_an_ordinary_machine_is_fine(self) -> None:
        routes = [
            {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
            {"dst": "192.0.2.0/24", "dev": "eth0", "prefsrc": "192.0.2.2"},
            {"dst": "fe80::/64", "dev": "eth0"},
            {"type": "multicast", "dst": "ff00::/8", "dev": "eth0", "table": "local"},
        ]
        links = [{"ifname": "eth0", "addr_info": [{"local": "192.0.2.2", "prefixlen": 24}]}]
        assert clashes(routes, links, [("the resolver", "192.0.2.53")]) == []

    @pytest.mark.parametrize(
        "dst", ["198.18.0.0/24", "198.18.0.7", "198.18.0.128/25", "198.0.0.0/8"]
    )
    def test_a_route_into_or_around_a_range(self, dst: str) -> None:
        (found,) = clashes([{"dst": dst, "dev": "tun0"}])
        assert found == f"198.18.0.0/24 overlaps the route to {dst} (tun0)"

    def test_ipv6(self) -> None:
        (found,) = clashes([{"dst": "2001:db8::/32", "dev": "eth0"}])
        assert "2001:db8:18::/64" in found

    def test_half_of_everything_is_a_way_to_write_the_default_route(self) -> None:
        assert clashes([{"dst": "128.0.0.0/1", "dev": "tun0"}]) == []

    def test_what_the_lab_made_itself_does_not_count(self) -> None:
        routes = [
            {"dst": "198.18.0.0/24", "dev": BRIDGE},
            {"type": "unreachable", "dst": "198.18.0.0/24", "dev": "lo"},
        ]
        links = [{"ifname": BRIDGE, "addr_info": [{"local": "198.18.0.1", "prefixlen": 24}]}]
        assert clashes(routes, links) == []

    def test_an_address_of_the_machine(self) -> None:
        links = [{"ifname": "eth1", "addr_info": [{"local": "198.18.0.9", "prefixlen": 32}]}]
        assert clashes(links=links) == ["198.18.0.0/24 overlaps the address 198.18.0.9/32 of eth1"]

    def test_resolver_and_mirror(self) -> None:
        found = clashes(named=[("the resolver x", "198.18.0.53"), ("the package mirror y", "::1")])
        assert found == ["198.18.0.0/24 overlaps the resolver x"]

    def test_check_refuses_with_a_way_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        route = {"dst": str(RANGES[0]), "dev": "eth7"}
        monkeypatch.setattr(overlap, "_ip", lambda *argv: [route] if "-4" in argv else [])
        with pytest.raises(LabError, match=r"(?s)eth7.*DANHBA_LAB_PROVINCE4"):
            overlap.check([])


class TestMirrors:
    TARGETS = "Debian\thttp://mirror.test/debian/\nOther\thttp://other.test/x/\n"

    def test_the_machines_own_mirror_with_security_beside_it(self) -> None:
        found = mirrors.choose(self.TARGETS, lambda uri, suite: True)
        assert found.main == "http://mirror.test/debian/"
        assert found.security == "http://mirror.test/debian-security/"
        assert "trixie-updates main" in found.sources()

    def test_configured_security_is_preferred(self) -> None:
        targets = self.TARGETS + "Debian-Security\thttp://secure.test/s/\n"
        found = mirrors.choose(targets, lambda uri, suite: True)
        assert found.hosts == ("mirror.test", "secure.test")

    def test_no_security_in_reach(self) -> None:
        found = mirrors.choose(self.TARGETS, lambda uri, suite: "security" not in suite)
        assert found.security == ""
        assert "security" not in found.sources()

    def test_no_mirror_at_all(self) -> None:
        with pytest.raises(LabError, match="add a Debian mirror"):
            mirrors.choose(self.TARGETS, lambda uri, suite: False)

    def test_the_cache_makes_the_tls_connection(self) -> None:
        assert mirrors.cached("https://m.test/debian") == "http://m.test/debian"

    def test_another_mirror_is_another_image(self) -> None:
        one = mirrors.Mirrors("http://a.test/debian/", "")
        assert image.recipe(one) != image.recipe(mirrors.Mirrors("http://b.test/debian/", ""))


def environment(*edges: str) -> Environment:
    names = [*edges, "store1"]
    data = {
        name: {
            "fqdn": f"{name}.tinh.test",
            "ipv4": f"198.18.0.{number}",
            "ipv6": f"2001:db8:18::{number}",
        }
        for number, name in enumerate(names, 11)
    }
    return build(
        "staging", data, {name: ["edge"] for name in edges} | {"store1": ["store", "people"]}
    )


class TestNames:
    def test_every_edge_receives_mail(self) -> None:
        zone = zones.zones(environment("mx1", "mx2"), 7)["tinh.test"]
        assert re.findall(r"IN MX 10 (\S+)", zone) == ["mx1.tinh.test.", "mx2.tinh.test."]
        assert "store1.tinh.test. IN AAAA 2001:db8:18::13" in zone

    def test_addresses_have_names(self) -> None:
        made = zones.zones(environment("mx1"), 7)
        assert "11.0.18.198.in-addr.arpa. IN PTR mx1.tinh.test." in made["in-addr.arpa"]
        assert f"IN PTR mail.{OUTSIDE}." in made["ip6.arpa"]

    def test_nothing_outside_the_lab_is_ever_asked(self) -> None:
        assert "forwarders" not in zones.configuration(environment("mx1"))
        assert 'zone "."' in zones.configuration(environment("mx1"))

    def test_one_more_host_configures_net1_anew(self) -> None:
        assert internet.digest(environment("mx1")) != internet.digest(environment("mx1", "mx2"))
        assert internet.digest(environment("mx1")) == internet.digest(environment("mx1"))


class TestWhatToBoot:
    """All alive: nothing. Some dead: those. None alive, or another checkout's: all anew."""

    @pytest.fixture
    def alive(self, monkeypatch: pytest.MonkeyPatch) -> set[str]:
        living: set[str] = set()
        monkeypatch.setattr(cgroup, "alive", lambda name: name in living)
        monkeypatch.setattr(network, "is_up", lambda: True)
        monkeypatch.setattr(image, "is_current", lambda mirrors: True)
        monkeypatch.setattr(cache, "answers", lambda: True)
        return living

    def state(self, found: lab.Lab, **changes: Any) -> dict[str, Any]:
        return {
            "checkout": str(CHECKOUT),
            "mirrors": {"main": "", "security": ""},
            "hosts": found._wanted(),
            "internet": internet.digest(found.environment),
            **changes,
        }

    def test_all_alive(self, alive: set[str]) -> None:
        found = lab.Lab.open()
        alive.update(found.hosts)
        assert found._is_up(self.state(found))

    def test_one_dead(self, alive: set[str]) -> None:
        found = lab.Lab.open()
        alive.update(set(found.hosts) - {NET1})
        assert not found._is_up(self.state(found))
        assert found._is_usable(self.state(found))

    def test_all_dead_start_again_with_what_they_wrote(self, alive: set[str]) -> None:
        found = lab.Lab.open()
        assert not found._is_up(self.state(found))
        assert found._is_usable(self.state(found))

    def test_a_host_beyond_the_labs_ranges(self) -> None:
        found = lab.Lab.open()
        found.hosts["far"] = lab.Host("far", "far.x", "10.99.0.3", "2001:db8:18::3", ())
        with pytest.raises(lab.LabError, match=r"far: 10\.99\.0\.3 is in none"):
            found._in_our_ranges()

    def test_another_checkout(self, alive: set[str]) -> None:
        found = lab.Lab.open()
        alive.update(found.hosts)
        assert not found._is_usable(self.state(found, checkout="/elsewhere"))

    def test_never_booted(self, alive: set[str]) -> None:
        assert not lab.Lab.open()._is_usable({})


def test_a_host_that_does_not_exist() -> None:
    there = "mx1, mx2, store1, store2, vault1, net1"
    with pytest.raises(LabError, match=f"there is no host mx9; there are {there}"):
        lab.Lab.open().cut("mx9")


def test_a_host_name_too_long_for_a_cable() -> None:
    with pytest.raises(LabError, match="too long"):
        network.port("a-very-long-name")


def test_net1_is_where_the_hosts_look_for_names() -> None:
    assert lab.Lab.open().environment.hosts[0].dns_root == f"/{certificates.DIRECTORY}"
    assert NET1_IPV4 in internet.hints()


def test_config_is_light() -> None:
    """The inventory reads it, each time anything starts."""
    text = (CHECKOUT / "staging" / "config.py").read_text()
    assert not re.search(r"^(from|import) (danhba|staging)", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["requirements.txt", "script/bootstrap", "script/staging"])
def test_no_index_is_named(name: str) -> None:
    """Packages come from where this machine gets its packages."""
    text = Path(CHECKOUT, name).read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


class TestAnotherInventory:
    """script/staging --inventory single: one province at a time."""

    def test_its_hosts_and_net1(self) -> None:
        assert list(lab.Lab.open("single").hosts) == ["single1", NET1]

    def test_mail_for_the_domain_goes_there(self) -> None:
        found = lab.Lab.open("single").environment
        text = zones.zones(found, 1)[zones.domain(found)]
        assert re.findall(r"IN MX 10 (.*)", text) == [f"single1.{zones.domain(found)}."]

    def test_commands_mean_the_hosts_that_were_booted_last(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(lab, "_STATE", tmp_path / "state.json")
        assert lab.running() == "staging"
        (tmp_path / "state.json").write_text('{"inventory": "single"}')
        assert lab.running() == "single"

    def test_one_that_does_not_exist(self) -> None:
        with pytest.raises(InventoryError, match=r"elsewhere\.py: there is no such inventory"):
            lab.Lab.open("elsewhere")
