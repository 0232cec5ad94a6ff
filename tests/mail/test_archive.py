"""The archive on the lab: searched, proved, remembered by all hosts; old mail goes by a plan,
unless a hold keeps it (Điều 8.4, 8.9)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from journals import VAULT, Journal
from people import Person
from province import Province, wait_for

from danhba.journal.segment import BEGUN
from deploys.archive import PROGRAM

_ROOT = "/srv/vault/journal"
_HOSTS = ("mx1", "mx2", "store1", "store2", VAULT)
_OLD = 11 * 366 * 86_400
"""Seconds: policy keeps mail for ten years."""


@pytest.fixture(scope="module")
def journal(province: Province) -> Journal:
    return Journal(province)


def verify(province: Province, check: bool = True) -> dict[str, Any]:
    said = province.danhba("archive", "verify", "staging", "--format", "json", check=False)
    assert said.returncode in ((0,) if check else (0, 2)), said.stdout + said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_a_message_is_found_by_who_when_and_what_it_is(
    journal: Journal, province: Province, official: Person, colleague: Person
) -> None:
    sent = official.send(official.write([colleague.address], "Thử tìm", "Nội dung riêng\n"))
    identity = str(sent["Message-ID"])
    journal.settled()
    before = journal.end()
    [box] = [each for each in province.compiled.mailboxes if each.account == colleague.local]
    for option, value in (
        ("--message-id", identity), ("--address", colleague.address), ("--agency", box.agency),
    ):  # fmt: skip
        said = province.danhba("archive", "search", "staging", option, value).stdout
        assert identity in said and "Nội dung riêng" not in said, option
    readings = journal.entries(before, kind="read")
    assert [each["what"] for each in readings] == ["index"] * 3
    assert readings[0]["message_ids"] == [identity] and readings[0]["who"]


def test_hosts_remember_and_all_of_it_is_proved(journal: Journal, province: Province) -> None:
    journal.settled()
    journal.run(VAULT, "systemctl", "start", "danhba-roots-sign.service")
    for host in _HOSTS:
        journal.run(host, "systemctl", "start", "danhba-roots.service")
        assert "20" in journal.shell(host, "ls /var/lib/danhba-roots/roots/"), host
    found = verify(province)
    assert found["findings"] == [] and found["remembered"] >= 2
    assert found["messages"] == len(journal.entries())


def _asked(journal: Journal, root: str, memories: list[list[Any]]) -> list[str]:
    """What the archive's program finds in a folder of its host."""
    program = (
        "import json, sys; sys.path.insert(0, '/usr/local/lib/danhba')\n"
        "from pathlib import Path\n"
        "from journal.verify import Memory, sentences, verify\n"
        f"memories = [Memory(*each) for each in {memories!r}]\n"
        f"print(json.dumps(list(sentences(verify(Path({root!r}), memories)))))"
    )
    found: list[str] = json.loads(journal.run(VAULT, *PROGRAM[:4], "python3", "-Bc", program))
    return found


def test_what_is_done_to_it_is_found_with_its_place(journal: Journal, province: Province) -> None:
    copy = "/srv/vault/copy"
    end = verify(province)
    memory = [["mx1", end["n"], end["hash"], ""]]
    chain = journal.shell(VAULT, f"cd {_ROOT} && find . -name '*.chain' | sort | tail -n1").strip()
    data = chain.replace(".chain", ".data")
    last = int(journal.shell(VAULT, f"wc -l <{_ROOT}/{chain}"))
    assert last > 3
    at = next(each["at"] for each in map(json.loads, journal.raw()[::-1]) if "at" in each)
    for done, wanted in (
        ("true", ""),
        (f"printf x | dd of={data} bs=1 seek={at + 50} conv=notrunc", "has other contents"),
        (f"sed -i 2d {chain}", ", line 2: entry"),
        (f'sed -i "2{{p}}" {chain}', ", line 3: entry"),
        (f'sed -i \'2s/"time":"2/"time":"1/\' {chain}', ", line 2: entry"),
        (f"sed -i '$d' {chain}", "it was cut off"),
    ):
        fresh = f"rm -rf {copy}; cp -a {_ROOT} {copy}; cd {copy}; {{ {done}; }} 2>&1"
        journal.shell(VAULT, fresh)
        found = _asked(journal, copy, memory)
        if wanted:
            assert any(wanted in each for each in found), (done, found)
            assert any(chain[2:-6] in each for each in found)
        else:
            assert found == []
    journal.shell(VAULT, f"rm -rf {copy}")


@contextmanager
def _another(journal: Journal) -> Iterator[None]:
    """Another archive in the place of the real one, whose daemon has the time of eleven years ago
    until it is told otherwise. Nobody is told of its roots."""
    own = "/run/systemd/system/danhba-journal.service.d"
    main = (
        "import sys, time; real = time.time;"
        f" time.time = lambda: real() - {_OLD};"
        " from journal.__main__ import main; sys.exit(main(sys.argv))"
    )
    unit = (
        f'[Service]\\nExecStart=\\nExecStart=/usr/bin/python3 -B -c "{main}"'
        " /etc/danhba/journal.json serve\\n"
    )
    journal.shell(VAULT, (
        "systemctl stop danhba-roots-door danhba-journal;"
        f" mv {_ROOT} {_ROOT}.real; rm {BEGUN};"
        f" install -d -m 700 -o danhba-journal -g danhba-journal {_ROOT};"
        f" mkdir -p {own} && printf '%b' '{unit}' >{own}/old.conf;"
        " systemctl daemon-reload && systemctl start danhba-journal"
    ))  # fmt: skip
    try:
        yield
    finally:
        _now(journal)
        journal.shell(VAULT, (
            f"systemctl stop danhba-journal; rm -rf {_ROOT} && mv {_ROOT}.real {_ROOT};"
            " systemctl start danhba-journal danhba-roots-door"
        ))  # fmt: skip


def _now(journal: Journal) -> None:
    """The daemon has the time of all others."""
    journal.shell(VAULT, (
        "rm -rf /run/systemd/system/danhba-journal.service.d;"
        " systemctl daemon-reload && systemctl restart danhba-journal"
    ))  # fmt: skip


def _vault(province: Province) -> dict[str, Any]:
    return next(plan for plan in province.plan() if plan["host"] == VAULT)


def test_old_mail_goes_by_a_plan_and_a_hold_keeps_it(
    journal: Journal, province: Province, official: Person, colleague: Person
) -> None:
    before = province.directory.read_text(encoding="utf-8")
    journal.settled()
    with _another(journal):
        try:
            for to in (colleague, official):
                official.send(official.write([to.address], "Thư cũ", "x\n"))
            journal.settled()
            _now(journal)
            wait_for(lambda: len(journal.entries()) == 2, "both are archived")
            province.danhba(
                "hold", "add", "7/TTr", "--authority", "Thanh tra tỉnh", "--request", "1/CV-TTr",
                "--date", "2026-11-20", "--mailbox", colleague.local, "--from", "2001-01-01",
            )  # fmt: skip
            plan = _vault(province)
            [due], [held] = plan["expiries"], plan["held"]
            assert (due["messages"], held["held"]) == (1, [["7/TTr", 1]])
            said = province.apply()
            assert re.search(r"expire archive: .* 1 messages", said)
            assert "(hold 7/TTr)" in said
            found = verify(province, check=False)
            assert sum(row[-1] for row in found["removed"]) == 1
            # What other hosts remember is of the real one.
            of_hosts = re.compile("remembers entry|in the memory|in the root of")
            assert all(map(of_hosts.search, found["findings"]))
            after = _vault(province)
            assert not after["changes"] and after["held"] and not after["expiries"]
        finally:
            province.directory.write_text(before, encoding="utf-8")
        province.apply()  # without the hold the rest goes
        found = verify(province, check=False)
        assert sum(row[-1] for row in found["removed"]) == 2
        [last] = journal.entries(kind="expired")[-1:]
        assert last["entries"] and last["who"] and last["years"] == 10
    assert verify(province)["findings"] == []
