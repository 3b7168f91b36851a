"""Which part of a face may change, as people write it: "hull", "eyes + lips", "hull - parsing:hair,glasses".

Names of the catalogue of masks are joined from left to right, and brackets come first: `+` (or `|`) is both together;
behind `&` stands what the area is limited to, and behind `-` what is taken away from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..errors import BadSetting, shown
from ..registry import MASKERS
from .expression import Grammar, missing_sign

CLASSES = (
    "skin", "brows", "eyes", "glasses", "ears", "earrings", "nose", "mouth", "lips", "neck", "necklace", "cloth",
    "hair", "hat",
)  # fmt: skip
"""What a face parser tells apart; "mouth" is what shows between the lips."""
FACE = ("skin", "brows", "eyes", "glasses", "nose", "mouth", "lips")
"""What "parsing" means where it names no classes."""
ALSO = {"whole": "hull", "face": "hull", "segment": "segmentation", "outline": "segmentation"}
"""Other names."""
BEYOND = ("person", "parsing", "occluders")
"""Masks that may reach further than a face does."""
READY = (*(name for name in MASKERS.names() if name != "occluders"), "hull & person", "hull - occluders")
"""What a form offers; whatever else can be said may be typed."""
_TERM = re.compile(r"([a-z]+)((?:\s*[:,]\s*[a-z]+)*)\s*", re.IGNORECASE)
_EXAMPLES = 'such as "hull", "eyes + lips", "hull & person" or "hull - parsing:hair,glasses"'


@dataclass(frozen=True, slots=True)
class MaskTerm:
    """One mask of the catalogue."""

    name: str
    classes: tuple[str, ...] = ()
    """Of "parsing": which of `CLASSES`."""


@dataclass(frozen=True, slots=True)
class BinaryOp:
    """Two areas joined."""

    first: Area
    sign: str
    """"+" both together, "&" the first limited to the second, "-" the first without the second."""
    second: Area


Area = MaskTerm | BinaryOp


@lru_cache(maxsize=256)
def parse_mask(text: str) -> Area:
    """Return what the text says; raises `BadSetting`."""
    if not text.strip():
        raise _unknown(text)
    return GRAMMAR.parse(text)


def mask_terms(area: Area) -> Iterator[MaskTerm]:
    """Yield the masks that it is made of, from left to right."""
    if isinstance(area, MaskTerm):
        yield area
    else:
        yield from mask_terms(area.first)
        yield from mask_terms(area.second)


def keeps_to_face(area: Area) -> bool:
    """Return whether it lies within box, ellipse, mesh or outline of the face, whatever the picture shows."""
    if isinstance(area, MaskTerm):
        return area.name not in BEYOND
    if area.sign == "+":
        return keeps_to_face(area.first) and keeps_to_face(area.second)
    return keeps_to_face(area.first) or (area.sign == "&" and keeps_to_face(area.second))


def _term(text: str) -> MaskTerm:
    if not text:
        raise BadSetting(f"Mask: a mask must stand on either side of + & -, {_EXAMPLES}")
    found = _TERM.match(text)
    if not found:
        raise _unknown(text)
    if rest := text[found.end() :]:
        raise missing_sign(GRAMMAR) if rest[0].isalpha() or rest[0] == "(" else _unknown(text)
    name, classes = ALSO.get(found[1].lower(), found[1].lower()), tuple(re.findall("[a-z]+", found[2].lower()))
    if name not in MASKERS.names():
        raise _unknown(name)
    if name != "parsing" and classes:
        raise BadSetting(f"Mask: {name} has no classes; only parsing has, as in parsing:hair,glasses")
    unknown = [one for one in classes if one not in CLASSES]
    if unknown:
        raise BadSetting(f"Mask: parsing:... must name some of {', '.join(CLASSES)}; not {', '.join(unknown)[:80]}")
    return MaskTerm(name, classes or (FACE if name == "parsing" else ()))


def _join(first: Area, sign: str, second: Area) -> BinaryOp:
    return BinaryOp(first, "+" if sign == "|" else sign, second)


def _unknown(text: str) -> BadSetting:
    names = ", ".join(MASKERS.names())
    return BadSetting(f"Mask must be one of {names}, or several joined, {_EXAMPLES}; not {shown(text)}")


GRAMMAR: Grammar[Area] = Grammar("Mask", "mask", "+ & -", _EXAMPLES, re.compile(r"(?P<sign>[-+|&])|[()]"), _term, _join)
