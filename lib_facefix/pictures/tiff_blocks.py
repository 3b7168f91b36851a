"""The samples of a TIFF page, by its header alone.

Libraries only unpack bytes (libtiff, through Pillow) or single JPEG blocks. Where each sample belongs is decided
here: Pillow and OpenCV misread separate channels, among others, without a word.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ..errors import BadPicture
from .tiff_header import Directory, Layout

Block = NDArray[Any]

_NONE, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS, _LZMA, _ZSTD = 1, 5, 7, 8, 32946, 32773, 34925, 50000
_FAX = {2, 3, 4}
_DIFFERENT = {_LZW, _DEFLATE, _OLD_DEFLATE, _LZMA, _ZSTD}
"""The compressions that may come with a predictor."""
_KNOWN = {_NONE, _PACKBITS, _JPEG} | _DIFFERENT | _FAX
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ADOBE = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"
_TOGETHER = 1 << 22
"""Bytes that are unpacked at once."""


def read_samples(page: Directory, layout: Layout) -> Block:
    """Return (H, W, channels) whole numbers as stored. Raises BadPicture, and what Pillow, zlib and struct raise."""
    _refuse_packing(layout)
    dtype = {8: np.uint8, 16: np.uint16, 32: np.uint32}[max(8, layout.bits)]
    samples = np.empty((layout.height, layout.width, layout.channels), dtype)
    for index, block in enumerate(_blocks(page, layout)):
        plane, place = divmod(index, layout.across * layout.down)
        row, column = divmod(place, layout.across)
        top, left = row * layout.block[1], column * layout.block[0]
        part = samples[top : top + layout.block[1], left : left + layout.block[0]]
        if layout.separate:
            part = part[..., plane : plane + 1]
        part[:] = block[: part.shape[0], : part.shape[1]]
    return samples


def _refuse_packing(layout: Layout) -> None:
    """Raise BadPicture for what we cannot be sure to read right."""
    kind, advice = layout.compression, "Save it uncompressed, or with LZW or Deflate"
    if kind not in _KNOWN:
        raise BadPicture(f"its compression (number {kind}) is not supported. {advice}")
    if layout.predictor not in ((1, 2) if kind in _DIFFERENT else (1,)) or (layout.predictor == 2 and layout.bits < 8):
        raise BadPicture(f"its compression has a predictor (number {layout.predictor}) that does not fit. {advice}")
    if kind in _FAX and (layout.bits, layout.channels) != (1, 1):
        raise BadPicture(f"it is packed as a fax, but has grey or colours. {advice}")
    if kind == _JPEG:
        fits = layout.separate or layout.channels in (1, 3) or (layout.channels, layout.photometric) == (4, 5)
        if layout.bits != 8 or not fits or (layout.separate and layout.photometric == 6):
            raise BadPicture(f"its JPEG compression is stored in a way that is not supported. {advice}")
    elif layout.subsampling != (1, 1) and (layout.bits, layout.channels, layout.separate) != (8, 3, False):
        raise BadPicture("its colours are stored in a way that is not supported. Save it as RGB")
    if layout.subsampling != (1, 1) and layout.predictor != 1:
        raise BadPicture("its colours are stored in a way that is not supported. Save it as RGB")


def _blocks(page: Directory, layout: Layout) -> Iterator[Block]:
    """Yield each strip or tile as (rows, columns, channels in it)."""
    packed = _packed(page.file, layout)
    if layout.compression == _JPEG:
        yield from (_jpeg(page, layout, one, rows) for one, rows in packed)
        return
    width, depth = _row(layout)
    size = width * depth // 8 + (width * depth % 8 > 0)
    while waiting := list(islice(packed, max(1, _TOGETHER // max(1, size * layout.block[1])))):
        for unpacked, rows in _unpacked(page, layout, waiting, size):
            yield _block(layout, unpacked, rows, size)


def _row(layout: Layout) -> tuple[int, int]:
    """Return the samples in a row of a block, and the bits of one; of sampled colours, in a row of units."""
    across, down = layout.subsampling
    if (across, down) != (1, 1):
        return -(-layout.block[0] // across) * (across * down + 2), 8
    return layout.block[0] * (1 if layout.separate else layout.channels), layout.bits


def _packed(file: BinaryIO, layout: Layout) -> Iterator[tuple[bytes, int]]:
    """Yield the stored bytes of each block, and its rows."""
    for index, (at, size) in enumerate(zip(layout.offsets, layout.counts, strict=True)):
        row = index % (layout.across * layout.down) // layout.across
        rows = layout.block[1] if layout.tiled else min(layout.block[1], layout.height - row * layout.block[1])
        if not size:
            raise BadPicture("it is sparse: some of its pixels are not stored. Save it again with another program")
        file.seek(at)
        body = file.read(size)
        if len(body) < size:
            raise EOFError("the file ends within its pixels")
        turned = layout.reversed_bits and layout.compression not in {_JPEG} | _FAX
        yield (body.translate(_REVERSED) if turned else body), rows


def _unpacked(
    page: Directory, layout: Layout, waiting: list[tuple[bytes, int]], size: int
) -> Iterator[tuple[bytes, int]]:
    """Yield the bytes of each block in `waiting`, unpacked, and its rows. size: bytes of a row."""
    down = layout.subsampling[1]
    lengths = [-(-rows // down) for _, rows in waiting]
    if layout.compression == _NONE:
        bodies = [body for body, _ in waiting]
    elif layout.compression in (_DEFLATE, _OLD_DEFLATE):
        pairs = zip(waiting, lengths, strict=True)
        bodies = [zlib.decompressobj().decompress(body, length * size) for (body, _), length in pairs]
    else:
        bodies = _by_libtiff(page, layout, [body for body, _ in waiting], lengths, size)
    for body, (_, rows), length in zip(bodies, waiting, lengths, strict=True):
        if len(body) < length * size:
            raise EOFError("a part of its pixels is truncated")
        yield body, rows


def _by_libtiff(page: Directory, layout: Layout, bodies: list[bytes], lengths: list[int], size: int) -> list[bytes]:
    """Unpack through TIFFs made for this: grey, or black and white, of one strip for each block.

    lengths: rows of each block. size: bytes of a row.
    """
    unpacked = []
    for run in _runs(lengths):
        file = BytesIO(_wrapper(page, layout, bodies[run], lengths[run], size))
        with TiffImageFile(file) as picture:
            picture.load()
            raw = picture.tobytes()
        ends = np.cumsum(lengths[run]) * size
        unpacked += [raw[end - length * size : end] for end, length in zip(ends, lengths[run], strict=True)]
    return unpacked


def _runs(lengths: list[int]) -> Iterator[slice]:
    """Yield slices within which all lengths are the same, but for the last, which may be shorter."""
    start = 0
    for at, length in enumerate(lengths):
        if at + 1 == len(lengths) or length < lengths[start] or lengths[at + 1] > lengths[start]:
            yield slice(start, at + 1)
            start = at + 1


def _wrapper(page: Directory, layout: Layout, bodies: list[bytes], lengths: list[int], size: int) -> bytes:
    width, bits = (layout.block[0], 1) if layout.compression in _FAX else (size, 8)
    tags: dict[int, list[int]] = {
        256: [width], 257: [sum(lengths)], 258: [bits], 259: [layout.compression], 262: [1], 273: [], 277: [1],
        278: [lengths[0]], 279: [len(body) for body in bodies],
    }  # fmt: skip
    if layout.compression in _FAX:
        said = {266: [2 if layout.reversed_bits else 1], 292: [page.number(292)], 293: [page.number(293)]}
        tags |= {tag: value for tag, value in said.items() if tag == 266 or tag in page.entries}
    count = len(bodies)
    lists = 8 + 2 + 12 * len(tags) + 4
    pixels = lists + (8 * count if count > 1 else 0)
    starts = np.cumsum([pixels, *tags[279][:-1]])
    tags[273] = [int(start) for start in starts]
    entries, behind = b"", b""
    for tag, values in sorted(tags.items()):
        place = values[0] if len(values) == 1 else lists + len(behind)
        entries += struct.pack("<HHII", tag, 4, len(values), place)
        behind += struct.pack(f"<{len(values)}I", *values) if len(values) > 1 else b""
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + behind + b"".join(bodies)


def _block(layout: Layout, body: bytes, rows: int, size: int) -> Block:
    """Return the samples in the unpacked bytes of a block of `rows` rows of `size` bytes."""
    width, channels = layout.block[0], 1 if layout.separate else layout.channels
    if layout.subsampling != (1, 1):
        return _unit_rows(layout, np.frombuffer(body, np.uint8), rows)
    plain = np.frombuffer(body, np.uint8, rows * size).reshape(rows, size)
    if layout.bits < 8:
        bits = np.unpackbits(plain, axis=1)[:, : width * channels * layout.bits]
        groups = bits.reshape(rows, width, channels, layout.bits)
        weights = (1 << np.arange(layout.bits)[::-1]).astype(np.uint8)
        numbers: Block = (groups * weights).sum(axis=3, dtype=np.uint8)
        return numbers
    samples = plain.view(np.dtype(f"{layout.order}u{layout.bits // 8}")).reshape(rows, width, channels)
    if layout.predictor == 2:
        native = samples.astype(samples.dtype.newbyteorder("="))
        summed: Block = np.cumsum(native, axis=1, dtype=native.dtype)
        return summed
    return samples


def _unit_rows(layout: Layout, body: NDArray[np.uint8], rows: int) -> Block:
    """Return Y, Cb and Cr of every pixel from units of a few Y and one Cb and Cr."""
    across, down = layout.subsampling
    wide, high = -(-layout.block[0] // across), -(-rows // down)
    units = body[: wide * high * (across * down + 2)].reshape(high, wide, across * down + 2)
    grey = units[..., :-2].reshape(high, wide, down, across).swapaxes(1, 2).reshape(high * down, wide * across)
    colours = units[..., -2:].repeat(down, axis=0).repeat(across, axis=1)
    return np.dstack([grey[..., None], colours])[:rows]


def _jpeg(page: Directory, layout: Layout, body: bytes, rows: int) -> Block:
    """Return the samples of a block that is a JPEG, in the colours that `photometric` names; of YCbCr, as RGB."""
    transform = {2: b"\0", 6: b"\1"}.get(layout.photometric)
    said = b"" if transform is None or layout.separate else _ADOBE + transform
    tables = page.raw(347)
    tables = tables[2:-2] if tables[-2:] == b"\xff\xd9" else tables[2:]
    with JpegImageFile(BytesIO(b"\xff\xd8" + said + tables + body[2:])) as picture:
        channels = 1 if layout.separate else layout.channels
        modes = {1: "L", 3: "RGB", 4: "CMYK"}
        if picture.mode != modes[channels] or picture.width < layout.block[0] or picture.height < rows:
            raise BadPicture("its JPEG parts do not fit its header. Copy or download it again")
        if picture.width > layout.block[0] + 16 or picture.height > max(layout.block[1], rows) + 16:
            raise BadPicture("its JPEG parts do not fit its header. Copy or download it again")
        picture.load()
        return np.asarray(picture).reshape(picture.height, picture.width, channels)
