"""AVIF beyond what Pillow can do: colour tags, and more than 8 bits a sample, which OpenCV reads and writes."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ..errors import BadPicture, CannotWrite
from .bmff import read_container
from .claims import GAIN_MAP
from .heif import from_16_bits, to_16_bits
from .picture import Coding, Metadata

_QUALITY = 95
_SPEED = 6
"""As Pillow's: 0 is slow and small."""
_STEP = 7
"""Every so many rows and columns are compared between two decoders."""
_TOLERANCE = 2
"""Steps of 8 bits by which they may differ: they round colours in their own ways."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What a file says of its colours."""

    nclx: tuple[int, int] | None
    """Primaries and transfer, by their numbers in ITU-T H.273."""
    bits: int
    """Bits of a sample: 8, 10, or 12."""
    said: list[str]
    """Tags that a new file lacks."""


def avif_colours(whole: bytes) -> Colours:
    """Return what a file says of its colours; nothing of one with a damaged list of images."""
    try:
        found = read_container(whole)
    except BadPicture:
        return Colours(None, 8, [])
    said = [GAIN_MAP] if any(item.kind == b"tmap" for item in found.items.values()) else []
    said += [f"Its {found.bits} bits a sample became 8."] if found.bits > 8 and not packs_deep_avif() else []
    return Colours(found.nclx[:2] if found.nclx else None, found.bits, said)


def packs_deep_avif() -> bool:
    """Return whether OpenCV reads and writes AVIF with its metadata, which depends on its version."""
    return hasattr(cv2, "imencodeWithMetadata") and cv2.haveImageWriter(".avif")


def read_deep(picture: Pillow.Image, whole: bytes) -> NDArray[np.uint16] | None:
    """Return (H, W, 3 or 4) samples in the range of 16 bits of a file whose samples have more than 8; None otherwise.

    picture: what Pillow has read of it. Raises BadPicture if OpenCV has read something else.
    """
    bits = avif_colours(whole).bits
    if bits == 8 or not packs_deep_avif():
        return None
    decoded = cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        return None
    if decoded.ndim == 2:
        decoded = cv2.cvtColor(decoded, cv2.COLOR_GRAY2BGR)
    colours: NDArray[np.uint16] = decoded[..., [2, 1, 0, 3][: decoded.shape[2]]].astype(np.uint16, copy=False)
    deep = to_16_bits(colours, bits)
    seen = np.asarray(picture)[::_STEP, ::_STEP]
    ours = (deep[::_STEP, ::_STEP] >> 8).astype(np.int16)
    if deep.shape[1::-1] != picture.size or seen.shape != ours.shape or np.abs(ours - seen).mean() > _TOLERANCE:
        raise BadPicture(f"OpenCV and Pillow read its {bits} bits differently. Save it as PNG with another program")
    return deep


def pack_deep_avif(pixels: NDArray[Any], said: Metadata, coding: Coding, file: BinaryIO) -> None:
    """Write (H, W, 3 or 4) samples of 16 bits as AVIF with `coding.bits` bits. Raises CannotWrite."""
    order = [2, 1, 0, 3][: pixels.shape[2]]
    stored = from_16_bits(np.ascontiguousarray(pixels[..., order]), coding.bits)
    known = (
        (cv2.IMAGE_METADATA_EXIF, said.exif),
        (cv2.IMAGE_METADATA_XMP, said.xmp),
        (cv2.IMAGE_METADATA_ICCP, said.icc),
    )
    kept = [(kind, np.frombuffer(body, np.uint8)) for kind, body in known if body]
    params = [cv2.IMWRITE_AVIF_QUALITY, coding.quality or _QUALITY, cv2.IMWRITE_AVIF_DEPTH, coding.bits]
    params += [cv2.IMWRITE_AVIF_SPEED, _SPEED]
    try:
        kinds, bodies = [kind for kind, _ in kept], [body for _, body in kept]
        _, packed = cv2.imencodeWithMetadata(".avif", stored, kinds, bodies, params)
    except cv2.error as error:
        raise CannotWrite(f"it cannot be packed as AVIF ({error.err}). Choose .png.") from error
    whole = BytesIO(packed.tobytes())
    if said.nclx:
        with_nclx(whole, said.nclx)
    file.write(whole.getbuffer())


def with_nclx(packed: BytesIO, nclx: tuple[int, int]) -> None:
    """Name primaries and transfer in a packed file; the matrix, by which its numbers were made, stays."""
    whole = packed.getvalue()
    for found in re.finditer(rb"colrnclx", whole[: whole.find(b"mdat")]):
        packed.seek(found.end())
        packed.write(struct.pack(">HH", *nclx))
