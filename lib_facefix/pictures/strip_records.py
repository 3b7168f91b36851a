"""Takes the record of edits out of a file, byte for byte: pixels are never decoded, and all else stays.

Taken out are Content Credentials (C2PA), generation parameters, and what a function takes out of the XMP.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from ..errors import BadPicture
from .claims import riff_chunks
from .exif import PREFIX, SIGNATURE, XMP
from .jpeg import XMP_START
from .picture import PARAMETERS, RAW_XMP_FIELD, XMP_FIELD
from .png import SIGNATURE as PNG_START
from .png import parse_raw_profile

KINDS = ("JPEG", "PNG", "WEBP", "TIFF")
"""Kinds of file that can be stripped, in Pillow's words."""
TEXTS = (PARAMETERS, "postprocessing", "extras")
"""PNG's text fields in which WebUIs write how an image was made."""
CleanXmp = Callable[[bytes], bytes]
"""Returns an XMP packet without the record; nothing if nothing else is in it."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of each type of TIFF value."""
_EXIF, _COMMENT = 0x8769, 0x9286
_WEBP_XMP_FLAG = 0x04


def strip_records(content: bytes, kind: str, clean: CleanXmp) -> bytes:
    """Return the file without its record. kind: of its format, in Pillow's words. Raises BadPicture for other kinds."""
    if kind not in KINDS:
        raise BadPicture(f"{kind} files cannot be stripped. Supported formats: {', '.join(KINDS)}")
    strip = {"JPEG": _strip_jpeg, "PNG": _strip_png, "WEBP": _strip_webp, "TIFF": _strip_tiff}[kind]
    try:
        return strip(content, clean)
    except (struct.error, zlib.error, IndexError) as error:
        raise BadPicture(f"the file is damaged ({error}). Copy or download it again") from error


def _strip_jpeg(content: bytes, clean: CleanXmp) -> bytes:
    parts, at = [content[:2]], 2
    while content[at] == 0xFF and content[at + 1] not in (0xD9, 0xDA):
        kind, size = struct.unpack_from(">BH", content, at + 1)
        body = content[at + 4 : at + 2 + size]
        if kind == 0xE1 and body.startswith(XMP_START):
            packet = clean(body[len(XMP_START) :])
            body = XMP_START + packet if packet else b""
        elif kind == 0xE1 and body.startswith(PREFIX):
            body = PREFIX + _blank_comment(body[len(PREFIX) :])
        elif kind == 0xEB and body.startswith(b"JP"):
            body = b""
        if body or size == 2:
            parts.append(struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body)
        at += 2 + size
    return b"".join((*parts, content[at:]))


def _strip_png(content: bytes, clean: CleanXmp) -> bytes:
    parts, at = [PNG_START], len(PNG_START)
    while at + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        body, old = content[at + 8 : at + 8 + size], content[at : at + 12 + size]
        at += 12 + size
        key = body.split(b"\0", 1)[0]
        if kind == b"caBX" or (kind in (b"tEXt", b"zTXt", b"iTXt") and key.decode("latin_1") in TEXTS):
            continue
        new = body
        if kind == b"eXIf":
            new = _blank_comment(body)
        elif key in (XMP_FIELD, RAW_XMP_FIELD) and kind in (b"tEXt", b"zTXt", b"iTXt"):
            found = _text_of(kind, body)
            found = parse_raw_profile(found.decode("latin_1")) if key == RAW_XMP_FIELD else found
            packet = clean(found)
            if not packet:
                continue
            if packet != found:
                kind, new = b"iTXt", XMP_FIELD + b"\0\0\0\0\0" + packet
        changed = struct.pack(">I4s", len(new), kind) + new + struct.pack(">I", zlib.crc32(kind + new))
        parts.append(old if new == body else changed)
    return b"".join((*parts, content[at:]))


def _text_of(kind: bytes, body: bytes) -> bytes:
    """Return the text of a field of a PNG."""
    _, rest = body.split(b"\0", 1)
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return zlib.decompress(rest[1:])
    text = rest[2:].split(b"\0", 2)[2]
    return zlib.decompress(text) if rest[0] else text


def _strip_webp(content: bytes, clean: CleanXmp) -> bytes:
    parts, has_xmp = [], False
    for name, at in riff_chunks(content):
        [size] = struct.unpack_from("<I", content, at - 4)
        body = content[at : at + size]
        if name == b"XMP ":
            body = clean(body)
            has_xmp = bool(body)
        elif name == b"EXIF":
            start = len(PREFIX) if body.startswith(PREFIX) else 0
            body = body[:start] + _blank_comment(body[start:])
        if name != b"C2PA" and (body or name != b"XMP "):
            parts.append([name, body])
    for part in parts:
        if part[0] == b"VP8X" and not has_xmp:
            part[1] = bytes([part[1][0] & ~_WEBP_XMP_FLAG]) + part[1][1:]
    chunks = b"".join(name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for name, body in parts)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _strip_tiff(content: bytes, clean: CleanXmp) -> bytes:
    if content[:4] not in (b"II*\0", b"MM\0*"):
        raise BadPicture("BigTIFF files cannot be stripped. Save it as TIFF first")
    block = bytearray(_blank_comment(content))
    order = _order(block)
    [first] = struct.unpack_from(order + "I", block, 4)
    kept = bytearray()
    entries = list(_entries(block, first))
    for tag, at, start, size in entries:
        packet = clean(bytes(block[start : start + size])) if tag == XMP else b""
        if tag == SIGNATURE or (tag == XMP and not packet):
            block[start : start + size] = bytes(size)
            continue
        if tag == XMP:
            block[start : start + size] = packet.ljust(size)
        kept += block[at : at + 12]
    end = first + 2 + 12 * len(entries)
    directory = struct.pack(order + "H", len(kept) // 12) + bytes(kept) + bytes(block[end : end + 4])
    block[first : end + 4] = directory.ljust(end + 4 - first, b"\0")
    return bytes(block)


def _blank_comment(block: bytes) -> bytes:
    """Return EXIF, or a TIFF file, with zeros for its UserComment."""
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return block
    new, order = bytearray(block), _order(block)
    [first] = struct.unpack_from(order + "I", block, 4)
    for tag, at, _, _ in _entries(block, first):
        if tag == _EXIF:
            [inner] = struct.unpack_from(order + "I", block, at + 8)
            for name, _, start, size in _entries(block, inner):
                if name == _COMMENT and start + size <= len(new):
                    new[start : start + size] = bytes(size)
    return bytes(new)


def _order(block: bytes | bytearray) -> str:
    return "<" if block[:2] == b"II" else ">"


def _entries(block: bytes | bytearray, directory: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the tag, the position, and the place and size of the value of each entry of a directory."""
    order = _order(block)
    [count] = struct.unpack_from(order + "H", block, directory)
    for number in range(count):
        at = directory + 2 + 12 * number
        tag, kind, many, place = struct.unpack_from(order + "HHII", block, at)
        size = _SIZES.get(kind, 1) * many
        yield tag, at, place if size > 4 else at + 8, size
