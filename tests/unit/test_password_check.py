"""What slapd is told about a password, over the socket that its module asks on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from passwords import ABOUT, BAD, GOOD, KNOWN

from danhba import password_check
from danhba.password_check import ACCEPTED, about, answer, by_account
from danhba.password_rule import Rule
from danhba.project import ROOT

TREE = "".join(
    json.dumps({"dn": dn, "attrs": attrs}, ensure_ascii=False) + "\n"
    for dn, attrs in {
        "dc=vn": {"dc": ["vn"]},
        "ou=people,dc=vn": {"ou": ["people"]},
        "uid=doi.luat,ou=people,dc=vn": {
            "cn": ["Nguyễn Thử"], "mail": ["doi.luat@angiang.gov.vn"], "uid": ["doi.luat"],
            "employeeNumber": ["Tdoi.luat"], "o": ["Sở Tài chính"],
            "departmentNumber": ["sotaichinh"],
        },
    }.items()
)  # fmt: skip
PEOPLE = by_account(TREE)
DN = "uid=doi.luat,ou=people,dc=vn"
RULE = Rule(12, KNOWN)


def question(password: str, dn: str = DN) -> bytes:
    return f"{dn}\0{password}\0".encode()


@pytest.mark.parametrize("password", [*GOOD, *BAD])
def test_the_answer_is_the_rules(password: str) -> None:
    assert answer(question(password), RULE, PEOPLE) == (RULE.objection(password, ABOUT) or ACCEPTED)


def test_an_account_is_found_with_all_that_is_known_of_it() -> None:
    assert set(PEOPLE) == {"doi.luat"}
    assert set(ABOUT) <= set(about(DN, PEOPLE))


def test_an_account_of_today_is_judged_by_its_name_at_least() -> None:
    said = answer(question("lttha.lttha.1", "uid=lttha,ou=people,dc=vn"), RULE, PEOPLE)
    assert said == RULE.objection("lttha.lttha.1", ["lttha"]) != ""


def test_a_reason_has_room_in_slapds_buffer() -> None:
    for password in BAD:
        assert len(RULE.objection(password, ABOUT).encode()) < 250


def test_bytes_that_are_no_text_are_refused() -> None:
    assert "UTF-8" in answer(DN.encode() + b"\0" + b"\xff" * 12 + b"\0", RULE, PEOPLE)


def test_one_official_does_not_keep_slapd_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_check, "JUDGING", 0.1)
    monkeypatch.setattr(Rule, "_guessed", lambda *_: sum(1 for _ in count()))
    begun = time.process_time()
    said = answer(question(GOOD[0]), RULE, PEOPLE)
    assert "không kiểm tra kịp" in said.lower() and time.process_time() - begun < 2
    monkeypatch.undo()
    assert answer(question(GOOD[0]), RULE, PEOPLE) == ACCEPTED


def test_the_program_answers_on_the_socket_that_it_is_handed(tmp_path: Path) -> None:
    """As systemd starts it; half a question is refused."""
    (tmp_path / "rule.json").write_text(json.dumps({"min_length": 12, "known": KNOWN}))
    (tmp_path / "people").write_text(TREE)
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as door, (tmp_path / "people").open() as people:
        door.bind(path)
        door.listen()
        handed = f"exec 4<&{people.fileno()} 3<&{door.fileno()}"
        shell = f"{handed}; exec {sys.executable} -m danhba.password_check rule.json"
        process = subprocess.Popen(
            ["bash", "-c", shell], cwd=tmp_path, pass_fds=[door.fileno(), people.fileno()],
            env={**os.environ, "LISTEN_FDNAMES": "slapd:people", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            assert asked(path, question(GOOD[0])) == ACCEPTED
            assert "quá ngắn" in asked(path, question("ngắn"))
            assert "thử lại sau" in asked(path, question(GOOD[0])[:-1])
            assert "thử lại sau" in asked(path, b"\0\0\0\0")
        finally:
            process.kill()
            process.wait()


def asked(path: str, content: bytes) -> str:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.sendall(content)
        line.shutdown(socket.SHUT_WR)
        with line.makefile(encoding="utf-8") as said:
            return said.read()
