"""Writing pictures that the program itself has drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image as Pil

from ..drawing import Pair, before_after
from ..faces import Image
from ..pictures import atomic_write, check_writable

FORMATS = {".jpg": "JPEG", ".tif": "TIFF"}
"""Pillow's names where they are not the suffix itself."""


def write_sheet(pairs: Sequence[Pair], path: Path) -> None:
    """Write the before/after sheet of some pictures."""
    write_drawing(before_after(pairs), path)


def write_drawing(image: Image, path: Path) -> None:
    """Write a drawn picture in the format of its suffix, whole or not at all."""
    check_writable(path)
    suffix = path.suffix.lower()
    form = FORMATS.get(suffix, suffix[1:].upper())
    options = {"quality": 92} if form in ("JPEG", "WEBP") else {}
    atomic_write(path, lambda file: Pil.fromarray(image).save(file, form, **options))
