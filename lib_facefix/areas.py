"""Which part of a face may change, as people write it: "hull", "eyes + lips", "hull - parsing:hair,glasses".

Names of the catalogue of masks are joined from left to right, and brackets come first: `+` (or `|`) is both together;
behind `&` stands what the area is limited to, and behind `-` what is taken away from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .catalog import MASKERS
from .errors import BadSetting

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
SIGNS = {"+": "+", "|": "+", "&": "&", "-": "-"}
READY = (*(name for name in MASKERS.names() if name != "occluders"), "hull & person", "hull - occluders")
"""What a form offers; whatever else can be said may be typed."""
LONGEST = 300
"""Letters of a text."""
_WORD = re.compile(r"\s*(?:([a-z]+)((?:\s*[:,]\s*[a-z]+)*)|([-+|&()]))\s*", re.IGNORECASE)
_EXAMPLES = 'such as "hull", "eyes + lips", "hull & person" or "hull - parsing:hair,glasses"'


@dataclass(frozen=True, slots=True)
class Part:
    """One mask of the catalogue."""

    name: str
    classes: tuple[str, ...] = ()
    """Of "parsing": which of `CLASSES`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two areas joined."""

    first: Area
    sign: str
    """"+" both together, "&" the first limited to the second, "-" the first without the second."""
    second: Area


Area = Part | Pair


@lru_cache(maxsize=256)
def read_area(text: str) -> Area:
    """Return what the text says; raises `BadSetting`."""
    if len(text) > LONGEST:
        raise BadSetting(f"Mask must be shorter than {LONGEST} letters, {_EXAMPLES}")
    words = list(_words(text))
    area = _joined(words)
    if words:
        raise BadSetting(f"Mask has a closing bracket too many: {text!r}")
    return area


def parts_of(area: Area) -> Iterator[Part]:
    """Yield the masks that it is made of, from left to right."""
    if isinstance(area, Part):
        yield area
    else:
        yield from parts_of(area.first)
        yield from parts_of(area.second)


def keeps_to_face(area: Area) -> bool:
    """Return whether it lies within box, ellipse, mesh or outline of the face, whatever the picture shows."""
    if isinstance(area, Part):
        return area.name not in BEYOND
    if area.sign == "+":
        return keeps_to_face(area.first) and keeps_to_face(area.second)
    return keeps_to_face(area.first) or (area.sign == "&" and keeps_to_face(area.second))


def _words(text: str) -> Iterator[Part | str]:
    """Yield the parts, signs and brackets of the text."""
    at = 0
    while at < len(text) or not text:
        found = _WORD.match(text, at)
        if not found:
            raise _unknown(text)
        name, classes, sign = found.groups()
        yield sign or _part(name.lower(), tuple(re.findall("[a-z]+", classes.lower())))
        at = found.end()


def _part(name: str, classes: tuple[str, ...]) -> Part:
    name = ALSO.get(name, name)
    if name not in MASKERS.names():
        raise _unknown(name)
    if name != "parsing" and classes:
        raise BadSetting(f"Mask: {name} has no classes; only parsing has, as in parsing:hair,glasses")
    unknown = [one for one in classes if one not in CLASSES]
    if unknown:
        raise BadSetting(f"Mask: parsing:... must name some of {', '.join(CLASSES)}; not {', '.join(unknown)}")
    return Part(name, classes or (FACE if name == "parsing" else ()))


def _unknown(text: str) -> BadSetting:
    return BadSetting(f"Mask must be one of {', '.join(MASKERS.names())}, or several joined, {_EXAMPLES}; not {text!r}")


def _joined(words: list[Part | str]) -> Area:
    """Return what the words up to a closing bracket say; they are taken from the list."""
    area = _single(words)
    while words and words[0] != ")":
        sign = words.pop(0)
        if not isinstance(sign, str) or sign not in SIGNS:
            raise BadSetting(f"Mask: between two masks must stand one of + & -, {_EXAMPLES}")
        area = Pair(area, SIGNS[sign], _single(words))
    return area


def _single(words: list[Part | str]) -> Area:
    """Return the part, or what stands in brackets, at the head of the list; it is taken from it."""
    word = words.pop(0) if words else ""
    if isinstance(word, Part):
        return word
    if word != "(":
        raise BadSetting(f"Mask: a mask must stand on either side of + & -, {_EXAMPLES}")
    area = _joined(words)
    if not words:
        raise BadSetting(f"Mask has an opening bracket too many, {_EXAMPLES}")
    words.pop(0)
    return area
