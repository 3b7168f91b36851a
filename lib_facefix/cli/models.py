"""List all models with their licence, size, and location. Use an action to download, verify, or convert weights."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadModel, FaceFixError, MissingPackage
from ..models.restorer_files import list_restorer_files
from ..models.variants import choose_variant
from ..models.yolo_files import yolo_files
from ..registry import DETECTORS, REGISTRIES, RESTORERS, ModelInfo, Registry
from ..settings.detector_expression import quote_name
from ..weights import PUBLISHED, ModelPaths, Published, asset, find_installed
from . import model_folders, models_check, models_get
from .files import write_json
from .parser import Parser
from .terminal import print_lines

WIDTH = 80
"""Widest line of the table, in characters."""
NAME_WIDTH = 20
"""Width of the names, in characters; a longer one has a line of its own."""
STATES = {"built in": "built in", "found": "installed", "missing": "not installed"}
"""Words for the state of a model."""


def add(parser: Parser) -> None:
    """Add the command and its actions to its parser."""
    parser.usage = "%(prog)s [FLAGS] [ACTION]"
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="show where each model is, or how to get it")
    model_folders.add_path_flags(parser, default=[])
    folder = "folder of YOLO models, including subfolders (repeatable, or several separated as in PATH)"
    parser.add_argument("--yolo", action="append", default=[], metavar="DIR", help=folder)
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", prog=parser.prog)
    models_get.add(actions)
    models_check.add(actions)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    rows = list(list_models(model_folders.read_model_paths(arguments, arguments.yolo)))
    if arguments.json:
        write_json({"version": 1, "models": rows}, None)
        return 0
    print_lines(_make_table(rows, verbose=arguments.verbose))
    return 0


def _make_table(rows: Sequence[dict[str, Any]], *, verbose: bool) -> Iterator[str]:
    """Yield the lines of the table: the models of each kind, and with `verbose` where each is or how to get it."""
    kind = ""
    for row in rows:
        if row["kind"] != kind:
            yield from ([""] if kind else [])
            kind = row["kind"]
            yield f"{kind}:"
        if len(name := row["name"]) > NAME_WIDTH:
            yield f"  {name}"
            name = ""
        line = f"  {name:<{NAME_WIDTH}} {row['size']:>8}  {STATES[row['state']]:<13}  {row['licence']}".rstrip()
        yield line if len(line) <= WIDTH else f"{line[: WIDTH - 3].rstrip()}..."
        if verbose:
            yield f"      {row['label']}: {row['where']}"
    yield ""
    yield "`facefix setup` installs restorers with all that they need."
    yield "`facefix models get NAME` downloads any file."
    if not verbose:
        yield "`facefix models --verbose` shows where each model is."


def list_models(paths: ModelPaths, registries: Iterable[Registry[object]] = REGISTRIES) -> Iterator[dict[str, Any]]:
    """Yield the facts of each model: kind, name, label, licence, bytes, size, state (see `STATES`), where, and note."""
    listed = set[str]()
    for registry in registries:
        for info in registry:
            if info.assets:
                yield _built_in_row(registry.kind, info)
            elif info.weights_name:
                listed |= {one.weights_name for one in info.variants}
                chosen = choose_variant(info, paths).weights_name
                yield _published_row(registry.kind, info.name, info.label, PUBLISHED[chosen], paths)
            elif info.external_file or info.package:
                yield _external_row(registry.kind, info, paths)
        if registry is DETECTORS:
            for path in yolo_files(paths):
                yield _make_row(
                    DETECTORS.kind, quote_name(path.name), path.stem, "", _file_size(path), "found", str(path)
                )
        if registry is RESTORERS:
            for path in list_restorer_files(paths):
                yield _make_row(RESTORERS.kind, path.name, path.stem, "", _file_size(path), "found", str(path))
    for name, published in PUBLISHED.items():
        if name not in listed:
            yield _published_row("weights", name, Path(name).stem, published, paths)


def _built_in_row(kind: str, info: ModelInfo[object]) -> dict[str, Any]:
    try:
        paths = [asset(name) for name in info.assets]
    except BadModel as error:
        return _missing_row(kind, info, ", ".join(info.assets), error)
    where = ", ".join(map(str, paths))
    return _make_row(kind, info.name, info.label, info.licence, sum(map(_file_size, paths)), "built in", where)


def _published_row(kind: str, name: str, label: str, file: Published, paths: ModelPaths) -> dict[str, Any]:
    path = paths.find_local(file.name)
    if path is None and (pair := find_installed(file)):  # not converted just to be listed
        path = pair[1]
    if path:
        return _make_row(kind, name, label, file.licence, _file_size(path), "found", str(path))
    return _make_row(
        kind, name, label, file.licence, file.bytes, "missing", f"not installed: facefix models get {name}"
    )


def _external_row(kind: str, info: ModelInfo[object], paths: ModelPaths) -> dict[str, Any]:
    """Return the row of a model that is part of another package or uses another program's file."""
    try:
        info.needs()
        path = paths.find_external(info)
    except MissingPackage as error:
        return _missing_row(kind, info, f"Python package {info.package}", error)
    except BadModel as error:
        program, *_, pack = Path(info.folders[0]).parts
        return _missing_row(kind, info, f"{info.external_file} of {program}'s {pack}", error)
    size, where = (_file_size(path), str(path)) if path else (0, f"in the Python package {info.package}")
    return _make_row(kind, info.name, info.label, info.licence, size, "found", where)


def _missing_row(kind: str, info: ModelInfo[object], needed: str, error: FaceFixError) -> dict[str, Any]:
    """Return the row of a missing model, with a short description of the needed part and the full error as note."""
    return _make_row(kind, info.name, info.label, info.licence, 0, "missing", f"not installed: {needed}", str(error))


def _make_row(
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


def _file_size(path: Path) -> int:
    """Return the size of a file in bytes, or 0 if it has been deleted since it was found."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
