"""Licences of weights that the user has accepted, as one small file in the folder for downloads.

A licence counts as accepted if its name and notice, as they were shown, are in the file of one of the model folders.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..fsio import atomic_write
from .model_paths import ModelPaths
from .published import Published

FILE = "accepted-licences.json"
VERSION = 1
MAX_BYTES = 1 << 20
"""Largest file that is read, in bytes. All licences together take a few kilobytes."""


def is_accepted(record: Published, paths: ModelPaths) -> bool:
    """Return whether weights may be used without asking: their licence allows every use, or the user accepted it."""
    return record.free or any(_describes(entry, record) for folder in paths.folders for entry in _read(folder))


def accept_licences(records: Iterable[Published], paths: ModelPaths) -> None:
    """Note that the user has accepted the licences of these weights; raises `CannotWrite`."""
    kept = list(_read(paths.own))
    new = [record for record in records if not record.free and not is_accepted(record, paths)]
    if not new:
        return
    entries = [{"file": one.name, "licence": one.licence, "notice": one.notice} for one in new]
    text = json.dumps({"version": VERSION, "accepted": [*kept, *entries]}, indent=2)
    atomic_write(paths.own / FILE, lambda file: file.write(text.encode()))


def _describes(entry: Any, record: Published) -> bool:
    return isinstance(entry, dict) and (entry.get("licence"), entry.get("notice")) == (record.licence, record.notice)


def _read(folder: Path) -> Iterator[Any]:
    """Yield the entries of a folder's file; none if it is missing, damaged, or of another version."""
    try:
        with (folder / FILE).open("rb") as file:
            kept = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(kept, dict) and kept.get("version") == VERSION and isinstance(kept.get("accepted"), list):
        yield from kept["accepted"]
