"""Which detectors look for faces, and how what they find is put together: the grammar of the setting `detector`.

One is named, or given as a file: `blazeface`, `face_yolov8n.pt`, `C:/models/yolo11n-seg.onnx[person]` with the
classes that count. Several are put together, from left to right, brackets first:

    blazeface + centerface          what either finds
    yolo11n.onnx[face] - blazeface  what the first finds and the second does not
    2 of blazeface, centerface, yunet
    yolo11n.onnx[person] - (blazeface + centerface)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadSetting, shown
from ..registry import DETECTORS
from .expression import Grammar

SUFFIXES = (".onnx", ".pt")
"""Of model files that may be given by path, or by name where they lie in a folder of models."""
SAME_NET = {"mediapipe_face_mesh": "mediapipe_face_full"}
"""Names of ADetailer's under which we have the detector alone: the mesh is the landmarker's."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A detector: a name of the catalogue, or a model file."""

    name: str
    classes: tuple[str, ...] = ()
    """Of what counts as found: names or numbers; none stands for all."""


@dataclass(frozen=True, slots=True)
class Union:
    """What any of these finds."""

    parts: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What the first finds and the second does not."""

    found: Wanted
    unless: Wanted


@dataclass(frozen=True, slots=True)
class Vote:
    """What at least so many of these find."""

    least: int
    parts: tuple[Wanted, ...]


Wanted = Leaf | Union | Difference | Vote


def parse_detector(text: str) -> Wanted:
    """Read what looks for faces; raises `BadSetting`, also for a name that is on offer nowhere."""
    return _GRAMMAR.parse(text)


def quote_name(name: str) -> str:
    """Return a file's name as `read_detector` takes it: in quotes where something in it would be read as a sign."""
    return name if "," not in name and _is_read_as(f"({name})", name) else f'"{name}"'


def can_be_written(name: str) -> bool:
    """Return whether a file's name can be part of a setting at all: of text, and without a quote."""
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no text in the encoding of the file system
        return False
    return _is_read_as(quote_name(name), name)


def files_in(text: str) -> tuple[str, ...]:
    """Return the model files that a setting gives by their paths; raises `BadSetting` as `read_detector` does.

    One without a folder is looked for in the folders of models alone.
    """
    return tuple(name for name in names_in(parse_detector(text)) if Path(name).name != name)


def names_in(wanted: Wanted) -> Iterator[str]:
    """Yield the name or file of every detector in it."""
    if isinstance(wanted, Leaf):
        yield wanted.name
    elif isinstance(wanted, Difference):
        yield from (*names_in(wanted.found), *names_in(wanted.unless))
    else:
        for part in wanted.parts:
            yield from names_in(part)


def _is_read_as(text: str, name: str) -> bool:
    try:
        return parse_detector(text) == Leaf(name)
    except BadSetting:
        return False


def _leaf(text: str) -> Leaf:
    found = re.fullmatch(r"""(?:"([^"]+)"\s*|([^\["]+))(?:\[([^\]]*)\])?""", text)
    if not found:
        example = 'write it like "blazeface + centerface"'
        raise BadSetting(f"Detector: a name or a file is missing in {shown(text)}; {example}")
    name = found[1] or found[2].rstrip()
    name = SAME_NET.get(name, name)
    classes = tuple(filter(None, map(str.strip, (found[3] or "").split(","))))
    is_file = name.lower().endswith(SUFFIXES)
    if name == "mediapipe_face_mesh_eyes_only":
        raise BadSetting(f"{name} is a detector and a mask in one; choose mediapipe_face_full and a mask of the eyes")
    if not is_file and name not in DETECTORS.names():
        raise BadSetting(
            f"Detector must be one of {', '.join(DETECTORS.names())}, or a model file ({', '.join(SUFFIXES)}); "
            f"several are put together by ' + ', ' - ', brackets and '2 of a, b, c'; not {shown(name)}"
        )
    if classes and not is_file and not DETECTORS[name].classes:
        raise BadSetting(f"{name} finds faces and nothing else, so no class of it can be chosen: {', '.join(classes)}")
    return Leaf(name, classes)


def _join(first: Wanted, sign: str, second: Wanted) -> Wanted:
    if sign == "-":
        return Difference(first, second)
    return Union((*(first.parts if isinstance(first, Union) else (first,)), second))


def _vote(least: int, parts: tuple[Wanted, ...]) -> Vote:
    if not 1 <= least <= len(parts):
        raise BadSetting(f"Detector: {least} of {len(parts)} cannot agree; ask for 1 to {len(parts)}")
    return Vote(least, parts)


_GRAMMAR: Grammar[Wanted] = Grammar(
    "Detector",
    "detector",
    "+ - (with a space on each side)",
    'such as "blazeface + centerface"; names that have signs or brackets go into quotes',
    re.compile(r'"[^"]*"|\[[^\]]*\]|\s(?P<sign>[+-])\s+|[,()]'),
    _leaf,
    _join,
    _vote,
)
