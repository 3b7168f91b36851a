"""List the models on offer: what for, licence, size, where they lie."""

from __future__ import annotations

import argparse
from typing import Any

from ..catalog import CATALOGS, Entry
from ..errors import BadModel
from ..weights import asset
from .printing import tell, write_json


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("models", help="list the models on offer", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out; return its exit code."""
    rows = [_row(catalog.kind, entry) for catalog in CATALOGS for entry in catalog if entry.assets]
    if arguments.json:
        write_json({"version": 1, "models": rows}, None)
        return 0
    columns = ("kind", "name", "label", "licence", "size", "where")
    table = [columns, *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    tell("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table)
    return 0


def _row(kind: str, entry: Entry) -> dict[str, Any]:
    try:
        paths = [asset(name) for name in entry.assets]
    except BadModel as error:
        size, where = 0, f"missing: {error}"
    else:
        size, where = sum(path.stat().st_size for path in paths), ", ".join(map(str, paths))
    return {
        "kind": kind,
        "name": entry.name,
        "label": entry.label,
        "licence": entry.licence,
        "bytes": size,
        "size": f"{size / 1e6:.1f} MB",
        "where": where,
    }
