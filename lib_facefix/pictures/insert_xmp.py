"""Puts XMP into a finished JPEG or WebP file, byte for byte: pixels are never decoded, and all else stays."""

from __future__ import annotations

import io
import struct

from PIL import Image as Pil
from PIL import UnidentifiedImageError

from ..errors import BadPicture
from .claims import riff_chunks
from .jpeg import MOST_XMP, XMP_START, xmp_segment

KINDS = ("JPEG", "WEBP")
"""Kinds of file that XMP can be inserted into, in Pillow's words."""
_START_OF_IMAGE, _ENDS, _APP1 = b"\xff\xd8", (0xD9, 0xDA), 0xE1
_HEADS = range(0xE0, 0xE3)
"""JPEG's segments for JFIF, EXIF and XMP, and the profile, behind which new XMP may stand."""
_RIFF = "<4sI"
_XMP_FLAG, _ALPHA_FLAG = 0x04, 0x10
"""Flags of WebP's extended header."""


def insert_xmp(content: bytes, kind: str, xmp: bytes) -> bytes:
    """Return the file with this XMP packet in place of its own.

    content: the bytes of the file. kind: of its format, in Pillow's words. Raises `BadPicture` for other kinds, damaged
    files, and packets that are too long for a JPEG.
    """
    if kind not in KINDS:
        raise BadPicture(f"XMP cannot be inserted into {kind} files. Supported formats: {', '.join(KINDS)}")
    if kind == "JPEG" and len(xmp) > MOST_XMP:
        raise BadPicture(f"the XMP has {len(xmp)} bytes, but a JPEG has room for {MOST_XMP}")
    try:
        return (_into_jpeg if kind == "JPEG" else _into_webp)(content, xmp)
    except (struct.error, IndexError, UnidentifiedImageError) as error:
        raise BadPicture(f"the file is damaged ({error}). Copy or download it again") from error


def _into_jpeg(content: bytes, xmp: bytes) -> bytes:
    """Insert it behind the segments that programs look for first."""
    parts, at, place = [_START_OF_IMAGE], 2, 1
    if content[:2] != _START_OF_IMAGE:
        raise BadPicture("the file is damaged (it is no JPEG). Copy or download it again")
    while content[at] == 0xFF and content[at + 1] not in _ENDS:
        kind, size = struct.unpack_from(">BH", content, at + 1)
        segment = content[at : at + 2 + size]
        if kind != _APP1 or not segment[4:].startswith(XMP_START):
            parts.append(segment)
            place = len(parts) if kind in _HEADS and len(parts) == place + 1 else place
        at += 2 + size
    return b"".join((*parts[:place], xmp_segment(xmp), *parts[place:], content[at:]))


def _into_webp(content: bytes, xmp: bytes) -> bytes:
    """Append it as the last chunk; a file without the extended header that announces it gets one."""
    if content[8:12] != b"WEBP":
        raise BadPicture("the file is damaged (it is no WebP). Copy or download it again")
    chunks = []
    for name, at in riff_chunks(content):
        [size] = struct.unpack_from("<I", content, at - 4)
        chunks.append([name, content[at : at + size]])
        if at + size > len(content):
            raise BadPicture("the file is cut off. Copy or download it again")
    if chunks[0][0] != b"VP8X":
        chunks.insert(0, [b"VP8X", _extended_header(content)])
    header = chunks[0][1]
    chunks[0][1] = bytes([header[0] | _XMP_FLAG]) + header[1:]
    chunks = [[name, body] for name, body in chunks if name != b"XMP "] + [[b"XMP ", xmp]]
    packed = b"".join(struct.pack(_RIFF, name, len(body)) + body + b"\0" * (len(body) % 2) for name, body in chunks)
    return struct.pack(_RIFF, b"RIFF", len(packed) + 4) + b"WEBP" + packed


def _extended_header(content: bytes) -> bytes:
    """Return the content of the header for a simple file: its flags, and both sides less one, 24 bit each."""
    with Pil.open(io.BytesIO(content)) as image:
        (width, height), flags = image.size, _ALPHA_FLAG if "A" in image.mode else 0
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return bytes([flags, 0, 0, 0]) + sides
