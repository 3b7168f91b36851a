"""Finding and listing the model files that the setting `detector` may name.

Folders of other programs for such models are searched recursively, as ADetailer does. In folders with weights of every
kind, a file's content is inspected too before it is listed; nothing in it is run.
"""

import os
import stat
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from ..errors import BadModel
from ..fsio import is_filled
from ..registry import REGISTRIES
from ..settings.detector_expression import SUFFIXES, is_valid_class, is_valid_name
from ..weights import PUBLISHED, ModelPaths, expand_home, is_yolo, read_onnx
from ..weights.class_names import read_class_names
from .lru_cache import file_version

YOLO_FOLDERS = ("adetailer", "ultralytics", "yolo")
"""Folders of YOLO models below a host's models folder. ADetailer's is first, so its users need not move files."""
MIXED_FOLDERS = ("facefix",)
"""Folders of a host that hold weights of every kind."""


def yolo_file(name: str, places: ModelPaths) -> Path:
    """Return the path of a model file from its name, or from its path; raises `BadModel` if there is none.

    The .onnx that was converted from a .pt comes first, unless it is older, because it needs no ultralytics.
    """
    wanted = Path(name)
    folders: Iterable[Path] = (folder for folder, _ in _folders(places))
    if wanted.name != name:
        folders = [expand_home(wanted).parent]
    if found := _first(wanted.name, folders):
        return found
    searched = ", ".join(map(str, (places.own, *places.yolo)))
    raise BadModel(
        f"{name} is not installed. A file without a folder is searched for in {searched}, and in a WebUI's models "
        f"folder in {', '.join(YOLO_FOLDERS)}. ADetailer's models are at https://huggingface.co/Bingsu/adetailer. "
        f"For a file in the current folder write ./{wanted.name}."
    )


def yolo_files(places: ModelPaths) -> tuple[Path, ...]:
    """Return the files that may be named without their folder, sorted by name, except those of registered models.

    This reads folders. Of two files with one name, the first that `yolo_file` finds counts.
    """
    found: dict[str, Path] = {}
    for folder, mixed in _folders(places):
        for path in _files(folder):
            is_new = path.name not in found and path.name not in REGISTERED_FILES and is_valid_name(path.name)
            if is_new and (not mixed or _could_be_yolo(path)):
                found[path.name] = path
    return tuple(found[name] for name in sorted(found, key=lambda name: (name.casefold(), name)))


def list_classes(name: str, places: ModelPaths) -> tuple[str, ...]:
    """Return the classes of a model file as the setting `detector` names them; none if the file does not name any.

    name: as for `yolo_file`. A class whose name an expression cannot contain is given by its number. Nothing in the
    file is run. Raises `BadModel`.
    """
    path = yolo_file(name, places)
    return _read_classes(path, file_version(path))


@lru_cache(maxsize=64)
def _read_classes(path: Path, _: Hashable) -> tuple[str, ...]:
    """Return the classes of a file, cached by its version."""
    names = read_class_names(path)
    return tuple(text if is_valid_class(text) else str(number) for number, text in sorted(names.items()))


def _first(name: str, folders: Iterable[Path]) -> Path | None:
    """Return the first file of that name, or the .onnx beside it that was converted from it.

    An .onnx elsewhere may be another model's, so it counts only if the named file exists in no folder.
    """
    alone = None
    for folder in folders:
        path = folder / name
        converted = path.with_suffix(".onnx") if name.lower().endswith(".pt") else path
        changed, made = _changed_at(path), _changed_at(converted)
        if changed is not None:
            return path if made is None or made < changed else converted
        if made is not None:
            alone = alone or converted
    return alone


def _changed_at(path: Path) -> int | None:
    """Return the modification time of a file in ns; None if it does not exist or is empty."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError: an impossible name
        return None
    return status.st_mtime_ns if stat.S_ISREG(status.st_mode) and status.st_size else None


def _folders(places: ModelPaths) -> Iterator[tuple[Path, bool]]:
    """Yield every folder to search, in order, and whether it holds weights of every kind.

    Links to folders are followed; a folder that was seen before is skipped, so that no link leads in a circle.
    """
    yield from ((folder, True) for folder in (*places.folders, *places.list_host_folders(MIXED_FOLDERS)))
    seen = set()
    for top in (*places.list_host_folders(YOLO_FOLDERS), *places.yolo):
        for folder, below, _ in os.walk(top, followlinks=True):  # skips unreadable folders
            if (place := os.path.realpath(folder)) in seen:
                below.clear()
                continue
            seen.add(place)
            below[:] = sorted(name for name in below if not name.startswith("."))
            yield Path(folder), False


def _files(folder: Path) -> list[Path]:
    """Return the model files in a folder; none if it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and is_filled(path))
    except OSError:
        return []


def _could_be_yolo(path: Path) -> bool:
    try:
        return _inspect_file(path, file_version(path))
    except BadModel:
        return False


@lru_cache(maxsize=256)
def _inspect_file(path: Path, _: Hashable) -> bool:
    """Return whether a file is a YOLO model: it names YOLO's classes, or its output is one table of detections.

    The result is cached by the file's version, also for damaged files.
    """
    if path.suffix.lower() == ".pt":
        return is_yolo(path)
    try:
        described = read_onnx(path)
    except BadModel:
        return False
    takes_images = any(len(shape) == 4 for shape in described.inputs.values())
    tables = sum(len(shape) == 3 for shape in described.outputs.values())
    return takes_images and ("names" in described.metadata or tables == 1)


REGISTERED_FILES = {name for one in PUBLISHED.values() for name in one.names} | {
    info.external_file for registry in REGISTRIES for info in registry
}
"""Files with a name in the registries, or from which other models are made."""
