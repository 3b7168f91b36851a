"""The syntax of the setting `detector`: which detectors find faces, and how FaceFix combines their results.

A detector is a name or a file, with the classes to detect in square brackets: `blazeface`, `face_yolov8n.pt`,
`C:/models/yolo11n-seg.onnx[person]`. Operators are evaluated from left to right:

    blazeface + centerface          faces that either finds
    yolo11n.onnx[face] - blazeface  faces that only the first finds
    2 of blazeface, centerface, yunet
    yolo11n.onnx[person] - (blazeface + centerface)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from pathlib import Path

from ..errors import BadSetting, quote_value, suggest
from ..registry import DETECTORS
from .expression import Grammar

SUFFIXES = (".onnx", ".pt")
"""Suffixes of model files, given by path, or by name if they are in a models folder."""
SAME_NET = {"mediapipe_face_mesh": "mediapipe_face_full"}
"""ADetailer's name for a detector with a mesh, and the name of the detector alone."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One detector: a name in the registry, or a model file."""

    name: str
    classes: tuple[str, ...] = ()
    """Names or numbers of the classes to detect; empty means all."""

    @property
    def is_file(self) -> bool:
        """True for a model file."""
        return self.name.lower().endswith(SUFFIXES)


@dataclass(frozen=True, slots=True)
class Union:
    """Faces found by any of these detectors."""

    parts: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Faces found by the first detector, but not by the second."""

    found: Wanted
    unless: Wanted


@dataclass(frozen=True, slots=True)
class Vote:
    """Faces found by at least `least` of these detectors."""

    least: int
    parts: tuple[Wanted, ...]


Wanted = Leaf | Union | Difference | Vote


@lru_cache(maxsize=64)
def parse_detector(text: str) -> Wanted:
    """Parse the setting `detector`; raises `BadSetting`, also for an unknown name."""
    return _GRAMMAR.parse(text)


def quote_name(name: str) -> str:
    """Return a file name as `parse_detector` reads it: in quotes if it contains an operator, comma or bracket."""
    return name if "," not in name and _is_read_as(f"({name})", name) else f'"{name}"'


def is_valid_name(name: str) -> bool:
    """Return True if the setting `detector` can contain this file name: it must be text without quotes."""
    try:
        name.encode()
    except UnicodeEncodeError:  # the file system returned bytes that are not valid text
        return False
    return _is_read_as(quote_name(name), name)


def is_valid_class(name: str) -> bool:
    """Return True if the setting `detector` can contain this class name between square brackets."""
    return bool(name) and name == name.strip() and not set(name) & set(",]\0")


def detector_files(text: str) -> tuple[str, ...]:
    """Return the model files that a setting names by path, not just by name; raises `BadSetting`."""
    return tuple(name for name in detector_names(parse_detector(text)) if Path(name).name != name)


def detector_names(wanted: Wanted) -> Iterator[str]:
    """Yield the name or file of every detector in the expression."""
    return (leaf.name for leaf in _leaves(wanted))


def format_detector(wanted: Wanted) -> str:
    """Return the expression that `parse_detector` reads as this."""
    if isinstance(wanted, Leaf):
        classes = f"[{', '.join(wanted.classes)}]" if wanted.classes else ""
        return f"{quote_name(wanted.name)}{classes}"
    if isinstance(wanted, Difference):
        return " - ".join(map(_format_term, (wanted.found, wanted.unless)))
    terms = map(_format_term, wanted.parts)
    return f"{wanted.least} of {', '.join(terms)}" if isinstance(wanted, Vote) else " + ".join(terms)


def split_classes(text: str) -> tuple[tuple[str, str], ...]:
    """Return each class in the setting `detector`, in order, with the setting for it alone; none for fewer than two.

    "a.onnx[face, hand] - blazeface" gives "a.onnx[face] - blazeface" and "a.onnx[hand] - blazeface".
    Raises `BadSetting` if the classes belong to one of several detectors, whose other finds would be split, too.
    """
    wanted, taken = parse_detector(text), list[Wanted]()
    while isinstance(wanted, Difference):
        taken.append(wanted.unless)
        wanted = wanted.found
    if all(len(leaf.classes) < 2 for leaf in _leaves(wanted)):
        return ()
    if not isinstance(wanted, Leaf):
        raise BadSetting(
            f"Detector: one pass for each class needs one model file, such as model.onnx[face, hand], not "
            f"{quote_value(text)}. Give each detector a pass of its own"
        )
    alone: dict[str, Wanted] = {name: Leaf(wanted.name, (name,)) for name in wanted.classes}
    return tuple((name, format_detector(reduce(Difference, reversed(taken), leaf))) for name, leaf in alone.items())


def choose_classes(text: str, classes: Sequence[str]) -> str:
    """Return the setting `detector`, a single model file, with other classes; raises `BadSetting`."""
    wanted = parse_detector(text)
    if not isinstance(wanted, Leaf):
        raise BadSetting("Detector: classes can only be chosen for a single model file")
    return format_detector(replace(wanted, classes=tuple(classes)))


def _format_term(wanted: Wanted) -> str:
    return format_detector(wanted) if isinstance(wanted, Leaf) else f"({format_detector(wanted)})"


def _leaves(wanted: Wanted) -> Iterator[Leaf]:
    """Yield every detector in the expression."""
    if isinstance(wanted, Leaf):
        yield wanted
        return
    for part in (wanted.found, wanted.unless) if isinstance(wanted, Difference) else wanted.parts:
        yield from _leaves(part)


def _is_read_as(text: str, name: str) -> bool:
    try:
        return parse_detector(text) == Leaf(name)
    except BadSetting:
        return False


def _leaf(text: str) -> Leaf:
    found = re.fullmatch(r"""(?:"([^"]+)"\s*|([^\["]+))(?:\[([^\]]*)\])?""", text)
    if not found:
        example = 'Write it like "blazeface + centerface"'
        raise BadSetting(f"Detector: a name or a file is missing in {quote_value(text)}. {example}")
    name = found[1] or found[2].rstrip()
    name = SAME_NET.get(name, name)
    classes = tuple(filter(None, map(str.strip, (found[3] or "").split(","))))
    leaf = Leaf(name, classes)
    if name == "mediapipe_face_mesh_eyes_only":
        raise BadSetting(
            f"{name} is a detector and a mask in one. Choose mediapipe_face_full and the mask eyes instead"
        )
    if not leaf.is_file and name not in DETECTORS.names():
        raise BadSetting(
            f"Detector must be one of {', '.join(DETECTORS.names())}, or a model file ({', '.join(SUFFIXES)}); "
            f"combine several with ' + ', ' - ', brackets or '2 of a, b, c'; not "
            f"{quote_value(name)}.{suggest(name, DETECTORS.names())}".removesuffix(".")
        )
    if classes and not leaf.is_file and not DETECTORS[name].classes:
        raise BadSetting(f"{name} detects only faces. Remove the classes [{', '.join(classes)}]")
    return leaf


def _join(first: Wanted, sign: str, second: Wanted) -> Wanted:
    if sign == "-":
        return Difference(first, second)
    return Union((*(first.parts if isinstance(first, Union) else (first,)), second))


def _vote(least: int, parts: tuple[Wanted, ...]) -> Vote:
    if not 1 <= least <= len(parts):
        raise BadSetting(f"Detector: {least} of {len(parts)} cannot agree. Choose 1 to {len(parts)}")
    return Vote(least, parts)


_GRAMMAR: Grammar[Wanted] = Grammar(
    "Detector",
    "detector",
    "+ - (with a space on each side)",
    'such as "blazeface + centerface"; put names with operators or brackets in quotes',
    re.compile(r'"[^"]*"|\[[^\]]*\]|\s(?P<sign>[+-])\s+|[,()]'),
    _leaf,
    _join,
    _vote,
)
