"""Which detectors look for faces, and how what they find is put together: the grammar of the setting `detector`.

One is named, or given as a file: `blazeface`, `face_yolov8n.pt`, `C:/models/yolo11n-seg.onnx[person]` with the
classes that count. Several are put together, from left to right, by words of their own:

    blazeface + centerface          what either finds
    yolo11n.onnx[face] - blazeface  what the first finds and the second does not
    2 of blazeface, centerface, yunet
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .catalog import DETECTORS
from .errors import BadSetting

SUFFIXES = (".onnx", ".pt")
"""Of model files that may be given by path, or by name where they lie in a folder of models."""
SAME_NET = {"mediapipe_face_mesh": "mediapipe_face_full"}
"""Names of ADetailer's under which we have the detector alone: the mesh is the landmarker's."""


@dataclass(frozen=True, slots=True)
class One:
    """A detector: a name of the catalogue, or a model file."""

    name: str
    classes: tuple[str, ...] = ()
    """Of what counts as found: names or numbers; none stands for all."""


@dataclass(frozen=True, slots=True)
class Either:
    """What any of these finds."""

    parts: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """What the first finds and the second does not."""

    found: Wanted
    unless: Wanted


@dataclass(frozen=True, slots=True)
class Vote:
    """What at least so many of these find."""

    least: int
    parts: tuple[Wanted, ...]


Wanted = One | Either | Without | Vote


def read_detector(text: str) -> Wanted:
    """Read what looks for faces; raises `BadSetting`, also for a name that is on offer nowhere."""
    if found := re.fullmatch(r"\s*(\d{1,2})\s+of\s+(.+)", text, re.DOTALL):
        parts = tuple(map(_one, _split(found[2], r"\s*,\s*")))
        if not 1 <= int(found[1]) <= len(parts):
            raise BadSetting(f"Detector: {found[1]} of {len(parts)} cannot agree; ask for 1 to {len(parts)}")
        return Vote(int(found[1]), parts)
    first, *rest = _split(text, r"\s+([+-])\s+")
    wanted: Wanted = _one(first)
    for sign, name in zip(rest[::2], rest[1::2], strict=True):
        if sign == "-":
            wanted = Without(wanted, _one(name))
        else:
            wanted = Either((*(wanted.parts if isinstance(wanted, Either) else (wanted,)), _one(name)))
    return wanted


def written(name: str) -> str:
    """Return a file's name as `read_detector` takes it: in quotes where something in it would be read as a sign."""
    return name if "," not in name and _is_read_as(name, name) else f'"{name}"'


def can_be_written(name: str) -> bool:
    """Return whether a file's name can be part of a setting at all: of text, and without a quote."""
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no text in the encoding of the file system
        return False
    return _is_read_as(written(name), name)


def files_in(text: str) -> tuple[str, ...]:
    """Return the model files that a setting gives by their paths; raises `BadSetting` as `read_detector` does.

    One without a folder is looked for in the folders of models alone.
    """
    return tuple(name for name in names_in(read_detector(text)) if Path(name).name != name)


def names_in(wanted: Wanted) -> Iterator[str]:
    """Yield the name or file of every detector in it."""
    if isinstance(wanted, One):
        yield wanted.name
    elif isinstance(wanted, Without):
        yield from (*names_in(wanted.found), *names_in(wanted.unless))
    else:
        for part in wanted.parts:
            yield from names_in(part)


def _is_read_as(text: str, name: str) -> bool:
    try:
        return read_detector(text) == One(name)
    except BadSetting:
        return False


def _split(text: str, at: str) -> list[str]:
    """Split at a pattern, but not inside [classes] nor inside "quotes"; its groups are among the parts."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    parts = re.split(at, re.sub(r'"[^"]*"|\[[^\]]*\]', keep, text))
    return [re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], part) for part in parts]


def _one(text: str) -> One:
    found = re.fullmatch(r"""\s*(?:"([^"]+)"|([^\["]+?))\s*(?:\[([^\]]*)\])?\s*""", text)
    if not found:
        raise BadSetting(f'Detector: a name or a file is missing in {text!r}; write it like "blazeface + centerface"')
    name = found[1] or found[2]
    name = SAME_NET.get(name, name)
    classes = tuple(filter(None, map(str.strip, (found[3] or "").split(","))))
    is_file = name.lower().endswith(SUFFIXES)
    if name == "mediapipe_face_mesh_eyes_only":
        raise BadSetting(f"{name} is a detector and a mask in one; choose mediapipe_face_full and a mask of the eyes")
    if not is_file and name not in DETECTORS.names():
        raise BadSetting(
            f"Detector must be one of {', '.join(DETECTORS.names())}, or a model file ({', '.join(SUFFIXES)}); "
            f"several are put together by ' + ', ' - ' and '2 of a, b, c'; not {name!r}"
        )
    if classes and not is_file and not DETECTORS[name].classes:
        raise BadSetting(f"{name} finds faces and nothing else, so no class of it can be chosen: {', '.join(classes)}")
    return One(name, classes)
