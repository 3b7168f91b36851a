r"""EXIF, changed in place, so that data in unknown formats (maker notes) stays the same byte for byte.

Kept as a TIFF block without the b"Exif\0\0" that JPEG puts before it.
"""

import contextlib
import struct
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import BinaryIO

from PIL.TiffImagePlugin import ImageFileDirectory_v2 as Directory
from PIL.TiffTags import LONG

PREFIX = b"Exif\0\0"
_ORIENTATION, _COMMENT, _MAKER = 0x0112, 0x9286, 0x927C
_THUMBNAIL_AT, _THUMBNAIL_SIZE = 0x0201, 0x0202
EXIF, GPS = 0x8769, 0x8825
_INTEROPERABILITY = 0xA005
_SIDES = ((0x0100, 0x0101), (0xA002, 0xA003))
"""Width and height in pixels: of TIFF, and of a camera's picture."""
_SUBJECTS = (0x9214, 0xA214)
"""SubjectArea and SubjectLocation: a point, circle, or rectangle (x, y, diameter or width and height), as stored."""
_SHORT = 3
XMP, ICC = 700, 34675

_LAYOUT = {*range(254, 260), 262, 263, 264, 265, 266, _ORIENTATION, 273, 277, 278, 279, 280, 281, 284, 288, 289}
_LAYOUT |= {290, 291, 292, 293, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336, 338}
_LAYOUT |= {339, 340, 341, 347, *range(512, 522), 529, 530, 531, 532}
"""TIFF tags that tell how the old file's pixels lay: the new file has its own."""
SIGNATURE, LAYERS, PHOTOSHOP, IPTC = 52545, 37724, 34377, 33723  # Content Credentials, Photoshop's layers and resources
_APART = {EXIF, GPS, XMP, ICC, SIGNATURE, LAYERS, PHOTOSHOP}
"""TIFF tags that have a field of their own, or do not outlive a change of pixels."""


def orientation(exif: bytes) -> int:
    """Return how the picture must be turned: 1..8, and 1 without a valid value."""
    try:
        said = [_short(exif, at) for tag, at in _entries(exif, _first(exif)) if tag == _ORIENTATION]
    except struct.error:
        return 1
    return said[0] if said and 1 <= said[0] <= 8 else 1


def without_thumbnail(exif: bytes) -> bytes:
    """Return `exif` without the thumbnail of the old faces; none if its directory is broken and nobody can parse it."""
    block = bytearray(exif)
    if exif[:4] not in (b"II*\0", b"MM\0*"):
        return b""
    try:
        _drop_thumbnail(block)
        _first(block)
    except struct.error:
        return b""
    return bytes(block)


def upright(exif: bytes, turn: int, size: tuple[int, int]) -> bytes:
    """Return `exif` for a picture that was turned as orientation `turn` asks for: its own is 1.

    size: width and height of the stored pixels. After a quarter turn the width it names is the height, and the other
    way round. The subject it names is turned with the pixels.
    """
    block = bytearray(exif)
    try:
        if turn >= 5:
            _turn_sides(block)
        _move_subjects(block, lambda subject: _turn_subject(subject, turn, size))
        _set_orientation(block, 1)
    except struct.error:
        return b""
    return bytes(block)


def with_orientation(exif: bytes, turn: int) -> bytes:
    """Return `exif` with another orientation, 1..8; as it is if it has none."""
    block = bytearray(exif)
    with contextlib.suppress(struct.error):  # a broken directory stays as it is
        _set_orientation(block, turn)
    return bytes(block)


def _set_orientation(block: bytearray, turn: int) -> None:
    for tag, at in _entries(block, _first(block)):
        if tag == _ORIENTATION:
            struct.pack_into(_order(block) + "HIHH", block, at + 2, _SHORT, 1, turn, 0)


def shorten(exif: bytes, most: int) -> tuple[bytes, str]:
    """Return `exif` in at most so many bytes, and a sentence for what had to be left out, if anything.

    First gaps go (such as where a thumbnail was), then the maker's note, then all.
    """
    if len(exif) <= most:
        return exif, ""
    tags = directory(exif)
    packed = _block(tags) if len(tags) else exif
    if len(packed) <= most:
        return packed, ""
    inner: dict[int, object] = dict(tags.get(EXIF, {}))
    if inner.pop(_MAKER, None) is not None:
        _put_directory(tags, EXIF, inner)
        packed = _block(tags)
        if len(packed) <= most:
            return packed, "The camera maker's note in its EXIF was left out: a JPEG holds at most 64 kB of EXIF."
    return b"", "Its EXIF was left out: a JPEG holds at most 64 kB of it."


def set_size(exif: bytes, size: tuple[int, int], old: tuple[int, int]) -> bytes:
    """Return `exif` with `size` = (width, height) where it names them, and the subject at its place in this size.

    old: the size until now. Nothing else moves or changes.
    """
    block = bytearray(exif)
    across, down = size[0] / old[0], size[1] / old[1]
    try:
        _move_subjects(block, lambda subject: [v * (down if n % 2 else across) for n, v in enumerate(subject)])
        for entries in _sides(block):
            for at, side in zip(entries, size, strict=True):
                if at is not None:
                    _put_long(block, at, side)
    except struct.error:
        return exif
    return bytes(block)


def with_comment(exif: bytes, comment: str) -> bytes:
    """Return `exif` with `comment` as its UserComment, where the WebUI looks for its parameters."""
    tags = directory(exif)
    inner: dict[int, object] = tags.get(EXIF, {})
    _put_directory(tags, EXIF, {**inner, _COMMENT: b"UNICODE\0" + comment.encode("utf_16_be")})
    return _block(tags)


def comment_of(exif: bytes) -> str:
    """Return its UserComment, blank where there is none that can be read."""
    said = directory(exif).get(EXIF, {}).get(_COMMENT, b"")
    kind, body = (said[:8], said[8:]) if isinstance(said, bytes) else (b"", b"")
    if kind == b"UNICODE\0":
        swapped = body[1::2].count(0) > body[::2].count(0)  # most write it big-endian, a few as the block is
        return body.decode("utf_16_le" if swapped else "utf_16_be", "replace")
    return body.decode("utf_8", "replace").strip("\0") if kind in (b"ASCII\0\0\0", bytes(8)) else ""


def from_tiff(file: BinaryIO, at: int) -> bytes:
    """Return the metadata of the TIFF page whose directory is `at`, without the layout of its pixels."""
    tags = _directory_in(file, at)
    return _block(tags) if len(tags) else b""


def directory(exif: bytes) -> Directory:
    """Return `exif` as a TIFF directory to be written into a TIFF file; none where it cannot be parsed."""
    try:
        return _directory_in(BytesIO(exif)) if exif else Directory()
    except (SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return Directory()


def _directory_in(file: BinaryIO, at: int | None = None) -> Directory:
    file.seek(0)
    header = file.read(16)
    outer = _load_directory(file, header, None, at)
    tags = Directory()
    for tag, value in outer.items():
        if tag not in _LAYOUT | _APART:
            tags.tagtype[tag] = outer.tagtype[tag]
            tags[tag] = value
    for pointer in (EXIF, GPS):
        if isinstance(outer.get(pointer), int):
            inner = _load_directory(file, header, pointer, outer[pointer])
            _put_directory(tags, pointer, {tag: inner[tag] for tag in inner if tag != _INTEROPERABILITY})
    return tags


class _Stored(str):
    """A text that Pillow has read as Latin-1 and is to write with the same bytes, which may be UTF-8, not as ASCII."""

    def encode(self, encoding: str = "latin_1", errors: str = "strict") -> bytes:  # noqa: ARG002 Pillow asks for ASCII
        return super().encode("latin_1")


def _load_directory(file: BinaryIO, header: bytes, group: int | None, at: int | None = None) -> Directory:
    """Pillow's own `Exif` would hide the maker note."""
    big = header[2:4] in (b"+\0", b"\0+")
    if header[:4] == b"MM\0+":  # Pillow takes it for a small TIFF
        tags = Directory(b"MM\0*" + header[4:8], group=group)
        tags._bigtiff = True
    else:
        tags = Directory(header if big else header[:8], group=group)
    file.seek(tags.next if at is None else at)
    tags.load(file)
    tags.update({tag: _Stored(value) for tag, value in tags.items() if isinstance(value, str)})
    return tags


def _put_directory(tags: Directory, pointer: int, inner: dict[int, object]) -> None:
    tags.tagtype[pointer] = LONG
    tags[pointer] = inner


def _block(tags: Directory) -> bytes:
    file = BytesIO()
    tags.save(file)
    return file.getvalue()


def _order(block: bytes | bytearray) -> str:
    return "<" if block[:2] == b"II" else ">"


def _first(block: bytes | bytearray) -> int:
    return int(struct.unpack_from(_order(block) + "I", block, 4)[0])


def _count(block: bytes | bytearray, place: int) -> int:
    return int(struct.unpack_from(_order(block) + "H", block, place)[0])


def _entries(block: bytes | bytearray, place: int) -> Iterator[tuple[int, int]]:
    """Yield each tag of the directory at `place`, and the position of its entry."""
    for number in range(_count(block, place)):
        at = place + 2 + 12 * number
        yield _count(block, at), at


def _short(block: bytes | bytearray, at: int) -> int:
    kind = _count(block, at + 2)
    return int(struct.unpack_from(_order(block) + {1: "B", 4: "I"}.get(kind, "H"), block, at + 8)[0])


def _sides(block: bytes | bytearray) -> Iterator[tuple[int | None, int | None]]:
    """Yield the positions of the entries of a width and a height; None for a missing one."""
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return
    first = dict(_entries(block, _first(block)))
    directories = [first]
    if EXIF in first:
        directories.append(dict(_entries(block, _long(block, first[EXIF]))))
    for names, places in zip(_SIDES, directories, strict=False):
        yield places.get(names[0]), places.get(names[1])


def _move_subjects(block: bytearray, move: Callable[[list[int]], Sequence[float]]) -> None:
    """Change the numbers of the subject: two for a point, three for a circle, four for a rectangle."""
    if bytes(block[:4]) not in (b"II*\0", b"MM\0*"):
        return
    with contextlib.suppress(struct.error):  # a broken directory stays as it is
        inner = dict(_entries(block, _first(block))).get(EXIF)
        for tag, at in _entries(block, _long(block, inner)) if inner is not None else ():
            kind, count = struct.unpack_from(_order(block) + "HI", block, at + 2)
            if tag in _SUBJECTS and kind == _SHORT and 2 <= count <= 4:
                form, place = f"{_order(block)}{count}H", at + 8 if count == 2 else _long(block, at)
                moved = move(list(struct.unpack_from(form, block, place)))
                struct.pack_into(form, block, place, *(min(max(round(value), 0), 65535) for value in moved))


def _turn_subject(subject: list[int], turn: int, size: tuple[int, int]) -> list[int]:
    """Return the numbers of a subject in stored pixels as they are in the upright picture; see `decode.orient`."""
    x, y, *extent = subject
    width, height = size
    if turn >= 5:
        x, y, width, height, extent = y, x, height, width, extent[::-1]
    x = width - 1 - x if turn in (2, 3, 6, 7) else x
    y = height - 1 - y if turn in (3, 4, 7, 8) else y
    return [x, y, *extent]


def _turn_sides(block: bytearray) -> None:
    for across, down in _sides(block):
        if across is not None and down is not None:
            width, height = _short(block, across), _short(block, down)
            _put_long(block, across, height)
            _put_long(block, down, width)


def _put_long(block: bytearray, at: int, value: int) -> None:
    struct.pack_into(_order(block) + "HII", block, at + 2, LONG, 1, value)


def _long(block: bytes | bytearray, at: int) -> int:
    return int(struct.unpack_from(_order(block) + "I", block, at + 8)[0])


def _drop_thumbnail(block: bytearray) -> None:
    order = _order(block)
    link = _first(block) + 2 + 12 * _count(block, _first(block))
    [second] = struct.unpack_from(order + "I", block, link)
    if not second:
        return
    said = {tag: struct.unpack_from(order + "I", block, at + 8)[0] for tag, at in _entries(block, second)}
    start, size = said.get(_THUMBNAIL_AT, 0), said.get(_THUMBNAIL_SIZE, 0)
    struct.pack_into(order + "I", block, link, 0)
    if start + size == len(block):
        del block[start:]
    elif start + size < len(block):
        block[start : start + size] = bytes(size)
