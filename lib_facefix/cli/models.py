"""List the models on offer: what for, licence, size, where they lie. With an action: get, verify or convert weights."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import BadModel, FaceFixError, MissingPackage
from ..models.yolo_files import yolo_files
from ..registry import DETECTORS, REGISTRIES, ModelInfo
from ..settings.detector_expression import quote_name
from ..weights import PUBLISHED, ModelPaths, Published, asset, find_installed
from . import models_check, models_get
from .terminal import tell, write_json

COLUMNS = ("kind", "name", "label", "licence", "size", "where")


def add(commands: Any) -> None:
    """Add the command and its actions to the parser."""
    parser = commands.add_parser("models", help="list, get, verify and convert models", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    models_get.add_shelf_flags(parser, default=[])
    parser.add_argument(
        "--yolo",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of YOLO models, used with all that is below it; several as in PATH, or given often",
    )
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    models_get.add(actions)
    models_check.add(actions)


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out; return its exit code."""
    rows = list(_rows(models_get.read_shelf(arguments, arguments.yolo)))
    if arguments.json:
        write_json({"version": 1, "models": rows}, None)
        return 0
    table = [COLUMNS, *([str(row[column]) for column in COLUMNS] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    tell("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table)
    return 0


def _rows(places: ModelPaths) -> Iterator[dict[str, Any]]:
    listed = set()
    for registry in REGISTRIES:
        for info in registry:
            if info.assets:
                yield _built_in(registry.kind, info)
            elif info.weights_name:
                listed.add(info.weights_name)
                yield _published_row(registry.kind, info.name, info.label, PUBLISHED[info.weights_name], places)
            elif info.external_file or info.package:
                yield _elsewhere(registry.kind, info, places)
        if registry is DETECTORS:
            yield from map(_own, yolo_files(places))
    for name, one in PUBLISHED.items():
        if name not in listed:
            yield _published_row("weights", name, Path(name).stem, one, places)


def _built_in(kind: str, info: ModelInfo[object]) -> dict[str, Any]:
    try:
        paths = [asset(name) for name in info.assets]
    except BadModel as error:
        return _missing(kind, info, ", ".join(info.assets), error)
    where = ", ".join(map(str, paths))
    return _row(kind, info.name, info.label, info.licence, sum(map(_size, paths)), "built in", where)


def _published_row(kind: str, name: str, label: str, one: Published, places: ModelPaths) -> dict[str, Any]:
    if path := places.find_local(one.name):
        size, state, where = _size(path), "found", str(path)
    elif pair := find_installed(one):  # not converted just to be listed
        size, state, where = _size(pair[1]), "found", str(pair[1])
    else:
        size, state, where = one.bytes, "missing", f"not here: facefix models get {name}"
    return _row(kind, name, label, one.licence, size, state, where)


def _elsewhere(kind: str, info: ModelInfo[object], places: ModelPaths) -> dict[str, Any]:
    """Return the row of what another package brings, or what stands on another program's file."""
    try:
        info.needs()
        path = places.find_external(info)
    except MissingPackage as error:
        return _missing(kind, info, f"the Python package {info.package}", error)
    except BadModel as error:
        program, *_, pack = Path(info.folders[0]).parts
        return _missing(kind, info, f"{info.external_file} of {program}'s {pack}", error)
    size, where = (_size(path), str(path)) if path else (0, f"in the Python package {info.package}")
    return _row(kind, info.name, info.label, info.licence, size, "found", where)


def _own(path: Path) -> dict[str, Any]:
    """Return the row of a detector that nobody has on offer."""
    return _row(DETECTORS.kind, quote_name(path.name), path.stem, "", _size(path), "found", str(path))


def _missing(kind: str, info: ModelInfo[object], what: str, error: FaceFixError) -> dict[str, Any]:
    """Return the row of what is not here: in a few words, and as the sentence that says what to do."""
    return _row(kind, info.name, info.label, info.licence, 0, "missing", f"not here: {what}", str(error))


def _row(
    kind: str, name: str, label: str, licence: str, size: int, state: str, where: str, note: str = ""
) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "label": label,
        "licence": licence,
        "bytes": size,
        "size": f"{size / 1e6:.1f} MB" if size else "?",
        "state": state,
        "where": where,
        "note": note,
    }


def _size(path: Path) -> int:
    """Return how many bytes a file has; 0 where it has gone since it was found."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
