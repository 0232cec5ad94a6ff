"""Renders templates/: the one place that knows Jinja2."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent.parent / "templates"),
    undefined=StrictUndefined,
    autoescape=False,  # configuration files, not HTML
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **values: object) -> bytes:
    """The template with the values filled in, as UTF-8. A value it lacks is an error."""
    return _TEMPLATES.get_template(template).render(**values).encode()
