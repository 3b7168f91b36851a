"""Moves images that belong to the photo of a HEIC file into a new file: gain map, depth map, and portrait masks.

They are smooth or follow outlines, and are stretched over the photo, so they fit a fixed photo as they did the old one.
Items are moved as they are coded, with their properties and metadata (ISO/IEC 23008-12).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..errors import BadPicture
from .bmff import Container, Item, read_container
from .claims import boxes

Reference = tuple[bytes, int, tuple[int, ...]]
_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1\0", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
_SHAPES = (b"ispe", b"clap", b"irot", b"imir")
"""Properties that an image and what is derived from it have in common."""
_MOST_ITEMS = 900
"""libheif refuses files of more than 1,000."""
_SPLIT = "its list of images is damaged. Copy or download it again"


@dataclass(frozen=True, slots=True)
class Stored:
    """One item as it is stored."""

    info: bytes
    """Its entry in the list (infe) behind the number: kind, name, and so on."""
    data: bytes
    ties: tuple[tuple[int, bytes], ...]
    """Its properties: whether readers must understand each, and the whole box."""


def is_opacity(item: Item) -> bool:
    """Tell whether an auxiliary image is the opacity of its photo."""
    return item.first(b"auxC")[4:].startswith(_ALPHA)


def attached_items(found: Container) -> list[int]:
    """Return the numbers of what is moved: all auxiliary images but opacity, with their parts and metadata."""
    numbers: dict[int, None] = {}
    for item in found.attached(b"auxl"):
        if not is_opacity(item):
            numbers |= dict.fromkeys([item.number, *(part.number for part in found.parts(item))])
    for item in found.items.values():  # an image of HDR: photo and gain map
        parts = found.parts(item) if item.kind == b"tmap" else []
        if found.primary in parts:
            own = {part.number for part in found.coded}
            numbers |= dict.fromkeys([*(part.number for part in parts if part.number not in own), item.number])
    for kind, origin, targets in found.references:
        if kind == b"cdsc" and numbers and any(target in numbers for target in targets) and origin in found.items:
            numbers[origin] = None
    return list(numbers) if len(numbers) <= _MOST_ITEMS else []


def can_attach(whole: bytes, found: Container) -> bool:
    """Return whether a file has images to be moved, and all of them are there."""
    moved = attached_items(found)
    try:
        return bool(moved) and {number for number, _ in _read_items(whole, moved)} == set(moved)
    except (BadPicture, KeyError, IndexError, struct.error):
        return False


def attach_items(new: bytes, old: bytes) -> bytes:
    """Return the HEIC file `new` with the images of `old` that are moved. Raises BadPicture for a damaged `old`."""
    try:
        return _attach(new, old)
    except (KeyError, IndexError, struct.error) as error:
        raise BadPicture(_SPLIT) from error


def _attach(new: bytes, old: bytes) -> bytes:
    photo, source = read_container(new), read_container(old)
    moved = attached_items(source)
    stored, before = dict(_read_items(new, list(photo.items))), dict(_read_items(old, moved))
    first = max(stored) + 1
    places = {number: first + n for n, number in enumerate(moved)} | {source.primary.number: photo.primary.number}
    stored |= {places[number]: before[number] for number in moved}
    for number in moved:
        if source.items[number].kind == b"tmap":
            stored[places[number]] = _sized_like(before[number], stored[photo.primary.number])
    references = [*photo.references]
    for kind, origin, targets in source.references:
        if origin in moved and kind != b"thmb" and all(target in places for target in targets):
            references.append((kind, places[origin], tuple(places[target] for target in targets)))
    groups = [
        (kind, [places[number] for number in numbers])
        for kind, numbers in _read_groups(old)
        if all(number in places for number in numbers)
    ]
    brand = b"tmap" if any(item.info[2:6] == b"tmap" for item in stored.values()) else b""
    return _build(dict(boxes(new)), brand, photo.primary.number, stored, references, groups)


def _sized_like(item: Stored, photo: Stored) -> Stored:
    """Return an image that is derived from the photo with its size, crop, and orientation."""
    own = [tie for tie in item.ties if tie[1][4:8] not in _SHAPES]
    shapes = [tie for tie in photo.ties if tie[1][4:8] in _SHAPES]
    return replace(item, ties=(*own, *shapes))


def _read_items(whole: bytes, wanted: Sequence[int]) -> Iterator[tuple[int, Stored]]:
    """Yield the wanted items that lie in the file, by their numbers. Raises BadPicture if they share bytes."""
    meta = dict(boxes(dict(boxes(whole))[b"meta"][4:]))
    properties = [_box(kind, body) for kind, body in boxes(dict(boxes(meta[b"iprp"]))[b"ipco"])]
    ties: dict[int, list[tuple[int, bytes]]] = {}
    for kind, body in boxes(meta[b"iprp"]):
        if kind == b"ipma":
            for number, named in _read_ties(body):
                ties.setdefault(number, []).extend((must, properties[place - 1]) for must, place in named if place)
    infos = {}
    for kind, entry in boxes(meta[b"iinf"][8 if meta[b"iinf"][0] else 6 :]):
        if kind == b"infe" and entry[0] in (2, 3):
            wide = 4 if entry[0] == 3 else 2
            infos[int.from_bytes(entry[4 : 4 + wide], "big")] = entry[4 + wide :]
    room = len(whole)
    for number, data in _read_data(whole, meta, wanted):
        room -= len(data)
        if room < 0:
            raise BadPicture(_SPLIT)
        yield number, Stored(infos[number], data, tuple(ties.get(number, ())))


def _read_ties(body: bytes) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield the number of each item, with its properties: whether they must be understood, and their place from 1."""
    wide, step = (4 if body[0] else 2), (2 if body[3] & 1 else 1)
    at = 8
    for _ in range(int.from_bytes(body[4:8], "big")):
        number, many = int.from_bytes(body[at : at + wide], "big"), body[at + wide]
        at += wide + 1
        codes = [int.from_bytes(body[at + step * n : at + step * (n + 1)], "big") for n in range(many)]
        top = 1 << (8 * step - 1)
        yield number, [(code & top and 1, code & (top - 1)) for code in codes]
        at += step * many


def _read_data(whole: bytes, meta: dict[bytes, bytes], wanted: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each wanted item, from its places (iloc)."""
    body = meta[b"iloc"]
    version, sizes = body[0], (body[4] >> 4, body[4] & 15, body[5] >> 4, body[5] & 15 if body[0] else 0)
    wide = 4 if version == 2 else 2
    count, at = int.from_bytes(body[6 : 6 + wide], "big"), 6 + wide

    def take(size: int) -> int:
        nonlocal at
        if at + size > len(body):
            raise IndexError("the list of places is cut off")
        at += size
        return int.from_bytes(body[at - size : at], "big")

    for _ in range(count):
        number = take(wide)
        method = take(2) & 15 if version else 0
        take(2)  # always this file
        base, parts = take(sizes[2]), []
        for _ in range(take(2)):
            take(sizes[3])
            parts.append((base + take(sizes[0]), take(sizes[1])))
        inside = {0: whole, 1: meta.get(b"idat", b"")}.get(method)
        if number in wanted and inside is not None:
            if sum(length for _, length in parts) > len(inside):
                raise BadPicture(_SPLIT)
            yield (
                number,
                b"".join(inside[start : start + length] if length else inside[start:] for start, length in parts),
            )


def _read_groups(whole: bytes) -> Iterator[tuple[bytes, list[int]]]:
    """Yield the groups of items, such as altr: several forms of one image."""
    for kind, body in boxes(dict(boxes(dict(boxes(whole))[b"meta"][4:])).get(b"grpl", b"")):
        count = int.from_bytes(body[8:12], "big")
        yield kind, [int.from_bytes(body[at : at + 4], "big") for at in range(12, min(len(body), 12 + 4 * count), 4)]


def _build(
    new: dict[bytes, bytes],
    brand: bytes,
    primary: int,
    items: dict[int, Stored],
    references: Iterable[Reference],
    groups: Iterable[tuple[bytes, list[int]]],
) -> bytes:
    """Return a file of these items. new: the boxes of a file that gives its kind. brand: one more kind."""
    known = list(dict.fromkeys(tie for item in items.values() for _, tie in item.ties))
    place = {tie: 1 + n for n, tie in enumerate(known)}
    tied = b"".join(
        struct.pack(">HB", number, len(item.ties))
        + b"".join(struct.pack(">H", must << 15 | place[tie]) for must, tie in item.ties)
        for number, item in items.items()
    )
    infos = [_full(b"infe", struct.pack(">H", number) + item.info, version=2) for number, item in items.items()]
    refs = [
        _box(kind, struct.pack(f">HH{len(targets)}H", origin, len(targets), *targets))
        for kind, origin, targets in references
    ]
    grouped = [
        _full(kind, struct.pack(f">II{len(numbers)}I", (1 << 16) + n, len(numbers), *numbers))
        for n, (kind, numbers) in enumerate(groups)
    ]
    fixed = [
        _box(b"hdlr", dict(boxes(new[b"meta"][4:]))[b"hdlr"]),
        _full(b"pitm", struct.pack(">H", primary)),
        _full(b"iinf", struct.pack(">H", len(infos)) + b"".join(infos)),
        *([_full(b"iref", b"".join(refs))] if refs else []),
        _box(
            b"iprp",
            _box(b"ipco", b"".join(known)) + _full(b"ipma", struct.pack(">I", len(items)) + tied, flags=1),
        ),
        *([_box(b"grpl", b"".join(grouped))] if grouped else []),
    ]

    def meta(start: int) -> bytes:
        listed, at = b"", start
        for number, item in items.items():
            listed += struct.pack(">HHHII", number, 0, 1, at, len(item.data))
            at += len(item.data)
        places = _full(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)) + listed)
        return _full(b"meta", b"".join((*fixed[:2], places, *fixed[2:])))

    head = _box(b"ftyp", new[b"ftyp"] + brand)
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + _box(b"mdat", b"".join(item.data for item in items.values()))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, body: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">B", version) + flags.to_bytes(3, "big") + body)
