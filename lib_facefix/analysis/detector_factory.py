"""The detector factory: detectors found by name or file, and put together as the setting `detector` says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ..detectors.combined import Excepting, Voting
from ..detectors.turned import TurnedDetector
from ..errors import BadModel
from ..models.store import DETECTING, ModelStore
from ..models.yolo_files import yolo_file
from ..protocols import Detector
from ..registry import DETECTORS, ModelInfo
from ..settings.detector_expression import Difference, Leaf, Vote, Wanted, names_in, parse_detector

_ONNX = DETECTORS["yolov8n-face"].target
"""The function that makes a detector of any YOLO model's `.onnx`."""


def make_detector(store: ModelStore, text: str, angles: str) -> Detector:
    """Return what looks for faces as the setting `detector` says; raises a `FaceFixError` where it cannot.

    store: loads and keeps each single detector. angles: each looks at the turned picture for itself, see
    `TurnedDetector`.
    """
    return _combine(parse_detector(text), angles, partial(_load_one, store))


def try_detector(store: ModelStore, text: str) -> None:
    """Raise a `FaceFixError` where a detector cannot be used: it is loaded, and a model file looks at a picture."""
    detector = make_detector(store, text, "off")
    if all(name in DETECTORS.names() for name in names_in(parse_detector(text))):
        return
    try:
        detector.detect(np.zeros((64, 64, 3), np.uint8), 1.0)
    except MemoryError as error:
        raise BadModel(f"the detector {text} needs more memory than this machine has; choose another") from error


def _combine(wanted: Wanted, angles: str, load: Callable[[Leaf], Detector]) -> Detector:
    if isinstance(wanted, Leaf):
        return TurnedDetector(load(wanted), angles)
    if isinstance(wanted, Difference):
        return Excepting(*(_combine(part, angles, load) for part in (wanted.found, wanted.unless)))
    parts = [_combine(part, angles, load) for part in wanted.parts]
    return Voting(parts, wanted.least if isinstance(wanted, Vote) else 1)


def _load_one(store: ModelStore, wanted: Leaf) -> Detector:
    if wanted.name in DETECTORS.names():
        info = DETECTORS[wanted.name]
        return store.load(DETECTORS, wanted.name, *_arguments(info, wanted, store))
    path = yolo_file(wanted.name, store.paths)
    target = ".detectors.yolo_pt:from_pt" if path.suffix.lower() == ".pt" else _ONNX
    own: ModelInfo[Detector] = ModelInfo(str(path), path.name, target, classes=True)
    return store.load_file(own, path, *_arguments(own, wanted, store), group=DETECTING)


def _arguments(info: ModelInfo[Detector], wanted: Leaf, store: ModelStore) -> tuple[tuple[str, ...] | str, ...]:
    """Return what a detector's class is given beside its file: the classes to find, and the precision of YOLO nets."""
    classes = (wanted.classes,) if info.classes else ()
    return (*classes, store.precision) if info.target == _ONNX else classes
