"""Write the table of all settings into the page of the web site that asks for it. `mkdocs.yml` names this file."""

from collections.abc import Mapping
from typing import Any

MARK = "<!-- settings -->"
GROUPS = {
    "find": "Find faces",
    "choose": "Choose faces",
    "fix": "Fix faces",
    "mask": "Masks",
    "sampling": "Re-diffusing",
    "upscale": "Upscaling",
    "machine": "Models and hardware",
}
"""Headings of the groups, in the order of the page."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the text of a page with the table in the place of its mark; mkdocs calls this for every page."""
    return markdown.replace(MARK, make_tables()) if MARK in markdown else markdown


def make_tables() -> str:
    """Return a heading and a table for each group of settings. Raises KeyError for a group without a heading."""
    from lib_facefix import FaceSettings, Runtime
    from lib_facefix.settings.options import schema

    rows: dict[str, list[str]] = {heading: [] for heading in GROUPS.values()}
    for name, setting in (schema(FaceSettings)["properties"] | schema(Runtime)["properties"]).items():
        rows[GROUPS[setting["x-group"]]].append(write_row(name, setting))
    head = "| name | default | values | effect |\n|---|---|---|---|"
    return "\n\n".join("\n".join([f"## {heading}", "", head, *lines]) for heading, lines in rows.items())


def write_row(name: str, setting: Mapping[str, Any]) -> str:
    """Return the row of one setting."""
    effect = setting.get("description", setting["title"]).replace("|", "\\|")
    return f"| `{name}` | {describe_default(setting['default'])} | {describe_values(setting)} | {effect} |"


def describe_default(default: object) -> str:
    """Return a default as it is written in a table."""
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"`{default}`" if default != "" else "blank"


def describe_values(setting: Mapping[str, Any]) -> str:
    """Return the choices of a setting, or its range with the unit."""
    if choices := setting.get("enum") or setting.get("examples"):
        return ", ".join(f"`{choice}`" for choice in choices)
    if "minimum" in setting:
        limit = f"to {setting['maximum']:g}" if "maximum" in setting else "and more"
        return f"{setting['minimum']:g} {limit} {setting.get('x-unit', '')}".rstrip()
    return {"boolean": "on, off", "string": "text"}.get(str(setting.get("type")), "list")
