"""TIFF written by ourselves: Pillow knows no 16-bit colours, OpenCV carries no metadata."""

import zlib
from typing import BinaryIO

import numpy as np
from PIL.TiffImagePlugin import IFDRational

from .exif import ICC, PHOTOSHOP, XMP, directory
from .picture import Metadata, Samples
from .strips import bands

_DEFLATE, _DIFFERENCES, _INCHES = 8, 2, 2
_SHORT, _LONG, _BYTE, _UNDEFINED = 3, 4, 1, 7


def write_tiff(pixels: Samples, metadata: Metadata, turn: int, file: BinaryIO) -> None:
    """Write (H, W, 1..4) samples of 8 or 16 bits, compressed without loss. turn: their orientation, as in EXIF."""
    strips = [_strip(rows) for rows in bands(pixels, bytes_each=1 << 18)]
    tags = directory(metadata.exif)
    layout = _layout(pixels, [len(strip) for strip in strips])
    for tag, (kind, value) in {**_colours(metadata), **layout, 274: (_SHORT, turn)}.items():
        tags.tagtype[tag] = kind
        tags[tag] = value
    if metadata.dpi and 282 not in tags:
        tags[282], tags[283], tags[296] = (*(IFDRational(round(dots * 1000), 1000) for dots in metadata.dpi), _INCHES)
    tags.save(file)
    for strip in strips:
        file.write(strip)


def _layout(pixels: Samples, sizes: list[int]) -> dict[int, tuple[int, object]]:
    height, width, channels = pixels.shape
    alpha = channels in (2, 4)
    rows = len(next(bands(pixels, bytes_each=1 << 18)))
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    tags: dict[int, tuple[int, object]] = {
        256: (_LONG, width),
        257: (_LONG, height),
        258: (_SHORT, (8 * pixels.itemsize,) * channels),
        259: (_SHORT, _DEFLATE),
        262: (_SHORT, 1 if channels < 3 else 2),
        273: (_LONG, tuple(starts)),  # Pillow adds where the strips begin
        277: (_SHORT, channels),
        278: (_LONG, rows),
        279: (_LONG, tuple(sizes)),
        284: (_SHORT, 1),
        317: (_SHORT, _DIFFERENCES),
    }
    return {**tags, 338: (_SHORT, (2,))} if alpha else tags


def _colours(metadata: Metadata) -> dict[int, tuple[int, object]]:
    said = {
        ICC: (_UNDEFINED, metadata.icc),
        XMP: (_BYTE, metadata.xmp),
        PHOTOSHOP: (_BYTE, metadata.photoshop),
    }
    return {tag: (kind, body) for tag, (kind, body) in said.items() if body}


def _strip(rows: Samples) -> bytes:
    differences = np.diff(rows, axis=1, prepend=np.zeros_like(rows[:, :1]))
    return zlib.compress(differences.astype(differences.dtype.newbyteorder("<")).tobytes())
