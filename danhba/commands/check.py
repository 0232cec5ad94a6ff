"""danhba check: the directory against the integrity rules, all findings at once."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from danhba.check import check_file
from danhba.project import Project


@click.command("check")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def command(project: Project, form: str) -> None:
    """Check directory.yaml; says file, line and what to do. Needs no server.

    Exit status: 0 nothing wrong, 1 findings that are errors.

    Example: danhba check --format json
    """
    directory, findings = check_file(project.directory)
    if form == "json":
        rows = [{**asdict(item), "file": str(item.file)} for item in findings]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            click.echo(finding)
        if directory is not None:
            people = sum(len(agency.staff) for agency in directory.agencies)
            click.echo(f"{len(directory.agencies)} agencies, {people} officials", err=True)
    sys.exit(1 if any(item.severity == "error" for item in findings) else 0)
