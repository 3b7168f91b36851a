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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
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


def detector_files(text: str) -> tuple[str, ...]:
    """Return the model files that a setting names by path, not just by name; raises `BadSetting`."""
    return tuple(name for name in detector_names(parse_detector(text)) if Path(name).name != name)


def detector_names(wanted: Wanted) -> Iterator[str]:
    """Yield the name or file of every detector in the expression."""
    if isinstance(wanted, Leaf):
        yield wanted.name
    elif isinstance(wanted, Difference):
        yield from (*detector_names(wanted.found), *detector_names(wanted.unless))
    else:
        for part in wanted.parts:
            yield from detector_names(part)


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
    is_file = name.lower().endswith(SUFFIXES)
    if name == "mediapipe_face_mesh_eyes_only":
        raise BadSetting(
            f"{name} is a detector and a mask in one. Choose mediapipe_face_full and the mask eyes instead"
        )
    if not is_file and name not in DETECTORS.names():
        raise BadSetting(
            f"Detector must be one of {', '.join(DETECTORS.names())}, or a model file ({', '.join(SUFFIXES)}); "
            f"combine several with ' + ', ' - ', brackets or '2 of a, b, c'; not "
            f"{quote_value(name)}.{suggest(name, DETECTORS.names())}".removesuffix(".")
        )
    if classes and not is_file and not DETECTORS[name].classes:
        raise BadSetting(f"{name} detects only faces. Remove the classes [{', '.join(classes)}]")
    return Leaf(name, classes)


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
