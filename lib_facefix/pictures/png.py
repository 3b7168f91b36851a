"""PNG written by ourselves: Pillow knows no 16-bit colours and rewrites what it carries; OpenCV carries nothing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import CannotWrite
from .bands import bands
from .picture import Chunk, Metadata, Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_COLOUR = {b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi"}
_TEXT = {b"tEXt", b"zTXt", b"iTXt"}
_XMP = b"XML:com.adobe.xmp"
_COMPRESSION = 6

Bytes = NDArray[np.uint8]


def chunks_of(file: BinaryIO) -> Iterator[Chunk]:
    """Yield the chunks of a PNG file, but not its pixels."""
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            file.seek(size, 1)
        else:
            yield kind, file.read(size)
        file.seek(4, 1)


def lasting(chunks: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """Return the chunks that stay true when pixels change.

    By PNG's own rule: the lower case of a kind's fourth letter says so. What tells of colours does too, as
    pixel values keep their meaning.
    """
    return tuple((kind, body) for kind, body in chunks if kind in _COLOUR or (kind[0] & 32 and kind[3] & 32))


def write_png(pixels: Samples, metadata: Metadata, text: Mapping[str, str], file: BinaryIO) -> None:
    """Write (H, W, 1..4) samples of 8 or 16 bits."""
    height, width, channels = pixels.shape
    header = (width, height, 8 * pixels.itemsize, _COLOUR_TYPES[channels], 0, 0, 0)
    file.write(SIGNATURE)
    _put(file, (b"IHDR", struct.pack(">IIBBBBB", *header)))
    for chunk in _said(metadata, text):
        _put(file, chunk)
    for piece in _compressed(pixels):
        _put(file, (b"IDAT", piece))
    _put(file, (b"IEND", b""))


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


def _said(metadata: Metadata, text: Mapping[str, str]) -> list[Chunk]:
    replaced = {key.encode("latin_1", "replace") for key in text}
    chunks = list(metadata.chunks or _translated(metadata))
    kept = [(kind, body) for kind, body in chunks if kind not in _TEXT or body.split(b"\0", 1)[0] not in replaced]
    return kept + [text_chunk(*field) for field in text.items()]


def _translated(metadata: Metadata) -> Iterator[Chunk]:
    """Yield what another kind of file said, in PNG's words."""
    if metadata.icc:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)
    if metadata.dpi:
        yield b"pHYs", struct.pack(">IIB", *(round(dots / 0.0254) for dots in metadata.dpi), 1)
    if metadata.exif:
        yield b"eXIf", metadata.exif
    if metadata.xmp:
        yield b"iTXt", _XMP + b"\0\0\0\0\0" + metadata.xmp


def _put(file: BinaryIO, chunk: Chunk) -> None:
    kind, body = chunk
    file.write(struct.pack(">I", len(body)) + kind)
    file.write(body)
    file.write(struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))))


def _compressed(pixels: Samples) -> Iterator[bytes]:
    step = pixels.shape[2] * pixels.itemsize
    packer = zlib.compressobj(_COMPRESSION)
    above = np.zeros(pixels.shape[1] * step, np.uint8)
    for rows in bands(pixels, bytes_each=1 << 19):
        plain = rows.astype(rows.dtype.newbyteorder(">")).reshape(len(rows), -1).view(np.uint8)
        yield packer.compress(_filtered(plain, above, step).tobytes())
        above = plain[-1]
    yield packer.flush()


def _filtered(rows: Bytes, above: Bytes, step: int) -> Bytes:
    """Return each row as the smallest of PNG's five differences, its number before it."""
    up = np.vstack([above, rows[:-1]])
    left, corner = (np.pad(rows[:, :-step], [(0, 0), (step, 0)]) for rows in (rows, up))
    mean = ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
    guesses = [np.zeros_like(rows), left, up, mean, _paeth(left, up, corner)]
    differences = np.stack([rows - guess for guess in guesses])
    cost = np.minimum(differences, -differences).sum(axis=2, dtype=np.int64)
    best = cost.argmin(axis=0)
    return np.hstack([best.astype(np.uint8)[:, None], differences[best, np.arange(len(rows))]])


def _paeth(left: Bytes, up: Bytes, corner: Bytes) -> Bytes:
    a, b, c = (side.astype(np.int16) for side in (left, up, corner))
    to_left, to_up, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest)
