"""The detectors in use: found by name or file, loaded once for the whole process, put together as the setting says."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from .catalog import DETECTORS, GUESSERS, LANDMARKERS, Entry
from .detecting import One, Vote, Wanted, Without, read_detector
from .detectors.combined import Excepting, Voting
from .detectors.turned import TurnedDetector
from .identity import Identity
from .loaded import Loaded, edition
from .protocols import Detector, Guesser, Landmarker
from .weights import ModelPaths, checked, published
from .yolo_files import yolo_file

Made = TypeVar("Made")

MOST = 8
"""Detectors that stay loaded: enough for a vote, few enough for small machines."""

_ONNX = DETECTORS["yolov8n-face"].location
"""What makes a detector of any YOLO model's `.onnx`."""
_loaded = Loaded(MOST)
"""By what they are made of: of a file, its place and when it last changed. Engines come and go, these stay."""


def detector(text: str, angles: str, places: ModelPaths, precision: str = "exact") -> Detector:
    """Return what looks for faces as the setting `detector` says; raises a `FaceFixError` where it cannot.

    angles: each of several looks at the turned picture for itself, see `TurnedDetector`. precision: of YOLO nets.
    """
    return _put_together(read_detector(text), angles, partial(_one, places=places, precision=precision))


def landmarker(name: str, places: ModelPaths) -> Landmarker:
    """Return the landmarker of that name; raises a `FaceFixError`."""
    entry = LANDMARKERS[name]
    return cast(Landmarker, _made(entry, _place(entry, places)))


def guesser(places: ModelPaths) -> Guesser:
    """Return what guesses gender and age; raises a `FaceFixError` where the user has no model for that."""
    [entry] = GUESSERS
    return cast(Guesser, _made(entry, _place(entry, places)))


def identity() -> Identity:
    """Return what tells people apart."""
    return once("identity", Identity)


def once(key: Hashable, make: Callable[[], Made]) -> Made:
    """Return what was made under that key before, or is made now."""
    return _loaded.get(("once", key), make)


def forget() -> None:
    """Let go of all; the next picture loads what it needs again."""
    _loaded.clear()


def _put_together(wanted: Wanted, angles: str, load: Callable[[One], Detector]) -> Detector:
    if isinstance(wanted, One):
        return TurnedDetector(load(wanted), angles)
    if isinstance(wanted, Without):
        return Excepting(*(_put_together(part, angles, load) for part in (wanted.found, wanted.unless)))
    parts = [_put_together(part, angles, load) for part in wanted.parts]
    return Voting(parts, wanted.least if isinstance(wanted, Vote) else 1)


def _one(wanted: One, places: ModelPaths, precision: str) -> Detector:
    if wanted.name in DETECTORS.names():
        entry, path = DETECTORS[wanted.name], _place(DETECTORS[wanted.name], places)
    else:
        path = yolo_file(wanted.name, places)
        entry = _yolo(path)
    more: tuple[object, ...] = (wanted.classes,) if entry.classes else ()
    if entry.location == _ONNX:
        more = (*more, precision)
    return cast(Detector, _made(entry, path, *more))


def _made(entry: Entry, path: Path | None, *more: object) -> object:
    """Return what the entry's class makes of its file, made now unless it is loaded."""
    if path is None:
        return _loaded.get((entry.location, more), lambda: entry.load()(*more))
    return _loaded.get((entry.location, edition(path), more), lambda: entry.load()(path, *more))


def _place(entry: Entry, places: ModelPaths) -> Path | None:
    """Return where the entry's file lies, None where it needs none; raises `BadModel`."""
    if entry.weights:
        return checked(places.require(entry), published(entry.weights), places.cache)
    return places.find_external(entry)


def _yolo(path: Path) -> Entry:
    location = ".detectors.yolo_pt:from_pt" if path.suffix.lower() == ".pt" else _ONNX
    return Entry(str(path), path.name, location, classes=True)
