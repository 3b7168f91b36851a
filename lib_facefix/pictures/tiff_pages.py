"""TIFF files of several pages, written one page after another: a page is moved into the new file as it is stored."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from ..errors import BadPicture, CannotWrite
from .tiff_header import Directory, layout_of, read_directory

_LONG, _IFD, _LONG8, _SIGNED_LONG8, _IFD8 = 4, 13, 16, 17, 18
_BLOCKS = ((273, 279), (324, 325))
"""Tags of where the strips or tiles are, and of how long they are."""
_BELOW = (330, 34665, 34853, 40965)
"""Tags of the directories below another: previews, EXIF, GPS, and interoperability."""
_OLD_JPEG = (513, 514)
_SUBFILE, _PAGE = 254, 2
_DEEPEST = 4
_HEADER = b"II*\0\0\0\0\0"


class PageWriter:
    """Writes a TIFF file page by page. Only one page is in memory at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._link = 4
        """Position of the number that says where the next page is."""
        file.write(_HEADER)

    def add(self, page: Directory, *, is_new: bool = False) -> None:
        """Append a page of another file, with all its tags, and the bytes of its pixels as they are.

        is_new: whether to mark it as one of several pages; a page from a file of several has its own mark.
        Raises BadPicture for a page that cannot be moved (`can_move`), and CannotWrite for a file that grows too large.
        """
        try:
            at, link = self._append(page, 0, {_SUBFILE: (_LONG, 1, struct.pack("<I", _PAGE))} if is_new else {})
            self._file.seek(self._link)
            self._file.write(struct.pack("<I", at))
        except struct.error as error:
            raise CannotWrite("a TIFF file holds at most 4 GiB. Save fewer pages in it.") from error
        self._link = link
        self._file.seek(0, 2)

    def _append(self, page: Directory, depth: int, more: dict[int, tuple[int, int, bytes]]) -> tuple[int, int]:
        """Write a directory and all that belongs to it. Return its position, and that of its link."""
        if depth > _DEEPEST:
            raise BadPicture("its directories refer to one another, so it is damaged. Copy or download it again")
        entries = {tag: _narrow(page, tag) for tag in page.entries} | more
        entries |= self._move_blocks(page, depth)
        for tag in _BELOW:
            if tag in page.entries:
                inner = [read_directory(page, at) for at in page.numbers(tag)]
                starts = [self._append(one, depth + 1, {})[0] for one in inner]
                entries[tag] = _LONG, len(starts), struct.pack(f"<{len(starts)}I", *starts)
        packed = b""
        for tag, (kind, count, body) in sorted(entries.items()):
            place = body.ljust(4, b"\0") if len(body) <= 4 else struct.pack("<I", self._put(body))
            packed += struct.pack("<HHI", tag, kind, count) + place
        at = self._put(struct.pack("<H", len(entries)) + packed + bytes(4))
        return at, at + 2 + len(packed)

    def _move_blocks(self, page: Directory, depth: int) -> dict[int, tuple[int, int, bytes]]:
        """Copy the pixels of a page. Return the tags that say where they are now."""
        moved = {}
        for places, lengths in _BLOCKS:
            if places in page.entries:
                offsets, counts = page.numbers(places), page.numbers(lengths)
                if depth == 0:
                    layout = layout_of(page)
                    offsets, counts = layout.offsets, layout.counts
                starts = [self._put(body) for body in _read_blocks(page, offsets, counts)]
                moved[places] = _LONG, len(starts), struct.pack(f"<{len(starts)}I", *starts)
                moved[lengths] = _LONG, len(starts), struct.pack(f"<{len(starts)}I", *counts[: len(starts)])
        return moved

    def _put(self, body: bytes) -> int:
        """Write at the end, at an even position, and return this."""
        at = self._file.seek(0, 2)
        self._file.write(b"\0" * (at % 2) + body)
        return at + at % 2


def can_move(page: Directory) -> bool:
    """Tell whether a page can be moved as it is stored: numbers in the other order of bytes would have to be turned."""
    return page.order == "<" and not any(tag in page.entries for tag in _OLD_JPEG)


def _read_blocks(page: Directory, offsets: tuple[int, ...], counts: tuple[int, ...]) -> Iterator[bytes]:
    if len(offsets) != len(counts):
        raise BadPicture("parts of its pixels are missing, so it is cut off. Copy or download it again")
    for at, size in zip(offsets, counts, strict=True):
        page.file.seek(at)
        yield page.file.read(size)


def _narrow(page: Directory, tag: int) -> tuple[int, int, bytes]:
    """Return type, number, and bytes of a tag, without the 64-bit numbers of BigTIFF."""
    kind, count, _ = page.entries[tag]
    if kind in (_LONG8, _SIGNED_LONG8, _IFD8):
        return _LONG, count, struct.pack(f"<{count}I", *page.numbers(tag))
    return (_LONG if kind == _IFD else kind), count, page.raw(tag)
