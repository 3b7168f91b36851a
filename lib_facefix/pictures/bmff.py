"""The boxes of HEIC and AVIF files (ISO/IEC 14496-12 and 23008-12): which items there are, and what is said of each.

Read before any decoder sees the file, so that sizes are known and checked first. Nothing is decoded here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import BadPicture
from .claims import boxes

HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_MOST_ITEMS = 10_000
_DAMAGED = "its list of images is damaged. Copy or download it again"
_UNSPECIFIED = 2
_HDR = {16: "PQ", 18: "HLG"}

Nclx = tuple[int, int, int]
"""Colour primaries, transfer, and matrix, by their numbers in ITU-T H.273."""


@dataclass(slots=True)
class Item:
    """One item of a file: an image, a tile of one, or metadata."""

    number: int
    kind: bytes
    """Such as hvc1 (a coded image), grid (an image made of tiles), Exif."""
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Kind and content of the boxes that describe it, in the order in which they apply."""

    def first(self, kind: bytes) -> bytes:
        """Return the content of its first property of a kind; empty without one."""
        return next((body for name, body in self.properties if name == kind), b"")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as stored, before it is turned; zeros if the file does not tell."""
        body = self.first(b"ispe")
        return struct.unpack_from(">II", body, 4) if len(body) >= 12 else (0, 0)

    @property
    def turn(self) -> int:
        """Orientation of the stored pixels, 1..8 as in EXIF, from its properties irot and imir."""
        turn = 1
        for kind, body in self.properties:
            if kind == b"irot" and body:
                for _ in range(body[0] & 3):
                    turn = _AFTER_QUARTER_TURN[turn]
            elif kind == b"imir" and body:
                turn = (_AFTER_LEFT_RIGHT if body[0] & 1 else _AFTER_UPSIDE_DOWN)[turn]
        return turn

    @property
    def bits(self) -> int:
        """Bits of a sample, from the header of its coding; 8 if the file does not tell."""
        if len(hevc := self.first(b"hvcC")) > 18:
            return 8 + max(hevc[17] & 7, hevc[18] & 7)
        if len(av1 := self.first(b"av1C")) > 2 and av1[2] & 0x40:
            return 12 if av1[2] & 0x20 else 10
        return max(self.first(b"pixi")[5:], default=8)

    @property
    def nclx(self) -> Nclx | None:
        """Its colour tags; None without any, or if they say nothing."""
        for kind, body in self.properties:
            if kind == b"colr" and body[:4] == b"nclx" and len(body) >= 10:
                tags: Nclx = struct.unpack_from(">HHH", body, 4)
                return None if tags[:2] == (_UNSPECIFIED, _UNSPECIFIED) else tags
        return None

    @property
    def icc(self) -> bytes:
        """Its colour profile; empty without one."""
        found = (body[4:] for kind, body in self.properties if kind == b"colr" and body[:4] in (b"prof", b"rICC"))
        return next(found, b"")


@dataclass(slots=True)
class Container:
    """The items of a file and how they belong together."""

    items: dict[int, Item]
    primary: Item
    """The image that programs show."""
    references: list[tuple[bytes, int, tuple[int, ...]]]
    """Kind, source, and targets: dimg from a grid to its tiles, auxl from a depth map to its image, and so on."""
    beside: set[bytes]
    """Kinds of the boxes beside the list of items, such as moov (a sequence) or mpvd (a video)."""

    def parts(self, item: Item) -> list[Item]:
        """Return all items that `item` is derived from, such as the tiles of a grid, without itself."""
        found: dict[int, Item] = {}
        waiting = [item.number]
        while waiting:
            source = waiting.pop()
            for kind, origin, targets in self.references:
                if kind == b"dimg" and origin == source:
                    new = [number for number in targets if number in self.items and number not in found]
                    found.update((number, self.items[number]) for number in new)
                    waiting += new
        return list(found.values())

    @property
    def coded(self) -> list[Item]:
        """The primary image, and the tiles or images that it is made of."""
        return [self.primary, *self.parts(self.primary)]

    @property
    def bits(self) -> int:
        """Bits of a sample of the primary image."""
        return max(item.bits for item in self.coded)

    @property
    def nclx(self) -> Nclx | None:
        """Colour tags of the primary image, or else of its first tile that has any."""
        return next((item.nclx for item in self.coded if item.nclx), None)

    @property
    def icc(self) -> bytes:
        """Colour profile of the primary image, or else of its first tile that has one."""
        return next((item.icc for item in self.coded if item.icc), b"")

    def attached(self, kind: bytes) -> list[Item]:
        """Return the items that refer to the primary one in such a way: auxl (auxiliary images), thmb, or cdsc."""
        return [
            self.items[origin]
            for name, origin, targets in self.references
            if name == kind and self.primary.number in targets and origin in self.items
        ]


_AFTER_QUARTER_TURN = {1: 8, 8: 3, 3: 6, 6: 1, 2: 5, 5: 4, 4: 7, 7: 2}
"""EXIF's orientation after a further quarter turn against the clock, in the order of irot's angles."""
_AFTER_LEFT_RIGHT = {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5, 7: 8, 8: 7}
_AFTER_UPSIDE_DOWN = {1: 4, 4: 1, 2: 3, 3: 2, 5: 8, 8: 5, 6: 7, 7: 6}


def is_heif(start: bytes) -> bool:
    """Tell whether a file that starts so (with 64 bytes or more) is HEIC or another HEIF, and not AVIF."""
    if start[4:8] != b"ftyp" or start[8:12] not in HEIF_BRANDS:
        return False
    size = min(int.from_bytes(start[:4], "big"), len(start))
    others = {start[at : at + 4] for at in range(16, size, 4)}
    return start[8:12] not in (b"mif1", b"msf1") or not others & _AVIF_BRANDS


def read_container(whole: bytes) -> Container:
    """Return the items of a file. Raises BadPicture for a file without a primary image, or with a damaged list."""
    try:
        top = dict(boxes(whole))
        return _container(dict(boxes(top[b"meta"][4:])), set(top))
    except (KeyError, struct.error, IndexError) as error:
        raise BadPicture(_DAMAGED) from error


def _container(meta: dict[bytes, bytes], beside: set[bytes]) -> Container:
    items = {item.number: item for item in _items(meta[b"iinf"])}
    properties = dict(boxes(meta[b"iprp"]))
    described = list(boxes(properties[b"ipco"]))
    for kind, body in boxes(meta[b"iprp"]):
        if kind == b"ipma":
            for number, places in _associations(body):
                if number in items:
                    items[number].properties += [described[place - 1] for place in places if place]
    primary = int.from_bytes(meta[b"pitm"][4 : 8 if meta[b"pitm"][0] else 6], "big")
    return Container(items, items[primary], list(_references(meta.get(b"iref", b""))), beside - {b"meta", b"mdat"})


def _items(body: bytes) -> Iterator[Item]:
    start = 8 if body[0] else 6
    for count, (kind, entry) in enumerate(boxes(body[start:])):
        if count >= _MOST_ITEMS:
            raise BadPicture(_DAMAGED)
        if kind == b"infe" and entry[0] in (2, 3):
            wide = 4 if entry[0] == 3 else 2
            yield Item(int.from_bytes(entry[4 : 4 + wide], "big"), entry[6 + wide : 10 + wide])


def _associations(body: bytes) -> Iterator[tuple[int, list[int]]]:
    """Yield the number of each item, and those of its properties, counted from 1."""
    wide, long = (4 if body[0] else 2), body[3] & 1
    [count] = struct.unpack_from(">I", body, 4)
    at = 8
    for _ in range(min(count, _MOST_ITEMS)):
        number, many = int.from_bytes(body[at : at + wide], "big"), body[at + wide]
        at += wide + 1
        step, mask = (2, 0x7FFF) if long else (1, 0x7F)
        yield number, [int.from_bytes(body[at + step * n : at + step * (n + 1)], "big") & mask for n in range(many)]
        at += step * many


def _references(body: bytes) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    wide = 4 if body[:1] == b"\1" else 2
    for kind, entry in boxes(body[4:]):
        origin, count = int.from_bytes(entry[:wide], "big"), int.from_bytes(entry[wide : wide + 2], "big")
        starts = range(wide + 2, min(len(entry), wide + 2 + count * wide), wide)
        yield kind, origin, tuple(int.from_bytes(entry[at : at + wide], "big") for at in starts)


def is_hdr(nclx: tuple[int, int]) -> bool:
    """Tell whether numbers mean far more light than a profile can say."""
    return nclx[1] in _HDR


def describe_nclx(nclx: tuple[int, int]) -> str:
    """Return a sentence for a kind of file that cannot name these colours; empty if they are sRGB."""
    if nclx[0] in (1, _UNSPECIFIED) and nclx[1] in (1, 6, 13, _UNSPECIFIED):
        return ""
    wide = {9: "BT.2020", 12: "Display P3", 11: "DCI-P3"}.get(nclx[0], f"number {nclx[0]}")
    tone = _HDR.get(nclx[1], f"number {nclx[1]}")
    return f"Its colour tags (primaries {wide}, transfer {tone}) were left out: this kind of file has none."
