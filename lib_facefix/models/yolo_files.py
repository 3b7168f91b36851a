"""The model files that the setting `detector` may name: where they are looked for, and which are on offer.

The folders of other programs for such models are looked into with all that is below them, as ADetailer does. In those
of weights of every kind a file is looked into as well, before it is offered: nothing in it is run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from ..errors import BadModel
from ..fsio import is_filled
from ..registry import REGISTRIES
from ..settings.detector_expression import SUFFIXES, is_valid_name
from ..weights import PUBLISHED, ModelPaths, expand_home, is_yolo, read_onnx
from .lru_cache import file_version

FOLDERS = ("adetailer", "ultralytics", "yolo")
"""Of YOLO models, below a host's models folder. ADetailer's first: who comes from there has no file to move."""
OWN = ("facefix",)
"""Of weights of every kind."""


def yolo_file(name: str, places: ModelPaths) -> Path:
    """Return where a model file lies: below the folders of models, or where the path says; raises `BadModel`.

    What was converted from a .pt and lies beside it comes first, unless it is older: it needs no ultralytics.
    """
    wanted = Path(name)
    folders: Iterable[Path] = (folder for folder, _ in _folders(places))
    if wanted.name != name:
        folders = [expand_home(wanted).parent]
    if found := _first(wanted.name, folders):
        return found
    own = ", ".join(map(str, (places.own, *places.yolo)))
    raise BadModel(
        f"the model file {name} is not here. Without a folder it is looked for in {own}, and in a WebUI's models "
        f"folder in {', '.join(FOLDERS)}; ADetailer's are at https://huggingface.co/Bingsu/adetailer. "
        f"For a file in this folder write ./{wanted.name}."
    )


def yolo_files(places: ModelPaths) -> tuple[Path, ...]:
    """Return the files that may be named without their folder, by name; weights that have a name on offer are not.

    This reads folders. Of two files of one name the first that `yolo_file` comes to counts.
    """
    found: dict[str, Path] = {}
    for folder, mixed in _folders(places):
        for path in _files(folder):
            if path.name in found or path.name in _KNOWN or not is_valid_name(path.name):
                continue
            if not mixed or _could_be_yolo(path):
                found[path.name] = path
    return tuple(found[name] for name in sorted(found, key=lambda name: (name.casefold(), name)))


def _first(name: str, folders: Iterable[Path]) -> Path | None:
    """Return the first file of that name, or what was converted from it.

    That is the .onnx beside it. One elsewhere may be another model's, and counts where no such file is anywhere.
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
    """Return when a file was changed, in ns; None where none lies there, any more, or nothing is in it."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError: no name can be like that
        return None
    return status.st_mtime_ns if stat.S_ISREG(status.st_mode) and status.st_size else None


def _folders(places: ModelPaths) -> Iterator[tuple[Path, bool]]:
    """Yield every folder that is looked into, in this order, and whether weights of every kind lie in it.

    Links to folders are followed; what was seen is passed over, so that none goes round in a circle.
    """
    yield from ((folder, True) for folder in (*places.folders, *places.list_host_folders(OWN)))
    seen = set()
    for top in (*places.list_host_folders(FOLDERS), *places.yolo):
        for folder, below, _ in os.walk(top, followlinks=True):  # of what cannot be read, nothing
            if (place := os.path.realpath(folder)) in seen:
                below.clear()
                continue
            seen.add(place)
            below[:] = sorted(name for name in below if not name.startswith("."))
            yield Path(folder), False


def _files(folder: Path) -> list[Path]:
    """Return the model files in a folder; none where it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and is_filled(path))
    except OSError:
        return []


def _could_be_yolo(path: Path) -> bool:
    try:
        now = file_version(path)
    except BadModel:
        return False
    return _says_yolo(path, now)


@lru_cache(maxsize=256)
def _says_yolo(path: Path, _: Hashable) -> bool:
    """Return whether a file says that it is YOLO's: by the classes it names, or by one table of finds as its answer.

    Another file at its place, which has another version, is looked into anew; a damaged one is not.
    """
    if path.suffix.lower() == ".pt":
        return is_yolo(path)
    try:
        said = read_onnx(path)
    except BadModel:
        return False
    takes_pictures = any(len(shape) == 4 for shape in said.inputs.values())
    tables = sum(len(shape) == 3 for shape in said.outputs.values())
    return takes_pictures and ("names" in said.metadata or tables == 1)


_KNOWN = {name for one in PUBLISHED.values() for name in one.names} | {
    info.external_file for registry in REGISTRIES for info in registry
}
"""Files that are on offer under names of their own, or of which other models are made."""
