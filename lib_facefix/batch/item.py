"""One image of a batch, and what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL.Image import Image as Pillow

from ..pictures import Picture
from ..planning.plan import FixResult
from .preview import Preview


@dataclass(slots=True)
class Item:
    """One image on its way through the three stages of a batch."""

    path: Path
    target: Path
    record: dict[str, Any]
    """As written by `--report`."""
    content: bytes = b""
    """The image file, if it was read before, and then its result, if it is kept; blank: `path` is to be read."""
    stamp: tuple[int, int] | None = None
    """Size and time, or version, of the image when it was read."""
    picture: Picture | None = None
    result: FixResult | None = None
    changed: bool = False
    """Whether `content` is a result in which a face was fixed, or an enlarged one."""
    preview: Preview | None = None
    """Small pictures for a gallery, if wanted."""
    before: str = ""
    """What FaceFix did to the image in an earlier run, if it must not be done twice."""
    has_pages: bool = False
    """True for a file of several pages or frames, which the second stage also writes."""
    lines: list[str] = field(default_factory=list)
    """What to tell the person of the pages."""
    strips: list[Pillow] = field(default_factory=list)
    """What the pages add to a before/after sheet."""
