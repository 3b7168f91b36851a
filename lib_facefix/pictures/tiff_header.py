"""The directories of a TIFF file: its pages, and how the pixels of one are stored. Nothing else is believed."""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from ..errors import BadPicture

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MOST_PAGES = 10_000
_LARGEST_TILE = 1 << 26
"""In pixels."""
_SMALLER, _MASK = 1, 4
"""Bits of NewSubfileType: a smaller version of another page, a transparency mask."""
_OLD_SMALLER = 2
SIGNATURES = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
"""The first four bytes of a TIFF or BigTIFF file, and its byte order."""


@dataclass(frozen=True, slots=True)
class Directory:
    """One image file directory. Values are read from the file when they are asked for."""

    file: BinaryIO
    order: str
    """As struct has it: "<" or ">"."""
    at: int
    """Position, in bytes from the start of the file."""
    entries: dict[int, tuple[int, int, int]]
    """Type, number, and position of the values of each tag."""

    def raw(self, tag: int) -> bytes:
        """Return the bytes of a tag, empty if it is missing. Raises EOFError if the file is too short for them."""
        kind, count, at = self.entries.get(tag, (1, 0, 0))
        size = _SIZES.get(kind, 1) * count
        self.file.seek(0, os.SEEK_END)
        if at + size > self.file.tell():
            raise EOFError(f"tag {tag} is beyond the end of the file")
        self.file.seek(at)
        return self.file.read(size)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the whole numbers of a tag, none if it is missing or holds something else."""
        kind, count, _ = self.entries.get(tag, (0, 0, 0))
        if kind not in _NUMBERS:
            return ()
        return struct.unpack(f"{self.order}{count}{_NUMBERS[kind]}", self.raw(tag))

    def number(self, tag: int, default: int = 0) -> int:
        """Return the first whole number of a tag."""
        return next(iter(self.numbers(tag)), default)

    def ratios(self, tag: int) -> tuple[float, ...]:
        """Return the fractions of a tag; those over 0 are left out."""
        if self.entries.get(tag, (0,))[0] != 5:
            return ()
        body = self.raw(tag)
        parts = struct.unpack(f"{self.order}{len(body) // 4}I", body)
        return tuple(over / under for over, under in zip(parts[::2], parts[1::2], strict=True) if under)


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of the stored pixels of a page, checked for consistency."""

    width: int
    height: int
    channels: int
    bits: int
    signed: bool
    separate: bool
    """Each channel is stored by itself (PlanarConfiguration 2)."""
    order: str
    compression: int
    predictor: int
    reversed_bits: bool
    photometric: int
    extra: tuple[int, ...] | None
    """The meaning of each channel beyond the colours; None if the file does not tell."""
    block: tuple[int, int]
    """Width and height of a tile, or of a strip."""
    tiled: bool
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    subsampling: tuple[int, int] = (1, 1)

    @property
    def across(self) -> int:
        """Blocks from left to right."""
        return -(-self.width // self.block[0])

    @property
    def down(self) -> int:
        """Blocks from top to bottom."""
        return -(-self.height // self.block[1])

    @property
    def planes(self) -> int:
        """How often the blocks cover the page: once for each channel, if channels are separate."""
        return self.channels if self.separate else 1


def is_tiff(start: bytes) -> bool:
    """Tell whether a file that starts so is a TIFF."""
    return start[:4] in SIGNATURES


def directories(file: BinaryIO) -> list[Directory]:
    """Return the directories of a file in their order, without those below others. Raises struct.error, BadPicture."""
    file.seek(0)
    start = file.read(16)
    order, big = SIGNATURES[start[:4]], start[2:4] in (b"+\0", b"\0+")
    [at] = struct.unpack_from(order + ("Q" if big else "I"), start, 8 if big else 4)
    found: list[Directory] = []
    met: set[int] = set()
    while at:
        if at in met or len(found) >= _MOST_PAGES:
            raise BadPicture("its list of pages has no end, so it is damaged. Copy or download it again")
        met.add(at)
        directory, at = _directory(file, order, big, at)
        found.append(directory)
    return found


def read_directory(page: Directory, at: int) -> Directory:
    """Return a directory below that of a page, such as EXIF. Raises struct.error for one that is cut off."""
    page.file.seek(0)
    return _directory(page.file, page.order, page.file.read(4)[2:4] in (b"+\0", b"\0+"), at)[0]


def _directory(file: BinaryIO, order: str, big: bool, at: int) -> tuple[Directory, int]:
    file.seek(at)
    head, entry, link = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    [count] = struct.unpack(order + head, file.read(struct.calcsize("=" + head)))
    if count > 65535:
        raise BadPicture("its directory is damaged. Copy or download it again")
    size = struct.calcsize("=" + entry)
    body = file.read(count * size)
    room = size - struct.calcsize("=HH" + entry[2])
    entries = {}
    for number, (tag, kind, values, place) in enumerate(struct.iter_unpack(order + entry, body)):
        inside = _SIZES.get(kind, 1) * values <= room
        start = at + struct.calcsize("=" + head) + number * size + (size - room)
        entries[tag] = (kind, values, start if inside else place)
    tail = file.read(struct.calcsize("=" + link))
    following = struct.unpack(order + link, tail)[0] if len(tail) == struct.calcsize("=" + link) else 0
    return Directory(file, order, at, entries), following


def full_pages(found: list[Directory]) -> list[Directory]:
    """Return the pages in full size: no previews, no masks."""
    return [one for one in found if not one.number(254) & (_SMALLER | _MASK) and one.number(255) != _OLD_SMALLER]


def layout_of(page: Directory) -> Layout:
    """Return how the pixels of a page are stored. Raises BadPicture for what is not supported, with what to do."""
    if 50706 in page.entries:
        raise BadPicture("it is a raw photo (DNG). Develop it first, and save it as TIFF with 8 or 16 bits")
    if page.number(32997, 1) != 1 or 33629 in page.entries or _hides_pages(page.raw(270)):
        raise BadPicture("it contains a stack of images. Save each image as a separate file")
    width, height, channels = page.number(256), page.number(257), page.number(277, 1)
    if width < 1 or height < 1 or channels < 1:
        raise BadPicture("its header has no size. Copy or download it again")
    _refuse_samples(page, channels)
    tiled = 322 in page.entries
    block = (page.number(322), page.number(323)) if tiled else (width, min(page.number(278, height) or height, height))
    if min(block) < 1 or (tiled and block[0] * block[1] > _LARGEST_TILE):
        raise BadPicture("its header has an impossible tile size. Copy or download it again")
    offsets = page.numbers(324) or page.numbers(273)
    layout = Layout(
        width, height, channels, page.number(258, 1), page.number(339, 1) == 2,
        separate=page.number(284, 1) == 2 and channels > 1,
        order=page.order,
        compression=page.number(259, 1),
        predictor=page.number(317, 1),
        reversed_bits=page.number(266, 1) == 2,
        photometric=page.number(262, 1 if 262 in page.entries else -1),
        extra=page.numbers(338) if 338 in page.entries else None,
        block=block, tiled=tiled, offsets=offsets, counts=page.numbers(325) or page.numbers(279),
        subsampling=_subsampling(page),
    )  # fmt: skip
    return _with_counts(page, layout)


def _hides_pages(description: bytes) -> bool:
    """Return whether more pages without a directory follow the first one, as ImageJ and tifffile write them."""
    number = re.search(rb"\AImageJ=[^\0]*?\nimages=(\d+)", description)
    return (number is not None and int(number[1]) > 1) or b'"truncated": true' in description


def _refuse_samples(page: Directory, channels: int) -> None:
    kinds, bits = set(page.numbers(339)) or {1}, page.numbers(258) or (1,)
    if 3 in kinds:
        raise BadPicture("its samples are floating-point numbers. Save it with 8 or 16 bits")
    if len(set(bits)) > 1 or len(bits) not in (1, channels) or len(kinds) > 1:
        raise BadPicture("its channels differ in depth. Save it with 8 or 16 bits for each")
    if not kinds <= {1, 2, 4} or (kinds == {2} and bits[0] < 32):
        raise BadPicture("its samples are signed or complex numbers. Save it with 8 or 16 bits, unsigned")
    if bits[0] not in (1, 2, 4, 8, 16, 32):
        raise BadPicture(f"its samples have {bits[0]} bits. Save it with 8 or 16")


def _subsampling(page: Directory) -> tuple[int, int]:
    if page.number(262) != 6:
        return 1, 1
    across, down = (*page.numbers(530), 2, 2)[:2] if 530 in page.entries else (2, 2)
    if across not in (1, 2, 4) or down not in (1, 2, 4):
        raise BadPicture("the resolution of its colours is unknown. Save it as RGB")
    return across, down


def _with_counts(page: Directory, layout: Layout) -> Layout:
    """Return `layout` with as many places and lengths as there are blocks."""
    needed = layout.across * layout.down * layout.planes
    if len(layout.offsets) < needed:
        raise BadPicture("parts of its pixels are missing, so it is cut off. Copy or download it again")
    counts = layout.counts
    if len(counts) < needed:
        if layout.compression != 1 or needed != 1:
            raise BadPicture("the lengths of its parts are missing. Save it again with another program")
        page.file.seek(0, os.SEEK_END)
        counts = (page.file.tell() - layout.offsets[0],)
    return replace(layout, offsets=layout.offsets[:needed], counts=counts[:needed])
