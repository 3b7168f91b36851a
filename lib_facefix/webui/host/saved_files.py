"""Finds the JPEG and WebP files that the host has just written for one image."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from itertools import count, takewhile
from pathlib import Path

from PIL import Image as Pil

KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Kinds of file, in Pillow's words, to which the host adds no other texts than the infotext, by ending."""


def find_saved_files(filename: str, infotexts: Collection[str]) -> Iterator[tuple[Path, str]]:
    """Yield each file with its kind.

    filename: the name under which the host wanted to save. The host adds a number if that name is taken and must not be
    replaced, and may write a smaller JPEG next to a large file. infotexts: what the files hold; any other file under
    such a name is an older one.
    """
    from modules import images

    for path in _names(Path(filename)):
        kind = KINDS.get(path.suffix.lower())
        if kind:
            with Pil.open(path) as image:
                infotext, _ = images.read_info_from_image(image)
            if infotext in infotexts:
                yield path, kind


def _names(wanted: Path) -> Iterator[Path]:
    """Yield the names of files under which the host may have saved: of numbered ones, the last."""
    for path in dict.fromkeys((wanted, wanted.with_suffix(".jpg"))):
        if path.is_file():
            yield path
            numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(1))
            yield from deque(takewhile(Path.is_file, numbered), maxlen=1)
