"""Which files in a folder of images are results of other images, as the journals there say."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..pictures import Found, find_root
from .journal_book import find_books
from .journal_entries import FOLDER
from .journal_lines import AWAY, BESIDE, list_lines


def find_noted(found: Sequence[Found], inputs: Sequence[str]) -> set[str]:
    """Return the paths, without links to folders, of results of other images in the folders that are named.

    These are results beside their images, and those in an output folder inside a folder of images. Who names an output
    folder itself means its files.
    """
    parents = {os.path.dirname(file.name) for file in found}  # noqa: PTH120 - a Path of each file would take memory
    folders = set(map(os.path.realpath, parents))
    noted = set[str]()
    for root in filter(None, map(find_root, inputs)):
        real = os.path.realpath(root)
        noted.update(_list_results(Path(real), (BESIDE,)))
        for place in find_books(real, folders):
            noted.update(_list_results(place, (BESIDE, AWAY) if place.is_relative_to(real) else (BESIDE,)))
    return noted


def _list_results(folder: Path, wanted: Sequence[str]) -> Iterator[str]:
    """Yield the results in these places, seen from their images, that the journals of a folder name."""
    marks = [b'"where":"%s"' % where.encode() for where in wanted]
    for path in filter(Path.is_file, sorted((folder / FOLDER).glob("journal*"))):
        with contextlib.suppress(OSError), path.open("rb") as file:
            for raw in file:
                if any(mark in raw for mark in marks):  # others need not be parsed: there may be 100,000
                    for line in list_lines(raw)[0]:
                        if line.get("where") in wanted and isinstance(line.get("target"), str):
                            yield os.path.join(folder, *line["target"].split("/"))  # noqa: PTH118 - as above
