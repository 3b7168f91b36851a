"""Gain maps of Ultra HDR JPEGs: found behind the image, and put behind a new one with all that points to them.

A gain map says how much brighter than the image each place of an HDR screen is (ISO 21496-1; Android's Ultra HDR 1.1).
It is small, smooth, and stretched over the image, so it fits a fixed image as it did the old one: light outside faces
stays exactly as it was, and a fixed face is brightened by what the old one was.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO

from PIL.JpegImagePlugin import JpegImageFile

from .claims import end_of_jpeg
from .xmp_packet import EMPTY_PACKET, add_properties, decode_packet, encode_packet

ISO = b"urn:iso:std:iso:ts:21496:-1\0"
"""Start of the segment (APP2) that says there is a gain map."""
_SPACE = b"http://ns.adobe.com/hdr-gain-map/1.0/"
_APPLE = b"http://ns.apple.com/HDRGainMap/1.0/"
_WORDS = (_SPACE, _APPLE, ISO.rstrip(b"\0"))
_CONTAINER = "http://ns.google.com/photos/1.0/container/"
_MOST_SKEW = 0.02
"""Share by which the ratio of its sides may differ from that of the image."""
_SOI = b"\xff\xd8"
_MP_HEAD = b"MPF\0II*\0" + struct.pack("<I", 8)
_MP_TAGS = (
    struct.pack("<HHI4s", 0xB000, 7, 4, b"0100"),
    struct.pack("<HHII", 0xB001, 4, 1, 2),
    struct.pack("<HHII", 0xB002, 7, 32, 8 + 2 + 3 * 12 + 4),
)
_PRIMARY = 0x030000
"""Attribute of the first image of the index (CIPA DC-007): a baseline primary image."""


@dataclass(frozen=True, slots=True)
class GainMap:
    """The gain map of a JPEG."""

    image: bytes
    """A JPEG of its own, with the numbers that explain it."""
    iso: bytes = b""
    """Content of the image's segment about it; empty without one."""
    named: bool = False
    """Whether the XMP of the image names it. Apple's does not."""


def find_gain_map(whole: bytes, picture: JpegImageFile) -> GainMap | None:
    """Return the gain map that the file `whole` of `picture` has, if it fits the image."""
    if not any(word in whole for word in _WORDS):  # most photos: a search takes less than finding the end
        return None
    at = end_of_jpeg(whole)
    while (at := whole.find(_SOI, at)) >= 0:
        image = whole[at : at + end_of_jpeg(whole[at:])]
        if any(word in image[: 1 << 16] for word in _WORDS) and _fits(image, picture.size):
            iso = next((bytes(body) for kind, body in picture.applist if kind == "APP2" and body.startswith(ISO)), b"")
            named = any(kind == "APP1" and _SPACE in body for kind, body in picture.applist)
            return GainMap(image, iso, named)
        at += len(image)
    return None


def _fits(image: bytes, size: tuple[int, int]) -> bool:
    """Tell whether it is a JPEG whose sides have the ratio of the image's."""
    try:
        with JpegImageFile(BytesIO(image)) as opened:
            across, down = opened.size
    except (OSError, SyntaxError, ValueError, struct.error, IndexError, KeyError):
        return False
    slack = _MOST_SKEW * across * size[1] + max(across, down, *size)  # sides are whole numbers
    return bool(abs(across * size[1] - down * size[0]) <= slack)


def name_in_xmp(xmp: bytes, found: GainMap) -> bytes:
    """Return the XMP of an image with the names that its gain map goes by; as it is if it had none."""
    if not found.named:
        return xmp
    items = (
        'Item:Semantic="Primary" Item:Mime="image/jpeg"',
        f'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{len(found.image)}"',
    )
    listed = "".join(f'<rdf:li rdf:parseType="Resource"><Container:Item {item}/></rdf:li>' for item in items)
    spaces = {"hdrgm": _SPACE.decode(), "Container": _CONTAINER, "Item": f"{_CONTAINER}item/"}
    text, encoding = decode_packet(xmp or EMPTY_PACKET.encode())
    inner = f"<Container:Directory><rdf:Seq>{listed}</rdf:Seq></Container:Directory>"
    named = add_properties(text, spaces, inner)
    version = f'xmlns:hdrgm="{spaces["hdrgm"]}"'
    return encode_packet(named.replace(version, f'{version} hdrgm:Version="1.0"', 1), encoding) if named else xmp


def put_behind(primary: bytes, found: GainMap) -> bytes:
    """Return a JPEG with its gain map behind it, and the index (MPF) that says where."""
    at = 2
    while primary[at : at + 1] == b"\xff" and 0xE0 <= primary[at + 1] <= 0xEF:
        at += 2 + int.from_bytes(primary[at + 2 : at + 4], "big")
    size = len(primary) + len(_index(0, 0, 0))
    from_index = size - (at + 8)  # positions are counted from behind "MPF\0"
    return primary[:at] + _index(size, len(found.image), from_index) + primary[at:] + found.image


def _index(size: int, further: int, start: int) -> bytes:
    """Return the segment that lists two images: their sizes, and where the second one starts."""
    body = _MP_HEAD + struct.pack("<H", len(_MP_TAGS)) + b"".join(_MP_TAGS) + bytes(4)
    body += struct.pack("<IIIHH", _PRIMARY, size, 0, 0, 0) + struct.pack("<IIIHH", 0, further, start, 0, 0)
    return struct.pack(">BBH", 0xFF, 0xE2, len(body) + 2) + body
