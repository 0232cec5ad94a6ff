"""The inventories of this checkout: what each is for, and that all of them would be applied."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from danhba import inventory
from danhba.check import check_file
from danhba.commands import main
from danhba.compile import compile_directory
from danhba.compiled import Compiled
from danhba.inventory import ROLES, InventoryError
from danhba.project import ROOT, Project
from deploys.common import held

EXAMPLE = "production.example"


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    directory, findings = check_file(ROOT / "directory.yaml")
    assert directory is not None, findings
    return compile_directory(directory)


def test_an_example_is_no_environment() -> None:
    assert Project().environments() == ["single", "staging"]
    assert (ROOT / "inventory" / f"{EXAMPLE}.py").is_file()


def test_on_one_host_every_mailbox_is_at_home_and_has_no_standby(compiled: Compiled) -> None:
    env = Project().environment("single")
    (host,) = env.hosts
    assert set(host.roles) == set(ROLES)
    assert held(compiled, env, host) == compiled.mailboxes
    assert {env.place(box).standby for box in compiled.mailboxes} == {None}


@pytest.mark.parametrize(
    "action", [("issue", "--agency", "sotaichinh"), ("reset", "--address", "x")]
)
def test_with_several_environments_a_password_needs_to_know_which(action: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, ["password", *action])
    assert done.exit_code == 1
    assert "say which environment: single, staging" in done.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hosts = [('a', {})]\nedge = ['a']", "host a lacks fqdn, ipv4, ipv6"),
        ("hosts = []\nedges = []", "edges is no role; there are store, people, edge"),
        ("{one}edge = ['one']\nstore = ['one']", "no host has the role people"),
        ("{one}edge = ['one']\nstore = ['one']\npeople = ['on']", "host on lacks fqdn, ipv4, ipv6"),
        ("{one}", "host one has no role"),
        ("{same}edge = store = people = ['one', 'two']", "one and two have one fqdn, one.x"),
        ("{when}edge = store = people = ['one']", "since is a date"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: str) -> None:
    facts = {"fqdn": "one.x", "ipv4": "198.18.0.1", "ipv6": "2001:db8::1"}
    hosts = {
        "{one}": f"hosts = [('one', {facts})]\n",
        "{same}": f"hosts = [('one', {facts}), ('two', {facts})]\n",
        "{when}": f"hosts = [('one', {facts | {'since': '2027-03-01'}})]\n",
    }
    for mark, written in hosts.items():
        text = text.replace(mark, written)
    path = tmp_path / "wrong.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InventoryError, match=words):
        inventory.load(path)
