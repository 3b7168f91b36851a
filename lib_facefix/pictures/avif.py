"""The colour tags of AVIF, which Pillow neither tells nor writes."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from io import BytesIO

from .claims import GAIN_MAP, boxes

_PARENTS = {b"meta": 4, b"iprp": 0, b"ipco": 0}
"""Boxes that hold others, and the bytes before these."""
_UNSPECIFIED = 2
_HDR = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True, slots=True)
class Colours:
    """Colour tags of the file."""

    nclx: tuple[int, int] | None
    """Primaries and transfer, by their numbers in ITU-T H.273."""
    said: list[str]
    """Tags that a new file lacks."""


def avif_colours(whole: bytes) -> Colours:
    """Return the colour tags of a file, and what of its depth is lost: we write 8 bits."""
    nclx, bits = None, 8
    for kind, body in _properties(whole):
        if kind == b"colr" and body[:4] == b"nclx" and len(body) >= 8 and nclx is None:
            nclx = struct.unpack_from(">HH", body, 4)
        elif kind == b"av1C" and len(body) > 2 and body[2] & 0x40:
            bits = max(bits, 12 if body[2] & 0x20 else 10)
    said = [GAIN_MAP] if b"tmap" in dict(_properties(whole)).get(b"iinf", b"") else []
    said += [f"Its {bits} bits a sample became 8."] if bits > 8 else []
    return Colours(nclx if nclx and nclx != (_UNSPECIFIED, _UNSPECIFIED) else None, said)


def _properties(whole: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    for kind, body in boxes(whole):
        found += _properties(body[_PARENTS[kind] :]) if kind in _PARENTS else [(kind, body)]
    return found


def with_nclx(packed: BytesIO, nclx: tuple[int, int]) -> None:
    """Name primaries and transfer in a file that Pillow packed; the matrix, by which its numbers were made, stays."""
    whole = packed.getvalue()
    for found in re.finditer(rb"colrnclx", whole[: whole.find(b"mdat")]):
        packed.seek(found.end())
        packed.write(struct.pack(">HH", *nclx))


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
