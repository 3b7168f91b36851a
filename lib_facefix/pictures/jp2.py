"""JPEG 2000's boxes: profile, EXIF, and XMP, which Pillow does not write."""

from __future__ import annotations

import struct
from typing import BinaryIO

from .claims import boxes
from .picture import Metadata

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_PROFILE = 2
"""How a colour box begins that holds a profile."""


def jp2_metadata(whole: bytes) -> Metadata:
    """Return what the boxes of a file say."""
    icc = exif = xmp = b""
    for kind, body in boxes(whole):
        if kind == b"jp2h":
            profiles = [inner[3:] for name, inner in boxes(body) if name == b"colr" and inner[:1] in (b"\2", b"\3")]
            icc = next(iter(profiles), icc)
        elif kind == b"uuid":
            exif = body[16:] if body[:16] == _EXIF else exif
            xmp = body[16:] if body[:16] == _XMP else xmp
    return Metadata(exif=exif.removeprefix(b"Exif\0\0"), icc=icc, xmp=xmp)


def write_boxes(packed: bytes, said: Metadata, file: BinaryIO) -> None:
    """Write a file that Pillow packed, with the metadata in its boxes."""
    before_pixels = b"".join(
        _box(b"uuid", name + body) for name, body in ((_EXIF, said.exif), (_XMP, said.xmp)) if body
    )
    for kind, body in boxes(packed):
        if kind == b"jp2h" and said.icc:
            colour = _box(b"colr", struct.pack(">BBB", _PROFILE, 0, 0) + said.icc)
            body = b"".join(colour if name == b"colr" else _box(name, inner) for name, inner in boxes(body))
        if kind == b"jp2c":
            file.write(before_pixels)
        file.write(_box(kind, body))


def _box(kind: bytes, body: bytes) -> bytes:
    if len(body) + 8 < 1 << 32:
        return struct.pack(">I4s", len(body) + 8, kind) + body
    return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
