"""What `danhba rollback` undoes, and what it says before."""

from __future__ import annotations

from province import Province
from test_interrupted import AGENT, watch_and_kill


def test_the_last_apply_is_undone_where_it_changed_something(province: Province) -> None:
    """Two applies: the first changed both hosts, the last one only the store."""
    before = province.live("mx1")
    province.add_officials("thu.hailan")
    province.apply()
    mx1, store1 = province.live("mx1"), province.live("store1")
    assert mx1 != before
    text = province.directory.read_text()
    title = "title: Chuyên viên"
    province.directory.write_text(text.replace(title, f"{title} bậc hai", 1))
    province.apply()
    newest = province.live("store1")
    assert (province.live("mx1"), newest != store1) == (mx1, True)

    done = province.danhba("rollback", "staging", "--yes")
    assert "mx1: was not changed by the last apply" in done.stderr
    assert (province.live("mx1"), province.live("store1")) == (mx1, store1)
    province.deliver("thu.hailan")
    province.danhba("rollback", "staging", "--yes")
    assert (province.live("mx1"), province.live("store1")) == (mx1, newest)
    assert province.plan_status() == 0


def test_addresses_that_would_be_refused_again_are_named_first(province: Province) -> None:
    hosts = [host.name for host in province.environment.hosts]
    before = {host: province.live(host) for host in hosts}
    province.add_officials("thu.lui")
    province.apply()
    after = {host: province.live(host) for host in hosts}
    asked = province.start("rollback", "staging", answer=True)
    _, said = asked.communicate("n\n", timeout=60)
    assert asked.returncode == 1
    assert "refused again: thu.lui@" in said
    assert {host: province.live(host) for host in before} == after

    province.danhba("rollback", "staging", "--yes")
    assert {host: province.live(host) for host in before} == before
    assert province.plan_status() == 2
    for host, digest in after.items():
        province.danhba("rollback", "staging", "--yes", "--limit", host, "--to", digest[:12])
    assert {host: province.live(host) for host in before} == after
    assert province.plan_status() == 0
    province.deliver("thu.lui")


def test_a_swap_that_was_cut_off_goes_back_to_where_it_began(province: Province) -> None:
    """Not to the generation before that one, which knows fewer people."""
    province.add_officials("thu.truockia")
    province.apply()
    began = province.live("mx1")
    province.add_officials("thu.giuachung")
    watcher = watch_and_kill(
        province, "mx1", f'[ "$(readlink /var/lib/danhba/current)" != "generations/{began}" ]'
    )
    province.danhba("apply", "staging", "--yes", check=False)
    assert watcher.communicate(timeout=60)[0].strip() == "killed"
    assert province.live("mx1") != began
    province.danhba("rollback", "staging", "--yes", "--limit", "mx1")
    assert province.live("mx1") == began
    province.apply()
    assert province.plan_status() == 0


def test_a_rollback_that_was_killed_goes_on(province: Province) -> None:
    """The hosts that are back already do not go forward again, and the others do not stay."""
    hosts = [host.name for host in province.environment.hosts]
    before = {host: province.live(host) for host in hosts}
    province.add_officials("thu.luido")
    province.apply()
    after = {host: province.live(host) for host in hosts}
    killed = province.start("rollback", "staging", "--yes")
    assert killed.stderr is not None
    while " is live" not in (line := killed.stderr.readline()):
        assert line, "the rollback ended before it had swapped a host"
    killed.kill()
    killed.communicate(timeout=60)
    for host in hosts:  # what had been sent to one is still carried out there
        over = f"while pgrep -f '{AGENT}' >/dev/null; do sleep 0.1; done"
        province.lab.run(host, ["timeout", "60", "sh", "-c", over])
    first = line.partition(":")[0]
    assert province.live(first) == before[first]

    done = province.danhba("rollback", "staging", "--yes")
    assert f"{first}: is back already" in done.stderr
    assert {host: province.live(host) for host in hosts} == before
    province.danhba("rollback", "staging", "--yes")
    assert {host: province.live(host) for host in hosts} == after
    assert province.plan_status() == 0


def test_an_edited_generation_is_not_gone_back_to(province: Province) -> None:
    old = province.live("mx1")
    province.add_officials("thu.banve")
    province.apply()
    edited = f"/var/lib/danhba/generations/{old}/files/etc/postfix/main.cf"
    province.lab.run("mx1", ["sh", "-c", f"echo '# by hand' >> {edited}"])
    done = province.danhba("rollback", "staging", "--yes", "--limit", "mx1", check=False)
    assert done.returncode == 1
    assert "was edited on this host: /etc/postfix/main.cf" in done.stderr
    assert province.plan_status() == 0
