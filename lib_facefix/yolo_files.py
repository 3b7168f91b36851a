"""The model files that the setting `detector` may name: where they are looked for, and which are on offer.

The folders of other programs for such models are looked into with all that is below them, as ADetailer does. In those
of weights of every kind a file is looked into as well, before it is offered: nothing in it is run.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from functools import lru_cache
from pathlib import Path

from .catalog import CATALOGS
from .detecting import SUFFIXES
from .errors import BadModel
from .loaded import edition
from .weights import PUBLISHED, Shelf, is_yolo, read_onnx
from .weights.files import filled

FOLDERS = ("adetailer", "ultralytics", "yolo")
"""Of YOLO models, below a host's models folder. ADetailer's first: who comes from there has no file to move."""
OWN = ("facefix",)
"""Of weights of every kind."""


def yolo_file(name: str, places: Shelf) -> Path:
    """Return where a model file lies: below the folders of models, or where the path says; raises `BadModel`.

    What was converted from a .pt and lies beside it comes first: it needs no ultralytics.
    """
    wanted = Path(name).expanduser()
    made = wanted.with_suffix(".onnx")
    if wanted.name != name:
        path, converted = wanted if wanted.is_file() else None, made if made.is_file() else None
    else:
        path, converted = (_lying(one.name, places) for one in (wanted, made))
    if path and converted and path.stat().st_mtime > converted.stat().st_mtime:
        converted = None
    if found := converted or path:
        return found
    own = ", ".join(map(str, (places.own, *places.yolo)))
    raise BadModel(
        f"the model file {name} is not here. Without a folder it is looked for in {own}, and in a WebUI's models "
        f"folder in {', '.join(FOLDERS)}; ADetailer's are at https://huggingface.co/Bingsu/adetailer. "
        f"For a file in this folder write ./{wanted.name}."
    )


def yolo_files(places: Shelf) -> tuple[Path, ...]:
    """Return the files that may be named without their folder, by name; weights that have a name on offer are not.

    This reads folders. Of two files of one name the first that `yolo_file` comes to counts.
    """
    found: dict[str, Path] = {}
    for folder, mixed in _folders(places):
        for path in _files(folder):
            if path.name not in found and path.name not in _KNOWN and (not mixed or _could_be_yolo(path)):
                found[path.name] = path
    return tuple(found[name] for name in sorted(found, key=lambda name: (name.casefold(), name)))


def _lying(name: str, places: Shelf) -> Path | None:
    return next((folder / name for folder, _ in _folders(places) if filled(folder / name)), None)


def _folders(places: Shelf) -> Iterator[tuple[Path, bool]]:
    """Yield every folder that is looked into, in this order, and whether weights of every kind lie in it."""
    yield from ((folder, True) for folder in (*places.folders, *places.in_hosts(OWN)))
    for top in (*places.in_hosts(FOLDERS), *places.yolo):
        for folder, below, _ in os.walk(top):  # of what cannot be read, nothing
            below[:] = sorted(name for name in below if not name.startswith("."))
            yield Path(folder), False


def _files(folder: Path) -> list[Path]:
    """Return the model files in a folder; none where it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and filled(path))
    except OSError:
        return []


def _could_be_yolo(path: Path) -> bool:
    try:
        return _says_yolo(path, edition(path))
    except BadModel:
        return False


@lru_cache(maxsize=256)
def _says_yolo(path: Path, _: Hashable) -> bool:
    """Return whether a file says that it is YOLO's: by the classes it names, or by one table of finds as its answer.

    Another file at its place, which has another edition, is looked into anew. Raises `BadModel`.
    """
    if path.suffix.lower() == ".pt":
        return is_yolo(path)
    said = read_onnx(path)
    takes_pictures = any(len(shape) == 4 for shape in said.inputs.values())
    tables = sum(len(shape) == 3 for shape in said.outputs.values())
    return takes_pictures and ("names" in said.metadata or tables == 1)


_KNOWN = {name for one in PUBLISHED.values() for name in one.names} | {
    entry.file for catalog in CATALOGS for entry in catalog
}
"""Files that are on offer under names of their own, or of which other models are made."""
