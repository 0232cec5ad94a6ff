"""A legal request from the hold to the folder that an authority verifies with its own tools."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from people import Person
from province import Province, wait_for

AUTHORITY, CASE = "Thanh tra tỉnh An Giang", "12/2026/TTr"
ENGINEERS = ("Nguyễn Văn An", "Trần Thị Bình")
VERIFY = "sed -n 's/^    //p' README.txt | sh -eu && echo OK"


def today() -> str:
    return str(datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date())


def export(
    province: Province, out: Path, mailbox: str, *changes: str
) -> subprocess.CompletedProcess[str]:
    approved = [word for name in ENGINEERS for word in ("--approve-by", name)]
    return province.danhba(
        "export", "staging", "--case", CASE, "--authority", AUTHORITY, "--mailbox", mailbox,
        "--from", today(), "--to", today(), *approved, "--out", str(out), *changes, check=False,
    )  # fmt: skip


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the receiver does, with sha256sum and openssl."""
    return subprocess.run(
        ["sh", "-c", VERIFY], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def held(
    province: Province,
    official: Person,
    colleague: Person,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[str]]:
    """Subjects of mail to and from an official whose mail is held: Bcc, both ways, inside."""
    vault = province.environment.vault
    assert vault
    before = province.directory.read_text()
    province.danhba(
        "hold", "add", CASE, "--authority", AUTHORITY, "--request", "55/CV-TTT", "--date", today(),
        "--mailbox", official.address, "--from", today(), "--to", today(),
    )  # fmt: skip
    done = export(province, tmp_path_factory.mktemp("early") / "no", official.address)
    assert done.returncode == 1 and "reviewed and applied first" in done.stderr
    province.danhba("apply", "staging", "--limit", vault.name, "--yes")
    with official.submission() as smtp:
        sent = official.write([colleague.address], "Gửi đi", "Kính gửi\n")
        smtp.send_message(sent, official.address, [colleague.address])
    with colleague.submission() as smtp:
        copy = colleague.write([colleague.address], "Bản sao kín", "From đầu dòng\nFrom nữa\n")
        smtp.send_message(copy, colleague.address, [official.address])
        other = colleague.write([colleague.address], "Không liên quan", "x\n")
        smtp.send_message(other, colleague.address, [colleague.address])
    yield ["Gửi đi", "Bản sao kín"]
    province.directory.write_text(before)
    province.danhba("apply", "staging", "--limit", vault.name, "--yes")


@pytest.fixture(scope="module")
def folder(
    province: Province, official: Person, held: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The mail is in the archive seconds after it was sent."""
    out = tmp_path_factory.mktemp("export") / "12-2026"

    def whole() -> bool:
        shutil.rmtree(out, ignore_errors=True)
        done = export(province, out, official.address)
        assert done.returncode == 0, done.stderr
        return all(subject in _subjects(out) for subject in held)

    wait_for(whole, "both messages are in the archive", 60)
    return out


def _subjects(folder: Path) -> str:
    from email import message_from_bytes
    from email.policy import default

    files = folder.glob("messages/*.eml")
    return "\n".join(
        str(message_from_bytes(each.read_bytes(), policy=default)["Subject"]) for each in files
    )


def test_it_holds_the_mailbox_and_nothing_of_others(folder: Path, official: Person) -> None:
    assert "Không liên quan" not in _subjects(folder)
    rows = [row.split("\t") for row in (folder / "messages.tsv").read_text().splitlines()[1:]]
    assert rows and all(official.address in (row[4], *row[5].split(",")) for row in rows)
    assert all(row[1] <= row[2] for row in rows)  # it passed before it was archived
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))} == {0}


def test_the_receiver_verifies_it_with_sha256sum_and_openssl(folder: Path) -> None:
    done = verify(folder)
    assert done.returncode == 0 and done.stdout.endswith("OK\n"), done.stdout + done.stderr


def test_what_was_tampered_with_fails(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    message = next(other.glob("messages/*.eml"))
    message.write_bytes(message.read_bytes().replace(b"\n", b"\n ", 1))
    assert verify(other).returncode != 0
    listed = subprocess.run(
        "sha256sum $(cut -c67- MANIFEST.sha256) >new; mv new MANIFEST.sha256",
        shell=True, cwd=other, check=True,
    )  # fmt: skip
    assert (
        listed.returncode == 0
        and "Verification Fail" in verify(other).stderr + verify(other).stdout
    )


def test_it_is_in_the_chain_and_in_the_audit(
    province: Province, folder: Path, official: Person
) -> None:
    done = province.danhba("audit", "staging", "--since", today(), "--format", "json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    exported = [each["facts"] for each in told if each["kind"] == "export"][-1]
    assert exported["case"] == CASE and exported["approved"] == list(ENGINEERS)
    assert exported["mailboxes"] == [official.local]
    read = [each["facts"] for each in told if each["kind"] == "read"][-1]
    assert read["case"] == CASE and read["what"] == "contents"
    assert all(word in read["why"] for word in (AUTHORITY, "55/CV-TTT", *ENGINEERS))
    for secret in ("Gửi đi", "Bản sao kín"):
        assert secret not in done.stdout


def test_as_an_mbox_it_is_verified_as_well(
    province: Province, folder: Path, official: Person, tmp_path: Path
) -> None:
    out = tmp_path / "mbox"
    done = export(province, out, official.address, "--format", "mbox")
    assert done.returncode == 0, done.stderr
    assert b"\n>>From " in (out / "mailbox.mbox").read_bytes()
    assert verify(out).stdout.endswith("OK\n")


def test_without_a_legal_request_nothing_is_handed_out(
    province: Province, held: list[str], official: Person, colleague: Person, tmp_path: Path
) -> None:
    out = tmp_path / "no"
    for mailbox, changes, said in (
        (colleague.address, (), "and not of"),
        (official.address, ("--case", "13/2026/TTr"), "no hold 13/2026/TTr"),
        (official.address, ("--authority", "Công an tỉnh"), "asked for by"),
        (official.address, ("--from", "2026-01-01"), "within these days"),
        (official.address, ("--approve-by", ENGINEERS[0]), "two engineers"),
        (official.address, ("--approve-by", "Lê Văn Cư"), "no engineer"),
    ):
        done = export(province, out, mailbox, *changes)
        assert done.returncode == 1 and said in done.stderr, done.stderr
    province.danhba("hold", "release", CASE, "--decision", "90/CV-TTT")
    done = export(province, out, official.address)
    assert done.returncode == 1 and "was released" in done.stderr
    assert not out.exists()
