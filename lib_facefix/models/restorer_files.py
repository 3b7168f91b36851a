"""Finding and listing the user's own restorers among the files of the model folders."""

from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path

from ..errors import BadModel
from ..fsio import is_filled
from ..weights import ModelPaths, read_restorer
from .lru_cache import file_version
from .yolo_files import REGISTERED_FILES

SUFFIX = ".onnx"
"""Suffix of the files that are listed. Weights for PyTorch would have to be loaded to tell restorers from others."""


def find_restorer_file(name: str, places: ModelPaths) -> Path:
    """Return the path of a restorer file from its path, or from its name if it is in a model folder.

    A file in the current folder comes first. A path without a file is returned unchanged.
    """
    path = Path(name)
    alone = path.name == name and not path.exists()
    return (places.find_local(name) if alone else None) or path


def list_restorer_files(places: ModelPaths) -> tuple[Path, ...]:
    """Return the .onnx files of restorers that may be named without their folder, sorted by name.

    Files of registered models are left out. This reads folders, and of each file its graph. Of two files with one
    name, the first that `find_restorer_file` finds counts.
    """
    found: dict[str, Path] = {}
    for folder in places.list_folders():
        for path in _list_files(folder):
            if path.name not in found and path.name not in REGISTERED_FILES and is_restorer(path):
                found[path.name] = path
    return tuple(found[name] for name in sorted(found, key=lambda name: (name.casefold(), name)))


def _list_files(folder: Path) -> list[Path]:
    """Return the .onnx files in a folder; none if it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.lower().endswith(SUFFIX) and is_filled(path))
    except OSError:
        return []


def is_restorer(path: Path) -> bool:
    """Return whether an .onnx file has the layout of a restorer; a file is read once for each of its versions."""
    try:
        return _read_graph(path, file_version(path))
    except BadModel:
        return False


@lru_cache(maxsize=256)
def _read_graph(path: Path, _: Hashable) -> bool:
    """Return whether a file has the layout of a restorer; cached by the file's version, also for other files."""
    try:
        read_restorer(path)
    except BadModel:
        return False
    return True
