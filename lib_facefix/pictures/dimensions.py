"""The size of a picture by its header alone, for those who plan work before they read."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from ..errors import BadPicture
from .bmff import is_heif
from .read import explain_faults, open_known
from .tiff_header import directories, is_tiff

_WIDTH, _HEIGHT = 256, 257
"""Tags of a TIFF file."""


def read_dimensions(path: Path) -> tuple[int, int] | None:
    """Return width and height in pixels; the height is that of all frames together for an animation.

    Of a TIFF file, which is read page by page, it is the largest page. None if the header does not tell, or if the file
    cannot be read: no error is raised.
    """
    if not path.is_file():  # opening a pipe may wait for ever
        return None
    try:
        with path.open("rb") as file, explain_faults(file, str(path)):
            return _read(file)
    except (BadPicture, OSError):
        return None


def _read(file: BinaryIO) -> tuple[int, int] | None:
    start = file.read(64)
    if is_tiff(start):
        sizes = ((page.number(_WIDTH), page.number(_HEIGHT)) for page in directories(file))
        return max(sizes, key=lambda size: size[0] * size[1])
    if is_heif(start):
        return None
    with open_known(file) as opened:
        frames = 1 if opened.format == "MPO" else getattr(opened, "n_frames", 1)
        return opened.size[0], opened.size[1] * frames
