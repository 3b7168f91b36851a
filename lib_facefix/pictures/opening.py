"""Opening a file with Pillow, up to its header: whether it is a picture, one picture, and not too large."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import Image as Pillow

from ..errors import BadPicture
from .formats import FORMATS
from .picture import MAX_PIXELS

_KINDS = (*(kind.name for kind in FORMATS), "MPO")
_lock = threading.Lock()
_before: list[int | None] = []
"""Pillow's own limit, once for each reader that is at work."""


def open_one(file: BinaryIO) -> Pillow.Image:
    """Return the one picture in `file`, not yet decoded. Raises BadPicture, and whatever Pillow raises."""
    picture = _recognised(file)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        size = f"{width} x {height} pixels"
        raise BadPicture(
            f"it is too large: {size}, and at most {MAX_PIXELS // 10**6} million are read. Make it smaller"
        )
    count = getattr(picture, "n_frames", 1)
    if picture.format != "MPO" and count > 1:
        pages = "pages" if picture.format == "TIFF" else "frames of an animation"
        raise BadPicture(f"it holds {count} {pages}, and one is wanted. Save each as a file of its own")
    return picture


@contextmanager
def raised_limit() -> Iterator[None]:
    """Let Pillow decode all that we do not refuse, without a warning.

    Pillow has one limit for the whole process, so it is raised to ours while any picture is being read here,
    and the last reader puts back what the first one found. Others at work meanwhile see a higher limit, never
    none.
    """
    with _lock:
        _before.append(Pillow.MAX_IMAGE_PIXELS if not _before else _before[0])
        Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        yield
    finally:
        with _lock:
            Pillow.MAX_IMAGE_PIXELS = _before[0]
            _before.pop()
            if _before:
                Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS


def _recognised(file: BinaryIO) -> Pillow.Image:
    """Open as Pillow's `open` does, but only our kinds, and without its check of the size, which may warn."""
    Pillow.init()
    start = file.read(16)
    for kind in _KINDS:
        factory, accept = Pillow.OPEN.get(kind, (None, None))
        if factory is not None and accept is not None and accept(start) is True:
            file.seek(0)
            return factory(file, "")
    offer = ", ".join(kind.name for kind in FORMATS)
    raise BadPicture(f"it is no picture, or of a kind that is not read here. Choose one of {offer}")
