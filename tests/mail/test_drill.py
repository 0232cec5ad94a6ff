"""A drill restores what was backed up, certifies it, and finds a repository that is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from docx import Document
from people import Person
from province import Province

from danhba.drill.places import Places

Run = Callable[..., CompletedProcess[str]]
SEED = 20261126
REPOSITORIES = "/srv/vault/backup"


@pytest.fixture(scope="module")
def vault(province: Province) -> Run:
    """Runs a command there."""
    assert province.environment.vault
    return partial(province.lab.run, province.environment.vault.name)


@pytest.fixture(scope="module", autouse=True)
def backed_up(province: Province, official: Person, colleague: Person) -> None:
    """A backup of all that a drill may choose, with mail in it."""
    for person in (official, colleague):
        province.deliver(person.local)
    for edge in province.environment.having("edge"):
        province.lab.run(edge.name, ["valkey-cli", "-s", "/run/valkey/valkey", "save"])
    province.danhba("backup", "staging", "--all")


def drill(province: Province, folder: Path, *words: str) -> tuple[int, str, dict[str, Any], Any]:
    """Exit status, what was said, figures, certificate."""
    paper, figures = folder / "bien-ban.docx", folder / "figures.json"
    done = province.danhba(
        "drill", "staging", *words, "--certificate", str(paper), "--figures", str(figures),
        check=False,
    )  # fmt: skip
    assert figures.exists(), done.stderr
    return (
        done.returncode,
        done.stdout,
        json.loads(figures.read_text(encoding="utf-8")),
        Document(str(paper)),
    )


def status(province: Province) -> list[str]:
    said = province.danhba("status", "staging", check=False).stdout
    return [line for line in said.splitlines() if "restore drill" in line]


def test_a_sample_comes_back_and_is_certified(
    province: Province, vault: Run, tmp_path: Path
) -> None:
    words = ("--mailboxes", "8", "--seed", str(SEED))
    code, said, figures, paper = drill(province, tmp_path, *words)
    assert (code, figures["troubles"]) == (0, []), said
    stores = {host.name for host in province.environment.having("store")}
    assert {row["host"] for row in figures["mailboxes"]} == stores
    for row in figures["mailboxes"]:
        assert row["messages"][0] == row["messages"][1] == _messages(province, row)
    assert figures["people"]["found"] == figures["people"]["wanted"] > 1000
    assert figures["edge"]["keys"] == figures["edge"]["wanted"] >= 2
    _certified(paper, figures)
    _scratch(vault, figures["machine"])
    assert any(
        line.strip().startswith("the last restore drill was good") for line in status(province)
    )
    # Of the sample nothing is left, and nothing of danhba-drill runs.
    work = Places().work
    left = vault(["sh", "-c", f"ls -A {work}; pgrep -u danhba-drill; true"]).stdout
    assert left.split() == ["found.json"]


def _scratch(vault: Run, machine: dict[str, Any]) -> None:
    """Where it was opened nothing of the vault can be seen."""
    own = str(Places().home)
    attached = {"/bin", "/lib", "/lib64", "/sbin", "/usr", "/etc/danhba/drill.json",
                "/etc/ldap/schema", f"{own}/sample", f"{own}/work"}  # fmt: skip
    assert {*machine["sees"]} == attached | {"/usr/local/lib/danhba/drill"}
    assert machine["network"] == ["lo"]
    said = _inside(vault, f"find / /run -xdev; ls /proc; touch {own}/sample/x || echo kept")
    ways = {str(each) for path in attached for each in Path(path).parents}
    kernels = {"/dev", "/proc", "/sys", "/run", "/run/systemd", "/run/systemd/incoming"}
    files = {line for line in said if line.startswith("/")}
    assert files == attached | ways | kernels | {"/tmp", "/var/tmp"}
    assert {line for line in said if line.isdigit()} <= {"1", "2", "3", "4"} and said[-1] == "kept"


def _inside(vault: Run, command: str) -> list[str]:
    """What a command says that runs as the second step does: in a unit of the same words."""
    unit, out = "danhba-drill-seen.service", "/run/danhba-drill-seen"
    change = (
        f'/^ExecStart=/c ExecStart=/bin/sh -c "{command}"\n'
        f"/^ExecStopPost=/c StandardOutput=truncate:{out}\n/^Wants=/d\n/^After=/d"
    )
    step = "/etc/systemd/system/danhba-drill-look.service"
    script = (
        f'sed "$1" {step} > /run/systemd/system/{unit} && systemctl daemon-reload'
        f" && systemctl start {unit} && cat {out}"
        f"; rm -f /run/systemd/system/{unit} {out}; systemctl daemon-reload"
    )
    done = vault(["sh", "-c", script, "sh", change])
    return done.stdout.splitlines()


def _messages(province: Province, row: dict[str, Any]) -> int:
    """In the mailbox that is in use, as Dovecot counts them there."""
    argv = ["doveadm", "-f", "json", "mailbox", "status", "-u",
            f"{row['account']}@{province.compiled.domain}", "messages", "*"]  # fmt: skip
    folders = json.loads(province.lab.run(row["host"], argv).stdout)
    return sum(int(folder["messages"]) for folder in folders)


def _certified(paper: Any, figures: dict[str, Any]) -> None:
    lines = [paragraph.text for paragraph in paper.paragraphs]
    assert "Diễn tập khôi phục dữ liệu" in lines and "KẾT QUẢ: ĐẠT" in lines
    rows = [[cell.text for cell in row.cells] for row in paper.tables[1].rows[1:]]
    for host in {row["host"] for row in figures["mailboxes"]}:
        own = [row for row in figures["mailboxes"] if row["host"] == host]
        messages = str(sum(row["messages"][1] for row in own))
        assert any(
            row[0] == host and row[2] == f"{len(own)} hộp thư: thư" and row[3:5] == [messages] * 2
            for row in rows
        )
    entries = f"{figures['people']['found']:,}".replace(",", ".")
    assert any(row[2] == "danh bạ LDAP: mục" and row[4] == entries for row in rows)
    assert {row[-1] for row in rows} == {"đạt"}


@pytest.fixture
def damaged(vault: Run) -> Iterator[str]:
    """Of a store's repository one bit in 64 bytes is another, until the test ends."""
    packs = f"{REPOSITORIES}/store1/data"
    flip = (
        "import os, sys\n"
        "for top, _, names in os.walk(sys.argv[1]):\n"
        "    for name in names:\n"
        "        with open(os.path.join(top, name), 'r+b') as pack:\n"
        "            whole = bytearray(pack.read())\n"
        "            whole[::64] = bytes(each ^ 1 for each in whole[::64])\n"
        "            pack.seek(0); pack.write(whole)\n"
    )
    command = f'cp -a {packs} {packs}.whole && chmod -R u+w {packs} && python3 -c "$1" {packs}'
    done = vault(["sh", "-c", command, "sh", flip])
    assert done.returncode == 0, done.stderr
    yield "store1"
    vault(["sh", "-c", f"rm -r {packs} && mv {packs}.whole {packs}"])


@pytest.mark.usefixtures("damaged")
def test_a_damaged_repository_fails_the_drill(province: Province, tmp_path: Path) -> None:
    code, said, figures, paper = drill(province, tmp_path, "--mailboxes", "2")
    assert code == 2 and said.splitlines()[-1] == "failed"
    assert {row["where"] for row in figures["troubles"]} == {"store1"}
    assert {row["kind"] for row in figures["troubles"]} == {"unreadable"}
    assert "store1: restic cannot restore it: " in said
    lines = [paragraph.text for paragraph in paper.paragraphs]
    assert "KẾT QUẢ: KHÔNG ĐẠT" in lines
    assert any(line.startswith("– store1: không khôi phục được") for line in lines)
    assert any("failed: store1: restic cannot restore it" in line for line in status(province))


def test_a_good_drill_ends_the_alarm(province: Province, tmp_path: Path) -> None:
    code, said, _, _ = drill(province, tmp_path, "--mailboxes", "2")
    assert code == 0, said
    [told] = status(province)
    assert told.strip().startswith("the last restore drill was good, 0 days ago")
    again = drill(province, tmp_path, "--last")
    assert again[0] == 0 and again[1] == said
