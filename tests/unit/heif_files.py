"""Makes HEIC files of any structure from images that pillow-heif has coded."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from lib_facefix.pictures.claims import boxes

GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap\0"
DEPTH = b"urn:mpeg:hevc:2015:auxid:2\0"
TAILS = {b"mime": b"\0application/rdf+xml\0"}
"""What the entry of an item says behind its kind, if more than an empty name."""


def box(kind, *content):
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind, *content, version=0, flags=0):
    return box(kind, struct.pack(">B", version) + flags.to_bytes(3, "big"), *content)


def ispe(width, height):
    return full(b"ispe", struct.pack(">II", width, height))


@dataclass
class Entry:
    """One item to be written."""

    kind: bytes
    data: bytes
    properties: list = field(default_factory=list)
    """Whole boxes."""


def photo(width=64, height=48, seed=1):
    """Return smooth pixels in soft colours."""
    noise = np.random.default_rng(seed).integers(80, 176, (4, 4, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


def coded(pixels, **options):
    """Return pixels (H, W, 3), or (H, W) of grey, as a HEIC file of one image."""
    import pillow_heif

    file = io.BytesIO()
    deep = pixels.dtype == np.uint16
    options = {
        "quality": 90,
        "chroma": 420,
        "enc_params": {"preset": "ultrafast"},
        **({"bit_depth": 10} if deep else {}),
        **options,
    }
    mode = "L" if pixels.ndim == 2 else "RGB;10" if deep else "RGB"
    pillow_heif.encode(mode, pixels.shape[1::-1], pixels.tobytes(), file, **options)
    return file.getvalue()


def entry_of(pixels, size=None, more=(), **options):
    """Return pixels as an item that a file can be made of. size: what it claims. more: further properties."""
    whole = dict(boxes(coded(pixels, **options)))
    meta = dict(boxes(whole[b"meta"][4:]))
    found = dict(boxes(dict(boxes(meta[b"iprp"]))[b"ipco"]))
    size = size or pixels.shape[1::-1]
    properties = [box(b"hvcC", found[b"hvcC"]), ispe(*size), box(b"colr", found[b"colr"]), *more]
    return Entry(b"hvc1", whole[b"mdat"], properties)


def grid_of(size, across, down, more=()):
    """Return the item of a grid; its tiles come by references."""
    return Entry(b"grid", struct.pack(">BBBBII", 0, 1, down - 1, across - 1, *size), [ispe(*size), *more])


def heic(entries, references=(), primary=1, beside=b"", groups=()):
    """Return a file of these items, numbered from 1. references: kind, source, and targets. groups: kind and items."""
    known, tied = [], b""
    for number, entry in enumerate(entries, 1):
        for one in entry.properties:
            if one not in known:
                known.append(one)
        places = [known.index(one) + 1 for one in entry.properties]
        tied += struct.pack(">HB", number, len(places)) + b"".join(struct.pack(">H", place) for place in places)
    named = [struct.pack(">HH4s", number, 0, entry.kind) for number, entry in enumerate(entries, 1)]
    infos = [full(b"infe", name, TAILS.get(name[4:], b"\0"), version=2) for name in named]
    refs = b"".join(
        box(kind, struct.pack(">HH", source, len(targets)), struct.pack(f">{len(targets)}H", *targets))
        for kind, source, targets in references
    )

    grouped = [
        full(kind, struct.pack(f">II{len(numbers)}I", 90 + n, len(numbers), *numbers))
        for n, (kind, numbers) in enumerate(groups)
    ]

    def meta(start):
        places, at = b"", start
        for number, entry in enumerate(entries, 1):
            places += struct.pack(">HHHII", number, 0, 1, at, len(entry.data))
            at += len(entry.data)
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", primary)),
            full(b"iloc", struct.pack(">BBH", 0x44, 0, len(entries)), places),
            full(b"iinf", struct.pack(">H", len(entries)), *infos),
            *([full(b"iref", refs)] if refs else []),
            box(
                b"iprp",
                box(b"ipco", *known),
                full(b"ipma", struct.pack(">I", len(entries)), tied, flags=1),
            ),
            *([box(b"grpl", *grouped)] if groups else []),
        )

    head = box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic")
    start = len(head) + len(meta(0)) + len(beside) + 8
    return head + meta(start) + beside + box(b"mdat", *(entry.data for entry in entries))
