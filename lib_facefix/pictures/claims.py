"""What a file says of its old pixels, or of data that stood beside them, and that would be false in a new file.

A video behind a JPEG is not written anew, so XMP must not promise it. (A gain map is, and is promised anew.) A
signature (C2PA) was for the old pixels. A thumbnail shows the old face. Each is taken out, and said.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

SIGNED = "Its Content Credentials (C2PA) were left out: they were signed for the old image."
SIGNED_ELSEWHERE = "Its link to Content Credentials (C2PA) on a server was left out: they are of the old image."
GAIN_MAP = "Its HDR gain map was left out."
VIDEO = "Its video (motion photo) was left out."
FURTHER = "Further images in the file (such as a depth map) were left out."
BEHIND = "Data behind the image in the file was left out."
LAYERS = "Its Photoshop layers were left out: they show the old image."
PRINTED = "Its print colours (CMYK) became sRGB."
REGIONS = "Places in its XMP (face regions, subject) were left out: the result is turned."

_FALSE = (
    (rb"http://ns\.google\.com/photos/1\.0/container/", rb"Directory", None),
    (rb"http://ns\.google\.com/photos/1\.0/camera/", rb"(?:MotionPhoto|MicroVideo)\w*", VIDEO),
    (rb"http://ns\.adobe\.com/hdr-gain-map/1\.0/", rb"\w+", GAIN_MAP),
    (rb"http://ns\.apple\.com/HDRGainMap/1\.0/", rb"\w+", GAIN_MAP),
    (rb"http://purl\.org/dc/terms/", rb"provenance", None),
    (rb"http://ns\.adobe\.com/xap/1\.0/", rb"Thumbnails", None),
)
"""Namespace, names in it, and the sentence that goes with them."""
_PLACES = (
    (rb"http://www\.metadataworkinggroup\.com/schemas/regions/", rb"Regions"),
    (rb"http://ns\.microsoft\.com/photo/1\.2/", rb"RegionInfo"),
    (rb"http://iptc\.org/std/Iptc4xmpExt/2008-02-29/", rb"ImageRegion"),
    (rb"http://ns\.adobe\.com/exif/1\.0/", rb"Subject(?:Area|Location)"),
)
_THUMBNAILS = (0x0409, 0x040C)
_IPTC = 0x0404
_C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_LINK = re.compile(rb":provenance\b[^<>\"']{0,99}[\"'>]\s*https?://")
"""A link to Content Credentials on a server; others name a place in the file."""
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def true_xmp(xmp: bytes) -> tuple[bytes, list[str]]:
    """Return `xmp` without claims that a new file would not keep, and sentences for what they were about."""
    said = [SIGNED_ELSEWHERE] if _LINK.search(xmp) else []
    for space, names, sentence in _FALSE:
        shorter = _without(xmp, space, names)
        if sentence and shorter != xmp:
            said.append(sentence)
        xmp = shorter
    return _tidy(xmp), said


def _tidy(xmp: bytes) -> bytes:
    """Return `xmp` without names for namespaces of false claims that nothing uses any more."""
    for space, _, _ in _FALSE:
        for name, prefix in re.findall(rb"(\sxmlns:([\w.-]+)\s*=\s*[\"']" + space + rb"[\"'])", xmp):
            if not re.search(rb"[\s</]" + re.escape(prefix) + rb":", xmp):
                xmp = xmp.replace(name, b"")
    return xmp


def without_places(xmp: bytes) -> bytes:
    """Return `xmp` without regions: they are named in coordinates of the stored pixels."""
    for space, names in _PLACES:
        xmp = _without(xmp, space, names)
    return xmp


def _without(xmp: bytes, space: bytes, names: bytes) -> bytes:
    """Return `xmp` without the properties of a namespace that have one of `names`."""
    for prefix in set(re.findall(rb"xmlns:([\w.-]+)\s*=\s*[\"']" + space + rb"[\"']", xmp)):
        name = re.escape(prefix) + rb":" + names
        shorter = re.sub(rb"\s" + name + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", xmp)
        shorter = re.sub(rb"<(" + name + rb")(?:\s[^>]*)?(?<!/)>.*?</\1\s*>", b"", shorter, flags=re.DOTALL)
        shorter = re.sub(rb"<" + name + rb"(?:\s[^>]*)?/>", b"", shorter)
        xmp = shorter
    return xmp


def without_thumbnails(resources: bytes) -> bytes:
    """Return Photoshop's image resources without pictures of the old pixels; as they are if they cannot be parsed."""
    parts = list(_resources(resources))
    if sum(len(body) for _, body in parts) != len(resources) or not any(kind in _THUMBNAILS for kind, _ in parts):
        return resources
    return b"".join(body for kind, body in parts if kind not in _THUMBNAILS)


def has_iptc(resources: bytes) -> bool:
    """Tell whether Photoshop's image resources hold an IPTC record."""
    return any(kind == _IPTC for kind, _ in _resources(resources))


def with_iptc(resources: bytes, iptc: bytes) -> bytes:
    """Return Photoshop's image resources with an IPTC record, unless they have one."""
    if not iptc or has_iptc(resources):
        return resources
    return b"8BIM" + struct.pack(">HHI", _IPTC, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2) + resources


def _resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and all the bytes of each resource, as far as they can be parsed."""
    at = 0
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        number, letters = struct.unpack_from(">HB", block, at + 4)
        head = at + 6 + (letters + 2 & ~1)
        if head + 4 > len(block):
            return
        stop = head + 4 + (struct.unpack_from(">I", block, head)[0] + 1 & ~1)
        yield number, block[at:stop]
        at = stop


def behind_jpeg(whole: bytes, kept: bytes = b"") -> list[str]:
    """Return sentences for what a file holds behind its (first) JPEG picture. kept: a part of this that is kept."""
    rest = whole[end_of_jpeg(whole) :]
    if kept:
        before, _, after = rest.partition(kept)
        rest = before + after
    if b"ftyp" in rest[:4096] or b"MotionPhoto_Data" in rest:
        return [VIDEO]
    if rest[:2] == b"\xff\xd8":
        gain_map = b"hdr-gain-map" in rest or b"HDRGainMap" in rest or b"iso:ts:21496" in rest
        return [GAIN_MAP if gain_map else FURTHER, *([VIDEO] if b"ftypmp4" in rest else [])]
    return [BEHIND] if rest.strip(b"\0\xff\xd9\r\n") else []


def end_of_jpeg(whole: bytes) -> int:
    """Return the position behind the end of the JPEG with which some bytes begin."""
    at = 2
    while found := _MARKER.search(whole, at):
        kind, at = whole[found.start() + 1], found.end()
        if kind == 0xD9:
            return at
        if kind not in (0x01, 0xD8) and at + 2 <= len(whole):
            at += struct.unpack_from(">H", whole, at)[0]
    return len(whole)


def is_signed(kind: str, whole: bytes) -> bool:
    """Tell whether a WebP, AVIF or JPEG 2000 file carries Content Credentials."""
    if kind == "WEBP":
        return any(name == b"C2PA" for name, _ in riff_chunks(whole))
    return kind in ("AVIF", "HEIF", "JPEG2000") and any(
        name == b"jumb" or (name == b"uuid" and body[:16] == _C2PA_BOX) for name, body in boxes(whole)
    )


def riff_chunks(whole: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the kind of each chunk of a WebP file, and the position of its content."""
    at = 12
    while at + 8 <= len(whole):
        yield whole[at : at + 4], at + 8
        at += 8 + (struct.unpack_from("<I", whole, at + 4)[0] + 1 & ~1)


def boxes(whole: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the content of each box of an AVIF or JPEG 2000 file, or of a box that holds others."""
    at = 0
    while at + 8 <= len(whole):
        size, kind = struct.unpack_from(">I4s", whole, at)
        head = 8
        if size == 1 and at + 16 <= len(whole):
            [size] = struct.unpack_from(">Q", whole, at + 8)
            head = 16
        stop = at + size if size else len(whole)
        if stop < at + head:
            return
        yield kind, whole[at + head : stop]
        at = stop
