"""What danhba diff --env says, with the inventories and the directory as they are, in git."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from danhba import placement_file
from danhba.commands import add, diff
from danhba.inventory import load
from danhba.placement import Move, Moving, Remembered
from danhba.project import ROOT, Project


@pytest.fixture
def checkout(tmp_path: Path) -> Project:
    """As a clone has it, one commit old."""
    shutil.copy(ROOT / "directory.yaml", tmp_path)
    ignored = shutil.ignore_patterns("*.placement.yaml", "__pycache__")
    shutil.copytree(ROOT / "inventory", tmp_path / "inventory", ignore=ignored)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return Project(tmp_path / "directory.yaml", tmp_path)


def git(root: Path, *words: str) -> None:
    name = ("-c", "user.name=an", "-c", "user.email=an@angiang.gov.vn")
    subprocess.run(["git", "-C", str(root), *name, *words], check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Something")


def said(project: Project, command: click.Command, *words: str) -> str:
    done = CliRunner().invoke(command, words, obj=project)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("name", ["staging", "production.example"])
def test_a_diff_tells_where_new_mailboxes_are_and_which_were_moved(
    checkout: Project, name: str
) -> None:
    env = load(checkout.root / "inventory" / f"{name}.py")
    boxes = checkout.compiled(env).mailboxes
    box = next(box for box in boxes if box.kind == "person" and box.state == "active")
    home, target = env.place(box).home, env.place(box).standby
    assert target
    before = said(checkout, diff.command, "--env", name)
    words = (
        "Lê Thị Thu Hà",
        "--agency",
        "sotaichinh",
        "--id",
        "20001",
        "--request",
        "210/CV-SOTAICHINH",
    )
    address = said(checkout, add.command, *words).strip().partition("@")[0]
    placement_file.save(checkout.placement(env), Remembered(moved=(Move(box.account, target),)))

    told = said(checkout, diff.command, "--env", name)
    new = next(each for each in checkout.compiled(env).mailboxes if each.address == address)
    place = env.place(new)
    assert f"home {place.home}, standby {place.standby}" in told
    assert f"{box.name} <{box.address}>" in told and f"{home} -> {target}" in told
    assert told.count(" -> ") == before.count(" -> ") + 1
    assert "home" not in said(checkout, diff.command)  # asked for only with --env
    rows = json.loads(said(checkout, diff.command, "--env", name, "--format", "json"))
    assert [row["kind"] for row in rows if row["kind"] in ("new", "moved")] in (
        ["new", "moved"], ["moved", "new"]
    )  # fmt: skip

    commit(checkout.root)
    assert said(checkout, diff.command, "HEAD~1", "HEAD", "--env", name) == told
    assert said(checkout, diff.command, "--env", name) == before  # nothing since
    back = said(checkout, diff.command, "HEAD", "HEAD~1", "--env", name)
    assert f"{target} -> {home}" in back


def test_a_move_that_is_under_way_is_told_once_its_routes_are_to_change(checkout: Project) -> None:
    env = checkout.environment("staging")
    box = checkout.compiled(env).mailboxes[0]
    place = env.place(box)
    assert place.standby
    moving = Moving(box.account, place.home, place.standby)
    file = checkout.placement(env)
    placement_file.save(file, Remembered(moving=(moving,)))
    assert " -> " not in said(checkout, diff.command, "--env", "staging")
    moved = Move(box.account, place.standby)
    placement_file.save(file, Remembered(moved=(moved,), moving=(moving,)))
    assert f"{place.home} -> {place.standby}" in said(checkout, diff.command, "--env", "staging")
