"""The syntax of the setting `mask`: "hull", "eyes + lips", "hull - parsing:hair,glasses".

Mask names are combined from left to right: `+` (or `|`) is the union, `&` the intersection, `-` the difference.
Brackets group them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..errors import BadSetting, quote_value
from ..registry import MASKERS
from .expression import Grammar, missing_sign

CLASSES = (
    "skin", "brows", "eyes", "glasses", "ears", "earrings", "nose", "mouth", "lips", "neck", "necklace", "cloth",
    "hair", "hat",
)  # fmt: skip
"""Classes of a face parser; "mouth" is the area between the lips."""
FACE_CLASSES = ("skin", "brows", "eyes", "glasses", "nose", "mouth", "lips")
"""Classes of "parsing" if the setting names none."""
MASK_ALIASES = {"whole": "hull", "face": "hull", "segment": "segmentation", "outline": "segmentation"}
"""Aliases of mask names."""
BEYOND_FACE = ("person", "parsing", "occluders")
"""Masks that may extend beyond the face."""
COMMON_MASKS = (*(name for name in MASKERS.names() if name != "occluders"), "hull & person", "hull - occluders")
"""Choices in forms; people can type any other expression."""
_TERM = re.compile(r"([a-z]+)((?:\s*[:,]\s*[a-z]+)*)\s*", re.IGNORECASE)
_EXAMPLES = 'such as "hull", "eyes + lips", "hull & person" or "hull - parsing:hair,glasses"'


@dataclass(frozen=True, slots=True)
class MaskTerm:
    """One mask of the registry."""

    name: str
    classes: tuple[str, ...] = ()
    """Selected `CLASSES` of the mask "parsing"."""


@dataclass(frozen=True, slots=True)
class BinaryOp:
    """Two masks and the operator between them."""

    first: Area
    sign: str
    """The operator: "+" union, "&" intersection, "-" difference."""
    second: Area


Area = MaskTerm | BinaryOp


@lru_cache(maxsize=256)
def parse_mask(text: str) -> Area:
    """Return the parsed mask expression; raises `BadSetting`."""
    if not text.strip():
        raise _unknown(text)
    return GRAMMAR.parse(text)


def mask_terms(area: Area) -> Iterator[MaskTerm]:
    """Yield the single masks of an expression, from left to right."""
    if isinstance(area, MaskTerm):
        yield area
    else:
        yield from mask_terms(area.first)
        yield from mask_terms(area.second)


def keeps_to_face(area: Area) -> bool:
    """Return True if the mask always stays within the box, ellipse, mesh or outline of the face."""
    if isinstance(area, MaskTerm):
        return area.name not in BEYOND_FACE
    if area.sign == "+":
        return keeps_to_face(area.first) and keeps_to_face(area.second)
    return keeps_to_face(area.first) or (area.sign == "&" and keeps_to_face(area.second))


def _term(text: str) -> MaskTerm:
    if not text:
        raise BadSetting(f"Mask: put a mask on each side of + & -, {_EXAMPLES}")
    found = _TERM.match(text)
    if not found:
        raise _unknown(text)
    if rest := text[found.end() :]:
        raise missing_sign(GRAMMAR) if rest[0].isalpha() or rest[0] == "(" else _unknown(text)
    name, classes = MASK_ALIASES.get(found[1].lower(), found[1].lower()), tuple(re.findall("[a-z]+", found[2].lower()))
    if name not in MASKERS.names():
        raise _unknown(name)
    if name != "parsing" and classes:
        raise BadSetting(f"Mask: {name} has no classes. Only parsing has them, as in parsing:hair,glasses")
    if unknown := [label for label in classes if label not in CLASSES]:
        raise BadSetting(f"Mask: parsing:... must name some of {', '.join(CLASSES)}; not {', '.join(unknown)[:80]}")
    return MaskTerm(name, classes or (FACE_CLASSES if name == "parsing" else ()))


def _join(first: Area, sign: str, second: Area) -> BinaryOp:
    return BinaryOp(first, "+" if sign == "|" else sign, second)


def _unknown(text: str) -> BadSetting:
    names = ", ".join(MASKERS.names())
    return BadSetting(f"Mask must be one of {names}, or several combined, {_EXAMPLES}; not {quote_value(text)}")


GRAMMAR: Grammar[Area] = Grammar("Mask", "mask", "+ & -", _EXAMPLES, re.compile(r"(?P<sign>[-+|&])|[()]"), _term, _join)
