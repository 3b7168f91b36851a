"""PNG: OpenCV packs the pixels, and we put what the file says before them.

Pillow knows no 16-bit colours and rewrites what it carries; OpenCV carries nothing.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import CannotWrite
from .picture import XMP_FIELD, Chunk, Metadata, Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_COLOUR = {b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi"}
_TEXT = {b"tEXt", b"zTXt", b"iTXt"}
PNG_LEVEL = 1
"""The compression level that takes a sixth of the time of level 6; photos become 10 to 20 % larger than there."""
_TO_BGR = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
_FILTERED = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED)
_QUICKLY: tuple[int, ...] = ()
"""OpenCV's own way: differences within the row, and only repeated bytes are looked for."""
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # since OpenCV 4.12; differences from the row above give smaller files
    _QUICKLY = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
    _QUICKLY += (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)


def chunks_of(file: BinaryIO) -> Iterator[Chunk]:
    """Yield the chunks of a PNG file, but not its pixels."""
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            file.seek(size, 1)
        else:
            yield kind, file.read(size)
        if kind == b"IEND":  # what follows is no part of the PNG
            return
        file.seek(4, 1)


def lasting(chunks: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """Return the chunks that stay true when pixels change.

    By PNG's own rule: the lower case of a kind's fourth letter says so. What tells of colours does too, as
    pixel values keep their meaning.
    """
    return tuple((kind, body) for kind, body in chunks if kind in _COLOUR or (kind[0] & 32 and kind[3] & 32))


def write_png(
    pixels: Samples, metadata: Metadata, text: Mapping[str, str], file: BinaryIO, level: int = PNG_LEVEL
) -> None:
    """Write (H, W, 1..4) samples of 8 or 16 bits. level: 0 (stored) to 9 (smallest), as zlib counts."""
    height, width, channels = pixels.shape
    header = (width, height, 8 * pixels.itemsize, _COLOUR_TYPES[channels], 0, 0, 0)
    file.write(SIGNATURE)
    for chunk in ((b"IHDR", struct.pack(">IIBBBBB", *header)), *metadata_chunks(metadata, text)):
        _put(file, chunk)
    plain: NDArray[Any] = np.ascontiguousarray(pixels)
    if channels == 2:  # OpenCV knows no grey with alpha, but kinds whose pixels have the same bytes
        plain = plain.view(">u2").astype("=u2") if plain.itemsize == 1 else plain.astype(">u2").view(np.uint8)
    if plain.shape[2] > 2:
        plain = cv2.cvtColor(plain, _TO_BGR[plain.shape[2]])
    params = _QUICKLY if level == PNG_LEVEL else (*_FILTERED, cv2.IMWRITE_PNG_COMPRESSION, level)
    try:
        _, packed = cv2.imencode(".png", plain, params)
    except cv2.error as error:
        raise CannotWrite(f"it cannot be packed as PNG ({error.err}). Choose .tif.") from error
    for piece in _pixels_in(packed.ravel().data):
        file.write(piece)
    _put(file, (b"IEND", b""))


def _pixels_in(packed: memoryview) -> Iterator[memoryview]:
    """Yield the chunks of a PNG file that hold its pixels."""
    at = len(SIGNATURE)
    while at < len(packed):
        size, kind = struct.unpack_from(">I4s", packed, at)
        if kind == b"IDAT":
            yield packed[at : at + size + 12]
        at += size + 12


def parse_raw_profile(text: str) -> bytes:
    """Return the profile in a text field of ImageMagick's: a name, a length, and hexadecimal digits; else nothing."""
    words = text.split()
    digits = "".join(words[2:])
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""


def text_chunk(key: str, value: str) -> Chunk:
    """Return one field of text: Latin 1 where that is enough, as the oldest readers know only this."""
    try:
        name = key.encode("latin_1")
    except UnicodeEncodeError:
        name = b""
    if not 1 <= len(name) <= 79 or b"\0" in name:
        raise CannotWrite(f"{key!r} cannot name a PNG text field. Choose 1 to 79 Latin letters.")
    value = value.replace("\0", "")
    try:
        return b"tEXt", name + b"\0" + value.encode("latin_1")
    except UnicodeEncodeError:
        return b"iTXt", name + b"\0\0\0\0\0" + value.encode()


def metadata_chunks(metadata: Metadata, text: Mapping[str, str]) -> list[Chunk]:
    """Return the chunks that say what the metadata says; `text` adds or replaces text fields."""
    replaced = {key.encode("latin_1", "replace") for key in text}
    chunks = list(metadata.chunks or _translate_metadata(metadata))
    kept = [(kind, body) for kind, body in chunks if kind not in _TEXT or body.split(b"\0", 1)[0] not in replaced]
    return kept + [text_chunk(*field) for field in text.items()]


def _translate_metadata(metadata: Metadata) -> Iterator[Chunk]:
    """Yield what another kind of file said, in PNG's words."""
    if metadata.cicp:
        yield b"cICP", metadata.cicp
    if metadata.icc:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)
    if metadata.dpi:
        yield b"pHYs", struct.pack(">IIB", *(round(dots / 0.0254) for dots in metadata.dpi), 1)
    if metadata.exif:
        yield b"eXIf", metadata.exif
    if metadata.xmp:
        yield b"iTXt", XMP_FIELD + b"\0\0\0\0\0" + metadata.xmp


def _put(file: BinaryIO, chunk: Chunk) -> None:
    kind, body = chunk
    file.write(struct.pack(">I", len(body)) + kind)
    file.write(body)
    file.write(struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))))
