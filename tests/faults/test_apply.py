"""What an apply does, and what it refuses (issue: apply, drift, rejected configuration)."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from province import Province

from danhba.engine import session
from danhba.generations.host.common import CURRENT, PREVIOUS
from danhba.project import Project
from danhba.publish import ask

MAIN_CF = "templates/postfix_edge/main.cf"


def test_a_second_apply_and_the_plan_have_nothing_to_do(province: Province) -> None:
    assert province.danhba("plan", "staging").stdout.count("nothing to do") == len(
        province.environment.hosts
    )
    assert province.danhba("apply", "staging", "--yes").stdout.count("nothing to do") == len(
        province.environment.hosts
    )


def test_with_nothing_to_do_no_account_is_listed(province: Province) -> None:
    """The question costs the same however many there are: only a difference brings them along."""
    with session(province.environment, "store1") as hosts:
        generation = Project(province.directory).generations(province.environment)["store1"]
        asked = hosts.each(lambda host: ask(host, generation))["store1"]
    assert not asked.plan.changes
    assert asked.report["entries"]["entries"] is None
    assert asked.report["contents"] == {}


def pyinfra(province: Province) -> subprocess.CompletedProcess[str]:
    """pyinfra's own command."""
    return subprocess.run(
        [sys.executable, "-m", "pyinfra", "inventory/staging.py", "deploys/site.py", "-y"],
        cwd=province.root, capture_output=True, text=True, check=False,
        env={**os.environ, "DANHBA_DIRECTORY": str(province.directory)},
    )  # fmt: skip


def test_pyinfra_itself_applies_the_same(province: Province) -> None:
    """`pyinfra inventory/staging.py deploys/site.py` finds nothing to do after danhba's apply."""
    done = pyinfra(province)
    assert done.returncode == 0, done.stderr
    assert "Grand total" in done.stdout + done.stderr
    total = next(row for row in (done.stdout + done.stderr).splitlines() if "Grand total" in row)
    every, changed, failed, same = total.split()[2:]
    assert (changed, failed, same) == ("-", "-", every)


def test_one_official_more_is_a_line_a_table_and_one_entry(province: Province) -> None:
    province.add_officials("thu.motnguoi")
    plans = {plan["host"]: plan for plan in province.plan()}
    rows = [row for plan in plans.values() for change in plan["files"] for row in change["rows"]]
    assert all(row.startswith("+") and "thu.motnguoi" in row for row in rows), rows
    for host, plan in plans.items():
        assert all(len(change["rows"]) == 1 for change in plan["files"])
        # The archive's daemon looks into its table by itself.
        assert plan["services"] == ([] if host == "vault1" else [["postfix.service", "reload"]])
        assert plan["packages"] == []
        assert plan["drift"] == []
    assert [entry["action"] for entry in plans["store1"]["entries"]] == ["add"]

    before = {host: _started(province, host) for host in ("mx1", "store1")}
    province.apply()
    assert {host: _started(province, host) for host in ("mx1", "store1")} == before
    province.deliver("thu.motnguoi")
    assert province.plan_status() == 0


def _started(province: Province, host: str) -> str:
    """When all daemons started, and all but Postfix last reloaded."""
    started = "--property=ActiveEnterTimestampMonotonic,NRestarts"
    reloaded = "--property=StateChangeTimestampMonotonic"
    others = ["dovecot.service", "nftables.service", "slapd.service"]
    asked = (["show", started, "postfix.service", *others], ["show", reloaded, *others])
    return "".join(province.lab.run(host, ["systemctl", *argv]).stdout for argv in asked)


def test_pyinfras_own_command_goes_nowhere_when_a_host_is_missing(province: Province) -> None:
    """By itself it would go on with the others: an edge that takes mail no store knows."""
    province.add_officials("thu.mottay")
    live = province.live("mx1")
    province.lab.stop("store1")
    try:
        done = pyinfra(province)
    finally:
        province.lab.start("store1")
    assert done.returncode, done.stderr
    assert "not connected: store1" in done.stderr + done.stdout
    assert province.live("mx1") == live


def test_an_edge_alone_learns_no_address_that_its_store_may_not_know(province: Province) -> None:
    province.add_officials("thu.riengle")
    live = province.live("mx1")
    done = province.danhba("apply", "staging", "--yes", "--limit", "mx1", check=False)
    assert done.returncode == 1
    assert "thu.riengle" in done.stderr
    assert province.live("mx1") == live


def test_what_no_role_asks_for_any_more_ends(checkout: Province) -> None:
    """A service, and a file of a directory that its daemon reads whole: the rehearsal has no link
    to it either."""
    roles, filters = checkout.root / "deploys/roles.py", checkout.root / "deploys/rspamd.py"
    text, of_filters = roles.read_text(), filters.read_text()
    assert "base.upgrades," in text
    roles.write_text(text.replace("base.upgrades,", ""))
    lua = 'File("/etc/rspamd/lua.local.d/outgoing.lua", outgoing, effect="reload"),'
    assert lua in of_filters
    filters.write_text(of_filters.replace(lua, ""))
    plan = checkout.danhba("plan", "staging", check=False).stdout
    assert plan.count("stop: apt-daily.timer") == len(checkout.environment.hosts)
    checkout.apply()
    assert checkout.plan_status() == 0
    asked = ["systemctl", "is-active", "apt-daily.timer"]
    assert checkout.lab.run("mx1", asked).stdout == "inactive\n"
    roles.write_text(text)
    filters.write_text(of_filters)
    checkout.apply()
    assert checkout.lab.run("mx1", asked).stdout == "active\n"


def test_an_address_is_not_handed_on_to_somebody_else(province: Province) -> None:
    """Another staff code on the line: the mailbox and its password would be another person's."""
    person = province.officials(1)[0]
    text = province.directory.read_text()
    code = f'{{id: "{person.id}", '
    assert text.count(code) == 1
    province.directory.write_text(text.replace(code, '{id: "T88888", '))
    try:
        done = province.danhba("apply", "staging", "--yes", check=False)
        assert done.returncode == 1
        assert f"{province.dn(person.address)} (of {person.id}, would be of T88888)" in done.stdout
    finally:
        province.directory.write_text(text)
    assert province.plan_status() == 0


def test_a_host_that_is_busy_with_mail_can_be_changed(province: Province) -> None:
    """Files that come and go in the queue are no fault of the configuration."""
    odd = "/var/spool/postfix/incoming/482371.10101"
    province.lab.run("store1", ["touch", odd])
    try:
        province.add_officials("thu.ban")
        province.apply()
    finally:
        province.lab.run("store1", ["rm", "-f", odd])
    province.deliver("thu.ban")


def test_a_person_who_vanished_from_the_file_is_named_and_nothing_is_applied(
    province: Province,
) -> None:
    text = province.directory.read_text()
    province.add_officials("thu.bienmat")
    province.apply()
    after = province.directory.read_text()
    province.directory.write_text(text)
    try:
        live = {host: province.live(host) for host in ("mx1", "store1")}
        plan = province.danhba("plan", "staging", check=False)
        assert plan.returncode == 1
        assert "thu.bienmat" in plan.stdout
        done = province.danhba("apply", "staging", "--yes", check=False)
        assert done.returncode == 1
        assert "thu.bienmat" in done.stdout
        assert {host: province.live(host) for host in ("mx1", "store1")} == live
        province.deliver("thu.bienmat")
    finally:
        province.directory.write_text(after)
    assert province.plan_status() == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"mx1": {"echo '# by hand' >> /etc/postfix/main.cf": "/etc/postfix/main.cf",
                 "sed -i 's/^tls/tls/;1i# by hand' /etc/nftables.conf": "/etc/nftables.conf",
                 "printf x >> /etc/danhba/tables/homes.cdb": "/etc/danhba/tables/homes.cdb",
                 "chmod 644 /etc/ssl/danhba/host.key": "the mode of /etc/ssl/danhba/host.key"},
         "store1": {"rm /etc/dovecot/dovecot.conf": "/etc/dovecot/dovecot.conf",
                    "chmod 644 /etc/danhba/people.jsonl": "/etc/danhba/people.jsonl",
                    "chmod 777 /srv/mail": "drift: the mode of /srv/mail altered"}},
        {"mx1": {"systemctl stop dovecot": "dovecot.service",
                 "apt-get remove -qy postfix-cdb": "postfix-cdb",
                 "hostname mx7": "drift: the name of the host altered"},
         "store1": {"systemctl disable --now slapd": "slapd.service",
                    "ln -sf /usr/share/zoneinfo/UTC /etc/localtime": "/etc/localtime"}},
        {"mx1": {"echo '# by hand' >> /etc/dovecot/dovecot.conf": "\n  reload: dovecot.service",
                 "nft add rule inet danhba input tcp dport 9999 accept": "the rules of nftables"}},
        {"mx1": {"truncate -s 9 /var/lib/danhba/current/manifest.json":
                 "restart: postfix.service"}},
        {"mx1": {"nft flush ruleset": "drift: the rules of nftables altered"}},
        {"mx1": {"apt-get remove -qy nftables": "install: nftables",
                 "systemctl mask --now dovecot": "unmask: dovecot.service"}},
    ],
    ids=lambda broken: ", ".join(each for some in broken.values() for each in some),
)  # fmt: skip
def test_drift_is_named_and_mended(province: Province, broken: dict[str, dict[str, str]]) -> None:
    """By host: what breaks it, and what the plan says of that host. Of several at once."""
    for host, some in broken.items():
        for break_it in some:
            assert province.lab.run(host, ["sh", "-c", break_it]).returncode == 0
    plan = province.danhba("plan", "staging", check=False)
    assert plan.returncode == 2, plan.stdout + plan.stderr
    for host, some in broken.items():
        for named in some.values():
            assert named in _part_of(host, plan.stdout)
    province.apply()
    assert province.plan_status() == 0
    address = province.officials(1)[0].address
    province.deliver(address)


def _part_of(host: str, plan: str) -> str:
    found = re.search(rf"(?ms)^{host}: .*?(?=^\S|\Z)", plan)
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("ldif", "action"),
    [("replace: title\ntitle: Boss\n", "change"), ("changetype: delete\n", "add")],
    ids=["changed", "deleted"],
)
def test_an_account_changed_behind_the_directory_is_drift(
    province: Province, ldif: str, action: str
) -> None:
    person = province.compiled.mailboxes[-1]
    ldif = f"dn: {province.dn(person.address)}\n{ldif}"
    argv = ["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"]
    assert province.lab.run("store1", argv, input=ldif).returncode == 0
    entries = next(plan["entries"] for plan in province.plan() if plan["host"] == "store1")
    assert [(entry["action"], entry["dn"]) for entry in entries] == [
        (action, province.dn(person.address))
    ]
    province.apply()
    assert province.plan_status() == 0


def test_an_entry_that_slapd_would_refuse_is_named_and_nothing_is_swapped(
    checkout: Province,
) -> None:
    people = checkout.root / "deploys/people.py"
    right = people.read_text()
    wrong = right.replace("sn=[family]", 'sn=[] if mailbox.address == "thu.tuchoi" else [family]')
    assert wrong != right
    people.write_text(wrong)
    checkout.add_officials("thu.truoc", "thu.tuchoi")
    live = {host.name: checkout.live(host.name) for host in checkout.environment.hosts}
    done = checkout.danhba("apply", "staging", "--yes", check=False)
    assert done.returncode == 1
    assert {host: checkout.live(host) for host in live} == live
    assert checkout.dn("thu.tuchoi") in done.stderr
    assert "requires attribute 'sn'" in done.stderr
    assert "thu.truoc" not in done.stderr
    people.write_text(right)
    checkout.apply()
    assert checkout.plan_status() == 0
    checkout.deliver("thu.tuchoi")


def test_a_plan_that_somebody_else_overtook_is_not_applied(province: Province) -> None:
    """One engineer reads his plan while another applies: the first is told to look again."""
    province.add_officials("thu.cham")
    slow = province.start("apply", "staging", answer=True)
    assert slow.stdout is not None
    while "thu.cham" not in slow.stdout.readline():
        pass
    province.add_officials("thu.nhanh")
    province.apply()
    live = province.live("mx1")
    _, err = slow.communicate("y\n", timeout=60)
    assert slow.returncode == 1
    assert "changed since the plan was made" in err
    assert province.live("mx1") == live
    province.deliver("thu.nhanh")


@pytest.mark.parametrize(
    ("template", "old", "new", "message"),
    [
        (MAIN_CF, "myhostname", "no such line here\nmyhostname", "missing '=' after attribute"),
        (MAIN_CF, "myhostname", "myhostnam = x\nmyhostname", "unused parameter: myhostnam"),
        ("templates/dovecot_store/dovecot.conf", "auth_mechanisms", "nonsense", "nonsense"),
        ("templates/people/slapd.conf", "suffix", "sufix", "sufix"),
        ("templates/firewall/nftables.conf", "policy drop", "policy dorp", "dorp"),
    ],
)  # fmt: skip
def test_a_configuration_the_daemon_rejects_never_goes_live(
    checkout: Province, template: str, old: str, new: str, message: str
) -> None:
    path = checkout.root / template
    path.write_text(path.read_text().replace(old, new, 1))
    live = {host: checkout.live(host) for host in ("mx1", "store1")}
    done = checkout.danhba("apply", "staging", "--yes", check=False)
    assert done.returncode == 1
    assert message in done.stderr, done.stderr
    assert {host: checkout.live(host) for host in ("mx1", "store1")} == live
    checkout.deliver(checkout.officials(1)[0].address)
    assert checkout.plan_status() == 2, "the plan still shows the change"


def test_a_service_that_does_not_answer_brings_the_old_generation_back(checkout: Province) -> None:
    """A configuration that the checker accepts and that opens no port 465."""
    path = checkout.root / "templates/postfix_edge/master.cf"
    assert '("submissions",' in path.read_text()
    path.write_text(path.read_text().replace('("submissions",', '("10465",'))
    probes = checkout.root / "deploys/postfix_edge.py"
    probes.write_text(probes.read_text().replace("tls=True)", "tls=True, timeout=3)"))
    live = checkout.live("mx1")
    previous = checkout.lab.run("mx1", ["readlink", str(PREVIOUS)]).stdout
    done = checkout.danhba("apply", "staging", "--yes", "--limit", "mx1", check=False)
    assert done.returncode == 1
    assert "postfix.service does not answer on port 465" in done.stderr
    assert "back on generation" in done.stderr
    assert checkout.live("mx1") == live
    now = checkout.lab.run("mx1", ["readlink", str(PREVIOUS)]).stdout
    assert now == previous, "a rollback would go to the generation that was just rejected"
    checkout.deliver(checkout.officials(1)[0].address)


def test_the_generation_names_the_revision_it_came_from(province: Province) -> None:
    said = province.lab.run("mx1", ["cat", f"{CURRENT}/revision"]).stdout.strip()
    assert said.rstrip("+") == Project().revision().rstrip("+")
