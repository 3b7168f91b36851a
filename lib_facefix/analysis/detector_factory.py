"""The detector factory: creates a detector from the setting `detector`."""

import numpy as np

from ..detectors.combined import Excepting, Voting
from ..detectors.turned import TurnedDetector
from ..errors import BadModel
from ..models.store import DETECTING, ModelStore
from ..models.yolo_files import yolo_file
from ..protocols import Detector
from ..registry import DETECTORS, ModelInfo
from ..settings.detector_expression import Difference, Leaf, Vote, Wanted, detector_names, parse_detector

_ONNX = DETECTORS["yolov8n-face"].target
"""Function that creates a detector from an `.onnx` file of any YOLO model, as "module:function"."""


def make_detector(store: ModelStore, detector: str | Wanted, angles: str) -> Detector:
    """Return what looks for faces as the setting `detector` says; raises a `FaceFixError` where it cannot.

    store: loads and caches each single detector. angles: rotations in which each of them searches the image, see
    `TurnedDetector`.
    """
    wanted = parse_detector(detector) if isinstance(detector, str) else detector
    if isinstance(wanted, Leaf):
        return TurnedDetector(_load_one(store, wanted), angles)
    if isinstance(wanted, Difference):
        return Excepting(*(make_detector(store, part, angles) for part in (wanted.found, wanted.unless)))
    parts = [make_detector(store, part, angles) for part in wanted.parts]
    return Voting(parts, wanted.least if isinstance(wanted, Vote) else 1)


def try_detector(detector: Detector, text: str) -> None:
    """Run a detector that has model files on an empty image; raises a `FaceFixError` if it fails.

    text: value of the setting `detector`.
    """
    if all(name in DETECTORS.names() for name in detector_names(parse_detector(text))):
        return
    try:
        detector.detect(np.zeros((64, 64, 3), np.uint8), 1.0)
    except MemoryError as error:
        raise BadModel(f"the detector {text} needs more memory than this machine has. Choose another one.") from error


def _load_one(store: ModelStore, wanted: Leaf) -> Detector:
    if wanted.name in DETECTORS.names():
        info = DETECTORS[wanted.name]
        return store.load(DETECTORS, wanted.name, *_arguments(info, wanted, store))
    path = yolo_file(wanted.name, store.paths)
    target = ".detectors.yolo_pt:from_pt" if path.suffix.lower() == ".pt" else _ONNX
    own: ModelInfo[Detector] = ModelInfo(str(path), path.name, target, classes=True)
    return store.load_file(own, path, *_arguments(own, wanted, store), group=DETECTING)


def _arguments(info: ModelInfo[Detector], wanted: Leaf, store: ModelStore) -> tuple[tuple[str, ...] | str, ...]:
    """Return the arguments of a detector besides its file: classes to detect, and the precision of YOLO models."""
    classes = (wanted.classes,) if info.classes else ()
    return (*classes, store.precision) if info.target == _ONNX else classes
