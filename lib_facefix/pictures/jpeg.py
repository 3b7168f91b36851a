"""Metadata of JPEG files, and the way their pixels were compressed."""

import struct
from collections.abc import Iterator

from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from .claims import true_xmp
from .gain_map import ISO
from .picture import Coding

XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
"""How the segment with the XMP begins."""
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENDED_HEAD = struct.Struct(">32sII")
"""Identifier of an extended packet, its length, and the place of a part in it (XMP Specification Part 3, 1.1.3.1)."""
_RARE = {0xC3: "lossless JPEG"} | dict.fromkeys((0xC5, 0xC6, 0xC7), "hierarchical JPEG")
"""Kinds of frame, without the bit that says arithmetic coding."""
MOST_XMP = 0xFFFD - len(XMP_START)
MOST_EXIF = 0xFFFD - 6
"""Bytes that fit into one segment."""
_PHOTOSHOP = b"Photoshop 3.0\0"
_HAS_A_FIELD = (b"JFIF\0", b"JFXX\0", b"Exif\0", b"ICC_PROFILE\0", b"MPF\0", b"Adobe\0", _PHOTOSHOP, ISO)
_BOXES = b"JP"
"""How APP11 begins where it holds boxes (JUMBF): a signature, or more pixels; both fit the old pixels only."""


def coding_of(picture: JpegImageFile) -> Coding:
    """Return how the file was compressed. Sampling that Pillow cannot write is reported as the better 4:4:4."""
    tables = tuple(tuple(table) for _, table in sorted(picture.quantization.items()))
    progressive = bool(picture.info.get("progressive"))
    return Coding(tables, max(0, get_sampling(picture)), progressive, lossless=False)


def rare_jpeg(start: bytes) -> str:
    """Return in words what makes a JPEG that starts so one that few programs read; empty if nothing does."""
    at = 2 if start[:2] == b"\xff\xd8" else len(start)
    while at + 5 <= len(start) and start[at] == 0xFF and start[at + 1] not in (0xD9, 0xDA):
        kind, size = struct.unpack_from(">BH", start, at + 1)
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            bits = start[at + 4]
            return f"JPEG of {bits} bits" if bits != 8 else _RARE.get(kind & 0xF7, "")
        if kind == 0xF7:
            return "JPEG-LS"
        at += 2 + size
    return ""


def xmp_of(picture: JpegImageFile) -> bytes:
    """Return the XMP packet, or nothing."""
    packets = (body for kind, body in picture.applist if kind == "APP1" and body.startswith(XMP_START))
    return bytes(next(packets, XMP_START)[len(XMP_START) :])


def further_packets(segments: bytes) -> Iterator[bytes]:
    """Yield the XMP packets in the segments that `segments_of` keeps, those in several parts (extended XMP) joined."""
    at, extended = 0, dict[bytes, list[tuple[int, bytes]]]()
    while at + 4 <= len(segments):
        [size] = struct.unpack_from(">H", segments, at + 2)
        body, at = segments[at + 4 : at + 2 + size], at + 2 + size
        if body.startswith(XMP_START):
            yield body[len(XMP_START) :]
        elif body.startswith(_EXTENDED) and len(body) >= len(_EXTENDED) + _EXTENDED_HEAD.size:
            name, _, place = _EXTENDED_HEAD.unpack_from(body, len(_EXTENDED))
            extended.setdefault(name, []).append((place, body[len(_EXTENDED) + _EXTENDED_HEAD.size :]))
    yield from (b"".join(part for _, part in sorted(parts)) for parts in extended.values())


def segments_of(picture: JpegImageFile) -> bytes:
    """Return the segments that are kept as they are: all but those with a field of their own, or about old pixels.

    The index of an MPO goes too: only its first picture is written. Of several XMP packets, `xmp_of` is the first one.
    """
    kept, packets = [], 0
    for kind, body in picture.applist:
        if body.startswith(XMP_START):
            packets += 1
            if packets > 1:
                kept.append((kind, XMP_START + true_xmp(body[len(XMP_START) :])[0]))
        elif not body.startswith(_HAS_A_FIELD) and not (kind == "APP11" and body.startswith(_BOXES)):
            kept.append((kind, body))
    return b"".join(_segment(kind, body) for kind, body in kept)


def photoshop_of(picture: JpegImageFile) -> bytes:
    """Return Photoshop's image resources, which may take several segments."""
    parts = [body for kind, body in picture.applist if kind == "APP13" and body.startswith(_PHOTOSHOP)]
    return b"".join(bytes(body[len(_PHOTOSHOP) :]) for body in parts)


def is_signed(picture: JpegImageFile) -> bool:
    """Tell whether the file carries Content Credentials."""
    return any(kind == "APP11" and body.startswith(_BOXES) for kind, body in picture.applist)


def has_gain_map(picture: JpegImageFile) -> bool:
    """Tell whether a segment says that there is a gain map."""
    return any(body.startswith(ISO) for _, body in picture.applist)


def photoshop_segments(resources: bytes) -> bytes:
    """Return Photoshop's image resources as segments."""
    step = 0xFFFD - len(_PHOTOSHOP)
    parts = (resources[at : at + step] for at in range(0, len(resources), step))
    return b"".join(_segment("APP13", _PHOTOSHOP + part) for part in parts)


def gain_map_segment(iso: bytes) -> bytes:
    """Return the segment that says that there is a gain map; nothing for an empty one."""
    return _segment("APP2", iso) if iso else b""


def xmp_segment(xmp: bytes) -> bytes:
    """Return `xmp` as a segment; one that is too long for JPEG is left out."""
    return _segment("APP1", XMP_START + xmp) if xmp and len(xmp) <= MOST_XMP else b""


def _segment(kind: str, body: bytes) -> bytes:
    marker = 0xFE if kind == "COM" else 0xE0 + int(kind.removeprefix("APP"))
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
