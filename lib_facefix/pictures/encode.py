"""The kinds of file that Pillow packs well by itself."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from PIL import Image as Pillow

from ..errors import CannotWrite
from .avif import pack_deep_avif, with_nclx
from .exif import PREFIX
from .gain_map import name_in_xmp, put_behind
from .heif import pack_heif
from .jp2 import write_boxes
from .jpeg import gain_map_segment, photoshop_segments, xmp_segment
from .picture import Coding, Metadata, Samples

_QUALITY = 95


_IN_MEMORY = {"JPEG2000", "AVIF"}
"""Packed before any byte is written: OpenJPEG never comes back from a file that takes no more, and both get metadata
that Pillow does not write."""


class _NoDescriptor:
    """A file that Pillow must write to through us: by itself it loses the reason when the disk is full."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write
        self.flush = file.flush
        self.tell = file.tell


def pack(kind: str, pixels: Samples, said: Metadata, coding: Coding, file: BinaryIO) -> None:
    """Write (H, W, 1..4) samples as a file of Pillow's `kind`: 8 bits, for HEIC and AVIF also 16.

    Raises CannotWrite for what does not fit.
    """
    if kind == "HEIF":
        pack_heif(pixels, said, coding, file)
        return
    if pixels.dtype == np.uint16:  # only AVIF is given these
        pack_deep_avif(pixels, said, coding, file)
        return
    picture = _as_pillow(kind, pixels)
    target: Any = BytesIO() if kind in _IN_MEMORY or said.gain_map else _NoDescriptor(file)
    try:
        picture.save(target, format=kind, **_OPTIONS[kind](said, coding))
        if kind == "JPEG2000":
            write_boxes(target.getvalue(), said, file)
        elif said.gain_map:
            file.write(put_behind(target.getvalue(), said.gain_map))
        elif isinstance(target, BytesIO):
            if said.nclx:
                with_nclx(target, said.nclx)
            file.write(target.getbuffer())
    except (OSError, ValueError, OverflowError, struct.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CannotWrite(f"it cannot be packed as {kind} ({error}). Choose .png.") from error


def _as_pillow(kind: str, pixels: Samples) -> Pillow.Image:
    if kind == "GIF":
        return _with_palette(pixels)
    return Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _with_palette(pixels: Samples) -> Pillow.Image:
    """Return the nearest 255 colours, and transparency as one more."""
    alpha = pixels.shape[2] in (2, 4)
    colours = pixels[..., :-1] if alpha else pixels
    rgb = np.ascontiguousarray(np.broadcast_to(colours, (*pixels.shape[:2], 3)))
    picture = Pillow.fromarray(rgb).quantize(255 if alpha else 256)
    if not alpha:
        return picture
    numbers = np.where(pixels[..., -1] == 0, 255, np.asarray(picture)).astype(np.uint8)
    cut = Pillow.fromarray(numbers)
    palette = picture.getpalette() or []
    cut.putpalette(palette + [0] * (768 - len(palette)))
    cut.info["transparency"] = 255
    return cut


def _for_jpeg(said: Metadata, coding: Coding) -> dict[str, Any]:
    packed: dict[str, Any] = {"quality": coding.quality or _QUALITY}
    if coding.tables and not coding.quality:
        packed = {"qtables": [list(table) for table in coding.tables]}
    dpi = {"dpi": tuple(round(dots) for dots in said.dpi)} if said.dpi else {}
    xmp = name_in_xmp(said.xmp, said.gain_map) if said.gain_map else said.xmp
    # the segments may hold further XMP packets, and of several packets the first counts
    extra = photoshop_segments(said.photoshop) + xmp_segment(xmp) + said.segments
    extra += gain_map_segment(said.gain_map.iso) if said.gain_map else b""
    beside = {**packed, **dpi, "subsampling": coding.subsampling, "progressive": coding.progressive}
    return {**beside, **_carry_over(said, "exif", "icc_profile"), "extra": extra}


def _for_webp(said: Metadata, coding: Coding) -> dict[str, Any]:
    lossless = coding.lossless and not coding.quality
    quality = {"lossless": True} if lossless else {"quality": coding.quality or _QUALITY}
    return {**quality, "exact": True, **_carry_over(said, "exif", "icc_profile", "xmp")}


def _for_avif(said: Metadata, coding: Coding) -> dict[str, Any]:
    return {
        "quality": coding.quality or _QUALITY,
        "subsampling": "4:4:4",
        **_carry_over(said, "exif", "icc_profile", "xmp"),
    }


def _for_bmp(said: Metadata, _: Coding) -> dict[str, Any]:
    return {"dpi": said.dpi} if said.dpi else {}


def _plain(_: Metadata, __: Coding) -> dict[str, Any]:
    """Pillow can write no metadata into these."""
    return {}


def _carry_over(said: Metadata, *names: str) -> dict[str, bytes]:
    exif = PREFIX + said.exif if said.exif else b""
    carried = {"exif": exif, "icc_profile": said.icc, "xmp": said.xmp}
    return {name: carried[name] for name in names if carried[name]}


_OPTIONS: dict[str, Callable[[Metadata, Coding], dict[str, Any]]] = {
    "JPEG": _for_jpeg,
    "WEBP": _for_webp,
    "AVIF": _for_avif,
    "BMP": _for_bmp,
    "GIF": _plain,
    "JPEG2000": _plain,
}
