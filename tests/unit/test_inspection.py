"""What an authority receives: only on a legal request, and what is not as archived is found with
sha256sum and openssl alone."""

from __future__ import annotations

import io
import json
import mailbox
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from archives import queue_id
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from docx import Document
from drafts import DAY, directory
from journal_parts import PRIVATE, archive
from lives import PROVINCE

from danhba.compile import compile_directory
from danhba.inspection import applied, handing, papers, proven
from danhba.inspection.package import Form, Package, Proof, Root
from danhba.inspection.request import ExportError, Granted, Wanted, granted
from danhba.inventory import Environment
from danhba.journal import agent, chain, entry, pour, roots
from danhba.journal.seal import opened, public_half, sealed
from danhba.journal.selection import Selection
from danhba.journal.tree import Tree
from danhba.project import Project
from danhba.revisions import revision_of
from deploys.archive import rules

AUTHORITY = "Thanh tra tỉnh An Giang"
HOLD = (
    f"{{authority: {AUTHORITY}, request: 55/CV-TTT, date: 2026-11-20, addresses: [lvloc, soyte], "
    "from: 2026-01-01, to: 2026-11-30}"
)
HELD = PROVINCE.replace("aliases:", "aliases:\n  loc: {to: lvloc}").replace(
    "reserved:", f"holds:\n  12/2026/TTr: {HOLD}\nreserved:"
)
UNNAMED = HELD
HELD = HELD.replace("policy: {", "policy: {engineers: [Nguyễn Văn An, Trần Thị Bình, Lê Văn Cư], ")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TEXTS = (
    b"From: a@x.vn\r\nSubject: M\xe1\xba\xadt\r\n\r\nFrom here on\r\n>From there\r\n.\r\n",
    b"Subject: no end of line\r\n\r\nx",
    b"Subject: LF\n\nFrom\nFrom me\n\n",
    b"Subject: bytes\r\n\r\n" + bytes(range(256)),
)


def wanted(**changes: Any) -> Wanted:
    given: dict[str, Any] = {
        "case": "12/2026/TTr", "authority": AUTHORITY, "mailboxes": ("lvloc",),
        "first": date(2026, 11, 1), "last": date(2026, 11, 25),
        "approved": ("Nguyễn Văn An", "Trần Thị Bình"),
    }  # fmt: skip
    return Wanted(**{**given, **changes})


def test_what_the_hold_covers_is_granted_with_all_names() -> None:
    found = granted(directory(HELD), wanted(), DAY)
    assert found.addresses == ("loc@angiang.gov.vn", "lvloc@angiang.gov.vn")
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    assert (found.since, found.until) == (
        datetime(2026, 11, 1, tzinfo=zone), datetime(2026, 11, 26, tzinfo=zone),
    )  # fmt: skip
    assert granted(directory(HELD), wanted(mailboxes=("loc",)), DAY).addresses == found.addresses


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"case": "13/2026/TTr"}, "there is no hold 13/2026/TTr"),
        ({"authority": "Công an tỉnh An Giang"}, "asked for by Thanh tra tỉnh An Giang"),
        ({"mailboxes": ("lvloc", "nvan")}, "and not of nvan"),
        ({"first": date(2025, 12, 31)}, "from 2026-01-01 to 2026-11-25"),
        ({"last": date(2026, 11, 26)}, "from 2026-01-01 to 2026-11-25"),
        ({"first": date(2026, 11, 25), "last": date(2026, 11, 24)}, "within these days"),
        ({"approved": ("Nguyễn Văn An",)}, "two engineers"),
        ({"approved": ("Nguyễn Văn An", "nguyễn  văn an ")}, "two engineers"),
        (
            {"approved": ("Nguyễn Văn An", unicodedata.normalize("NFD", "NGUYỄN VĂN AN"))},
            "two engineers",
        ),
        ({"approved": ("Nguyễn Văn An", "")}, "no engineer"),
        ({"approved": ("Nguyễn Văn An", "Nguyen Van An")}, "Nguyen Van An is no engineer"),
        ({"approved": ("Nguyễn Văn An", "An Nguyễn Văn")}, "no engineer"),
        ({"approved": ("Trần Thị Bình", "Nguyễn Văn \u0410n")}, "no engineer"),
        ({"approved": ("Mickey Mouse", "Donald Duck")}, "Mickey Mouse is no engineer"),
        ({"approved": ("Nguyễn Văn An", "Trần Thị Bình", "Lê Văn Cư")}, "two engineers"),
    ],
)
def test_anything_else_is_refused(changes: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        granted(directory(HELD), wanted(**changes), DAY)


def test_who_approves_is_named_in_the_directory_and_told_as_there() -> None:
    told = ("trần  thị bình ", unicodedata.normalize("NFD", "Nguyễn Văn An"))
    found = granted(directory(HELD), wanted(approved=told), DAY)
    assert found.wanted.approved == ("Trần Thị Bình", "Nguyễn Văn An")
    with pytest.raises(ExportError, match=r"does not name two .* engineers: \["):
        granted(directory(UNNAMED), wanted(), DAY)


def test_a_directory_that_nobody_committed_is_marked(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        argv = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@x", *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    file = tmp_path / "directory.yaml"
    file.write_text("a")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "a")
    head = git("rev-parse", "HEAD")
    outside = tmp_path.parent / f"{tmp_path.name}-directory.yaml"
    outside.write_text("a")
    assert revision_of(Project(file, tmp_path)) == head
    assert revision_of(Project(outside, tmp_path)) == f"{head}+"
    file.write_text("b")
    assert revision_of(Project(file, tmp_path)) == f"{head}+"


def test_what_was_released_is_not_handed_out() -> None:
    end = ", released: {from: 2026-11-25, decision: 90/CV}}"
    released = HELD.replace(HOLD, HOLD[:-1] + end)
    assert granted(directory(released), wanted(last=date(2026, 11, 24)), date(2026, 11, 24))
    with pytest.raises(ExportError, match="was released on 2026-11-25"):
        granted(directory(released), wanted(), DAY)


Frame = tuple[dict[str, Any], bytes]


def frames(root: Path) -> Iterator[Frame]:
    """As danhba.journal.pour gives them."""
    said = ("n", "id", "time", "from", "to", "size")
    for line in chain.lines(root):
        found = entry.parsed(line.raw)
        if found["kind"] == entry.MAIL:
            head = {name: found[name] for name in said} | {"line": line.raw[:-1].decode()}
            yield head, opened(chain.stored(root, line.segment, found), PRIVATE)
    yield {"end": True}, b""


def signed(root: Path) -> tuple[dict[int, Proof], Root]:
    tree = Tree.of([entry.digest(line.raw) for line in chain.lines(root)])
    text = entry.line({"day": "2026-11-26", "n": len(tree.levels[0]), "tree": tree.top})
    proofs = {n + 1: Proof("2026-11-26", tree.path(n)) for n in range(len(tree.levels[0]))}
    return proofs, Root("2026-11-26", text, KEY.sign(text))


def made(folder: Path, form: Form) -> Path:
    writer = archive(folder)
    for number, text in enumerate(TEXTS):
        content = sealed(text, public_half(PRIVATE))
        to = ["lvloc@angiang.gov.vn", f"other{number}@x.vn"]
        item = chain.message(f"mx1/4d{number}z1", "lan@x.vn", to, "<1@x.vn>", text, content)
        writer.append([item])
        if number == 1:
            writer.append([chain.Item({"kind": entry.READ, "who": "an", "why": "x", "case": ""})])
    writer.close()
    proofs, root = signed(writer.root)
    package = Package(folder / "out", form)
    with package.made():
        package.fill(frames(writer.root))
        package.prove({number: proofs[number] for number in package.numbers}, [root])
        manifest = package.close(papers.readme(form), KEY)
        package.add_letter(b"x")
    assert package.numbers == [1, 2, 4, 5] and (package.messages, len(manifest)) == (4, 64)
    return package.folder


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    """As README.txt says, with nothing else."""
    script = "sed -n 's/^    //p' README.txt | sh -eu && echo OK"
    assert f"\n{script}\n" in (folder / "README.txt").read_text()
    return subprocess.run(
        ["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("form", ["eml", "mbox"])
def test_the_receiver_verifies_it_with_sha256sum_and_openssl(tmp_path: Path, form: Form) -> None:
    folder = made(tmp_path, form)
    done = verify(folder)
    assert done.returncode == 0 and done.stdout.endswith("OK\n"), done.stdout + done.stderr
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))} == {0}
    if form == "eml":
        assert [path.read_bytes() for path in sorted(folder.glob("messages/*"))] == list(TEXTS)
    else:
        assert [each["Subject"] for each in mailbox.mbox(folder / "mailbox.mbox")][1:] == [
            "no end of line", "LF", "bytes",
        ]  # fmt: skip


def edit(name: str, was: bytes, now: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_bytes()
        assert was in text
        (folder / name).write_bytes(text.replace(was, now))

    return change


def relist(folder: Path) -> None:
    """Who tampers lists anew, and cannot sign."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [str(path.relative_to(folder)) for path in files]
    own = [f"./{each}" for each in names if not each.startswith(("MANIFEST", "cong-van"))]
    listed = subprocess.run(["sha256sum", *own], cwd=folder, capture_output=True, check=True)
    (folder / "MANIFEST.sha256").write_bytes(listed.stdout)


def resign(folder: Path, key: Ed25519PrivateKey = KEY) -> None:
    """Who has the key of the archive signs, and still cannot change the chain."""
    relist(folder)
    listed = (folder / "MANIFEST.sha256").read_bytes()
    (folder / "MANIFEST.sha256.sig").write_bytes(key.sign(listed))


EML = "messages/0000000002.eml"
TAMPERED: dict[str, tuple[Callable[[Path], None], Callable[[Path], None] | None, str]] = {
    "a message": (edit(EML, b"no end", b"an end"), None, "FAILED"),
    "a message, listed": (edit(EML, b"no end", b"an end"), relist, "Signature Verification Fail"),
    "a message, signed": (edit(EML, b"no end", b"an end"), resign, f"{EML}: CHANGED"),
    "a line": (
        edit("proofs/0000000002.line", b"lan@x.vn", b"ban@x.vn"), resign, "NOT IN THE CHAIN",
    ),
    "a root": (edit("roots/2026-11-26.json", b'"n":5', b'"n":6'), resign, "NOT SIGNED"),
    "a file more": (lambda folder: (folder / "x").touch() or None, None, ""),
    "a file less": (lambda folder: (folder / EML).unlink(), None, "FAILED"),
    "the list of messages": (edit("messages.tsv", b"lan@x.vn", b"ban@x.vn"), None, "FAILED"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_tampered_with_fails(tmp_path: Path, what: str) -> None:
    folder = made(tmp_path, "eml")
    tamper, then, said = TAMPERED[what]
    tamper(folder)
    if then:
        then(folder)
    done = verify(folder)
    assert done.returncode != 0 and "OK\n" not in done.stdout
    assert said in done.stdout + done.stderr


def test_a_changed_mbox_fails(tmp_path: Path) -> None:
    folder = made(tmp_path, "mbox")
    edit("mailbox.mbox", b">>From there", b">>From where")(folder)
    resign(folder)
    assert "CHANGED" in verify(folder).stdout


def test_what_is_begun_and_not_finished_is_removed(tmp_path: Path) -> None:
    package = Package(tmp_path / "out", "eml")
    with pytest.raises(OSError, match="cut off"), package.made():
        package.fill(_cut_off())
    assert not package.folder.exists()
    package.folder.mkdir()
    with pytest.raises(ExportError, match="is there already"), package.made():
        pass
    assert package.folder.exists()


def _cut_off() -> Iterator[Frame]:
    head = {"n": 1, "id": "x", "time": "2026-11-26T00:00:00.000Z", "from": "a", "to": ["b"]}
    yield {**head, "line": "{}"}, b"x"
    raise OSError("cut off")


def test_a_message_without_a_proof_is_not_handed_out(tmp_path: Path) -> None:
    package = Package(tmp_path / "out", "eml")
    package.numbers.append(7)
    with pytest.raises(ExportError, match="entry 7 is below no root"):
        package.prove({}, [])


def test_what_has_expired_is_told_and_its_line_proven(tmp_path: Path) -> None:
    package = Package(tmp_path / "out", "eml")
    head = {"n": 1, "id": "mx1/1", "time": "2026-11-26T00:00:00.000Z", "from": "a\tb\n",
            "to": ["b"], "line": "{}", "expired": "by entry 9"}  # fmt: skip
    with package.made():
        package.fill([(head, b"")])
        assert (package.messages, package.expired) == (0, 1)
        row = (package.folder / "messages.tsv").read_text().splitlines()[1]
        at = "2026-11-26T00:00:00.000Z"  # mx1/1 says no other time
        assert row == f"1\t{at}\t{at}\tmx1/1\ta?b?\tb\t\t\t\tby entry 9"
        assert (package.folder / "proofs/0000000001.line").exists()


@pytest.mark.parametrize("form", ["eml", "mbox"])
def test_the_list_has_the_time_of_the_edge_and_that_of_the_vault(
    tmp_path: Path, form: Form
) -> None:
    package = Package(tmp_path / "out", form)
    identity = queue_id(int(datetime(2026, 11, 24, 20, 30, tzinfo=UTC).timestamp()))
    head = {"n": 1, "id": identity, "time": "2026-11-26T00:00:00.000Z", "from": "a", "to": ["b"]}
    with package.made():
        package.fill([({**head, "line": "{}"}, b"x\n")])
        names, row = ((package.folder / "messages.tsv").read_text().splitlines()[n] for n in (0, 1))
        found = dict(zip(names.split("\t"), row.split("\t"), strict=True))
        assert found["passed"] == "2026-11-24T20:30:00.000Z"
        assert found["archived"] == "2026-11-26T00:00:00.000Z"
        if form == "mbox":
            mbox = (package.folder / "mailbox.mbox").read_bytes()
            assert mbox.startswith(b"From a Tue Nov 24 20:30:00 2026\n")


def test_the_letter_says_what_who_and_on_which_paper() -> None:
    grant: Granted = granted(directory(HELD), wanted(), DAY)
    at = datetime(2026, 11, 25, 9, 5)
    facts = papers.Facts("An Giang", "angiang.gov.vn", 12, 1, 0, "eml", "ab" * 32, "cd" * 32,
                         "an@may", at)  # fmt: skip
    document = Document(io.BytesIO(papers.letter(grant, facts, DAY)))
    text = "\n".join(each.text for each in document.paragraphs)
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert "Kính gửi: Thanh tra tỉnh An Giang" in text and "ab" * 32 in text and "cd" * 32 in text
    assert "Văn bản số 55/CV-TTT ngày 20/11/2026" in text and "vụ việc 12/2026/TTr" in text
    assert "từ ngày 01/11/2026 đến hết ngày 25/11/2026" in cells and "12" in cells
    assert {"lvloc@angiang.gov.vn", "Nguyễn Văn An", "Trần Thị Bình"} <= set(cells)
    assert "1 thư đã hết thời hạn lưu trữ" in cells


def test_openssl_and_sha256sum_are_all_it_needs(tmp_path: Path) -> None:
    """Besides the shell and its small tools."""
    folder, tools = made(tmp_path, "mbox"), tmp_path / "bin"
    tools.mkdir()
    for name in ("sha256sum", "openssl", "sh", "cut", "grep", "sed", "find", "wc", "tail", "head",
                 "basename"):  # fmt: skip
        (tools / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(
        ["sh", "-c", "sed -n 's/^    //p' README.txt | sh -eu && echo OK"],
        cwd=folder, env={"PATH": str(tools)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.endswith("OK\n"), done.stderr


class _Hosts:
    """The vault, without a vault."""

    def __init__(self) -> None:
        self.noted: list[Mapping[str, Any]] = []

    def hosts(self) -> list[Any]:
        return [SimpleNamespace(name="vault1")]

    def step(self, host: object, step: str, request: Mapping[str, Any]) -> None:
        assert step == "record"
        self.noted.append(request["note"])


def test_from_the_archive_to_the_folder_and_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the archive's own pour, roots and proofs; over the network: tests/mail."""
    env = Environment("x", ())
    seed, private = env.secrets.derive("sign"), env.secrets.derive("journal")
    writer = archive(tmp_path)
    for number, (text, to) in enumerate(zip(TEXTS, ("lvloc", "nvan", "loc", "cut"), strict=True)):
        content = sealed(text, public_half(private))
        item = chain.message(
            f"mx1/{number}", "lan@x.vn", [f"{to}@angiang.gov.vn"], "", text, content
        )
        writer.append([item])
    writer.close()
    asked: list[Mapping[str, Any]] = []

    def contents(vault: object, request: Mapping[str, Any], key: bytes) -> Iterator[Frame]:
        asked.append(request)
        yield from pour.frames(writer.root, Selection.of(request), key)

    def signs(*_: object) -> str:
        return roots.sign(writer.root, seed, "Asia/Ho_Chi_Minh", 1795723200.0)

    def ask(hosts: object, vault: str, question: dict[str, Any]) -> dict[str, Any]:
        answer = agent.QUESTIONS["proof"]({"root": str(writer.root)}, question)
        told: dict[str, Any] = json.loads(json.dumps(answer))
        return told

    monkeypatch.setattr(handing, "contents", contents)
    monkeypatch.setattr(proven, "run", signs)
    monkeypatch.setattr(proven, "ask", ask)
    held, hosts = directory(HELD), _Hosts()
    days = {"first": date(2026, 1, 1), "last": date(2026, 11, 25)}
    grant = granted(held, wanted(**days), DAY)
    late = Granted(**{**vars(grant), "until": datetime(2100, 1, 1, tzinfo=ZoneInfo("UTC"))})
    package = handing.hand_out(hosts, env, held, late, "eml", tmp_path / "out", "1a2b+")  # type: ignore[arg-type]
    assert package.numbers == [1, 3] and verify(package.folder).stdout.endswith("OK\n")
    assert (asked[0]["case"], asked[0]["why"]) == (
        "12/2026/TTr", "export to Thanh tra tỉnh An Giang by 55/CV-TTT of 2026-11-20, "
        "approved by Nguyễn Văn An and Trần Thị Bình",
    )  # fmt: skip
    [note] = hosts.noted
    assert (note["what"], note["messages"], note["approved"], note["revision"]) == (
        "export", 2, ["Nguyễn Văn An", "Trần Thị Bình"], "1a2b+",
    )  # fmt: skip
    listed = (package.folder / "MANIFEST.sha256").read_bytes()
    assert note["manifest"] == sha256(listed).hexdigest()
    letter = Document(io.BytesIO((package.folder / "cong-van.docx").read_bytes()))
    assert note["manifest"] in [each.text for each in letter.paragraphs]


def test_a_hold_that_was_not_applied_as_the_file_has_it_opens_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever stands in somebody's own copy of the directory."""
    compiled = compile_directory(directory(HELD))
    live: dict[str, Any] = {"expiry": {"rules": rules(compiled)}}
    _applied(monkeypatch, live, compiled.engineers)
    applied.must_be_applied(_Hosts(), compiled, wanted())  # type: ignore[arg-type]
    longer = HELD.replace("from: 2026-01-01", "from: 2020-01-01")
    for case, text in (("12/2026/TTr", longer), ("13/2026/TTr", HELD)):
        other = compile_directory(directory(text))
        with pytest.raises(ExportError, match="reviewed and applied first"):
            applied.must_be_applied(_Hosts(), other, wanted(case=case))  # type: ignore[arg-type]


def test_who_approves_was_applied_too(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile_directory(directory(HELD))
    live: dict[str, Any] = {"expiry": {"rules": rules(compiled)}}
    _applied(monkeypatch, live, ("Nguyễn Văn An", "Lê Văn Cư"))
    with pytest.raises(ExportError, match="Trần Thị Bình is no engineer who may approve on"):
        applied.must_be_applied(_Hosts(), compiled, wanted())  # type: ignore[arg-type]


def _applied(
    monkeypatch: pytest.MonkeyPatch, live: Mapping[str, Any], engineers: tuple[str, ...]
) -> None:
    """What the vault has."""
    files = {"manifest.json": live, "engineers.json": engineers}
    monkeypatch.setattr(
        applied, "run", lambda _hosts, _vault, argv: json.dumps(files[Path(argv[1]).name])
    )
