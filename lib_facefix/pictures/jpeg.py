"""What JPEG keeps beside its pixels, and how they were packed."""

import struct

from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from .picture import Coding

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_HAS_A_FIELD = (b"JFIF\0", b"JFXX\0", b"Exif\0", _XMP, b"ICC_PROFILE\0", b"MPF\0", b"Adobe\0")


def coding_of(picture: JpegImageFile) -> Coding:
    """Return how the file was packed. Sampling that Pillow cannot write is told as the better 4:4:4."""
    tables = tuple(tuple(table) for _, table in sorted(picture.quantization.items()))
    progressive = bool(picture.info.get("progressive"))
    return Coding(tables, max(0, get_sampling(picture)), progressive, lossless=False)


def xmp_of(picture: JpegImageFile) -> bytes:
    """Return the XMP packet, or nothing."""
    packets = [body[len(_XMP) :] for kind, body in picture.applist if kind == "APP1" and body.startswith(_XMP)]
    return bytes(packets[0]) if packets else b""


def segments_of(picture: JpegImageFile) -> bytes:
    """Return the segments that are kept as they are: all but those with a field of their own.

    The index of an MPO goes too: only its first picture is written.
    """
    kept = [(kind, body) for kind, body in picture.applist if not body.startswith(_HAS_A_FIELD)]
    return b"".join(_segment(kind, body) for kind, body in kept)


def xmp_segment(xmp: bytes) -> bytes:
    """Return `xmp` as a segment; one that is too long for JPEG is left out."""
    body = _XMP + xmp
    return _segment("APP1", body) if xmp and len(body) < 0xFFFE else b""


def _segment(kind: str, body: bytes) -> bytes:
    marker = 0xFE if kind == "COM" else 0xE0 + int(kind.removeprefix("APP"))
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
