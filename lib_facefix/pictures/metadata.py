"""What a file says about its picture, taken out of it.

Not kept: the thumbnail of the old faces (EXIF), the further pictures of an MPO, PNG chunks that by PNG's own
rule do not outlive a change of pixels (such as the time of the last one).
"""

from __future__ import annotations

import re

from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from .colours import profile_after
from .exif import PREFIX, orientation, upright
from .jpeg import segments_of, xmp_of
from .picture import Chunk, Metadata
from .png import lasting

_TURNED_XMP = re.compile(rb"(tiff:Orientation(?:=[\"']|>)\s*)[2-8]")


def metadata_of(picture: Pillow.Image, chunks: tuple[Chunk, ...]) -> tuple[int, Metadata]:
    """Return how `picture`, which is loaded, must be turned, and what is to be kept of what it says.

    chunks: those of a PNG.
    """
    exif = bytes(picture.info.get("exif") or b"").removeprefix(PREFIX)
    said = Metadata(
        exif=upright(exif),
        icc=profile_after(picture.mode, picture.info.get("icc_profile") or b""),
        xmp=_upright_xmp(_xmp(picture)),
        dpi=_dpi(picture),
        text=dict(picture.text) if isinstance(picture, PngImageFile) else {},
        chunks=tuple(_upright_chunk(chunk) for chunk in lasting(chunks)),
        segments=segments_of(picture) if isinstance(picture, JpegImageFile) else b"",
    )
    return orientation(exif), said


def _xmp(picture: Pillow.Image) -> bytes:
    if isinstance(picture, JpegImageFile):
        return xmp_of(picture)
    if isinstance(picture, PngImageFile):
        return str(picture.text.get("XML:com.adobe.xmp", "")).encode()
    return bytes(picture.info.get("xmp") or b"")


def _dpi(picture: Pillow.Image) -> tuple[float, float] | None:
    across, down = picture.info.get("dpi") or (0, 0)
    return (float(across), float(down)) if across > 0 and down > 0 else None


def _upright_xmp(xmp: bytes) -> bytes:
    return _TURNED_XMP.sub(rb"\g<1>1", xmp)


def _upright_chunk(chunk: Chunk) -> Chunk:
    kind, body = chunk
    change = {b"eXIf": upright, b"iTXt": _upright_xmp}.get(kind)
    return (kind, change(body)) if change else chunk
