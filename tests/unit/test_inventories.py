"""The inventories of this checkout: what each is for, and that all of them would be applied."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from click.testing import CliRunner

from danhba import inventory
from danhba.check import check_file
from danhba.commands import main
from danhba.compile import compile_directory
from danhba.compiled import Compiled
from danhba.inventory import ROLES, Environment, InventoryError
from danhba.project import ROOT, Project
from deploys.common import held, home
from deploys.roles import parts

EXAMPLE = "production.example"
DOCUMENTATION = [
    ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    directory, findings = check_file(ROOT / "directory.yaml")
    assert directory is not None, findings
    return compile_directory(directory)


def example() -> Environment:
    return Project().environment(EXAMPLE)


def test_an_example_is_no_environment() -> None:
    assert Project().environments() == ["single", "staging"]
    assert (ROOT / "inventory" / f"{EXAMPLE}.py").is_file()


def test_the_example_has_two_edges_four_stores_and_two_people_hosts() -> None:
    assert {role: len(example().having(role)) for role in ROLES} == {
        "edge": 2, "store": 4, "people": 2, "vault": 1,
    }  # fmt: skip


def test_the_example_names_nothing_that_exists() -> None:
    """RFC 5737, RFC 3849, RFC 2606."""
    for host in example().hosts:
        assert host.fqdn.endswith(".example")
        for address in map(ip_address, (host.ipv4, host.ipv6)):
            assert any(address in net for net in DOCUMENTATION), address


def test_the_whole_directory_compiles_for_the_example(compiled: Compiled) -> None:
    env = example()
    for host in env.hosts:
        paths = [file.path for part in parts(compiled, env, host) for file in part.files]
        assert len(paths) == len(set(paths))
    homes = [home(box, env).name for box in compiled.mailboxes]
    assert set(homes) == {"store1", "store2", "store3"}  # nobody has come since store4 has
    held_twice = sum(len(held(compiled, env, store)) for store in env.having("store"))
    assert held_twice == 2 * len(compiled.mailboxes)


def test_on_one_host_every_mailbox_is_at_home_and_has_no_standby(compiled: Compiled) -> None:
    env = Project().environment("single")
    (host,) = env.hosts
    assert set(host.roles) == {*ROLES} - {"vault"}
    assert held(compiled, env, host) == compiled.mailboxes
    assert {env.place(box).standby for box in compiled.mailboxes} == {None}


@pytest.mark.parametrize("action", ["issue", "reset"])
def test_with_several_environments_a_password_needs_to_know_which(
    action: str, compiled: Compiled
) -> None:
    box = next(box for box in compiled.mailboxes if box.kind == "person")
    whom = {"issue": ["--agency", box.agency], "reset": ["--address", box.address]}
    done = CliRunner().invoke(main, ["password", action, *whom[action]])
    assert done.exit_code == 1
    assert "say which environment: single, staging" in done.output


def test_what_every_comment_of_the_example_explains_is_a_key_of_the_docs() -> None:
    """And the other way round: docs/inventory.md has a row for everything that a host may say."""
    text = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    rows = {row.split("`")[1] for row in text.splitlines() if row.startswith("| `")}
    keys = {
        key
        for name in (EXAMPLE, "single")
        for host in Project().environment(name).hosts
        for key in host.data
    }
    assert keys <= rows
    assert rows >= set(ROLES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hosts = [('a', {})]\nedge = ['a']", "host a lacks fqdn, ipv4, ipv6"),
        ("hosts = []\nedges = []", "edges is no role; there are vault, store, people, edge"),
        ("{one}edge = ['one']\nstore = ['one']", "no host has the role people"),
        ("{one}edge = ['one']\nstore = ['one']\npeople = ['on']", "host on lacks fqdn, ipv4, ipv6"),
        ("{one}", "host one has no role"),
        ("{same}edge = store = people = ['one', 'two']", "one and two have one fqdn, one.x"),
        ("{known}edge = store = people = ['one']", "signatures is 'labs': write freshclam or lab"),
        ("{one}edge = store = people = vault = ['one']", "one lacks secrets: a directory"),
        ("{two}edge = store = people = ['one']\nvault = ['one', 'two']", "two hosts have the role"),
        ("{when}edge = store = people = ['one']", "since is a date"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: str) -> None:
    facts = {"fqdn": "one.x", "ipv4": "198.18.0.1", "ipv6": "2001:db8::1"}
    second = {"fqdn": "two.x", "ipv4": "198.18.0.2", "ipv6": "2001:db8::2"}
    hosts = {
        "{known}": f"hosts = [('one', {facts | {'signatures': 'labs'}})]\n",
        "{one}": f"hosts = [('one', {facts})]\n",
        "{same}": f"hosts = [('one', {facts}), ('two', {facts})]\n",
        "{two}": f"hosts = [('one', {facts}), ('two', {second})]\n",
        "{when}": f"hosts = [('one', {facts | {'since': '2027-03-01'}})]\n",
    }
    for mark, written in hosts.items():
        text = text.replace(mark, written)
    path = tmp_path / "wrong.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InventoryError, match=words):
        inventory.load(path)
