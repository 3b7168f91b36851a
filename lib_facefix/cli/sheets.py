"""Writing pictures that the program itself has drawn."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pil

from ..fsio import atomic_write
from ..pictures import format_for
from ..types import Image


def write_drawing(image: Image, path: Path) -> None:
    """Write a drawn picture in the format of its suffix, whole or not at all."""
    form = format_for(path).name
    options = {"quality": 92} if form in ("JPEG", "WEBP") else {}
    atomic_write(path, lambda file: Pil.fromarray(image).save(file, form, **options))
