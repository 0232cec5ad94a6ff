"""danhba schema: the JSON Schema by which editors complete and check directory.yaml."""

from __future__ import annotations

import click

from danhba.schema import schema_text


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of directory.yaml; needed anew when the directory language changes.

    Example: danhba schema >directory.schema.json
    """
    click.echo(schema_text(), nl=False)
