"""The detector factory: creates a detector from the setting `detector`."""

from functools import partial

import numpy as np

from ..detectors.combined import Excepting, Voting
from ..detectors.turned import TurnedDetector, rate_face
from ..errors import BadModel
from ..models.store import DETECTING, ModelStore
from ..models.yolo_files import yolo_file
from ..protocols import Detector
from ..registry import DETECTORS, LANDMARKERS, ModelInfo
from ..settings.detector_expression import Difference, Leaf, Vote, Wanted, detector_names, parse_detector

_ONNX = DETECTORS["yolov8n-face"].target
"""Function that creates a detector from an `.onnx` file of any YOLO model, as "module:function"."""


def make_detector(store: ModelStore, detector: str | Wanted, angles: str) -> Detector:
    """Return the detector for the setting `detector`; raises a `FaceFixError` if a part of it is not available.

    store: loads and caches each single detector. angles: rotations in which each of them searches the image, see
    `TurnedDetector`. The face mesh confirms detections of photographed people. It does not know drawn faces or other
    YOLO classes, so those need no confirmation.
    """
    wanted = parse_detector(detector) if isinstance(detector, str) else detector
    if isinstance(wanted, Difference):
        return Excepting(*(make_detector(store, part, angles) for part in (wanted.found, wanted.unless)))
    if not isinstance(wanted, Leaf):
        parts = [make_detector(store, part, angles) for part in wanted.parts]
        return Voting(parts, wanted.least if isinstance(wanted, Vote) else 1)
    if wanted.name in DETECTORS.names():
        info = DETECTORS[wanted.name]
        single = store.load(DETECTORS, wanted.name, *_arguments(info, wanted, store))
    else:
        path = yolo_file(wanted.name, store.paths)
        target = ".detectors.yolo_pt:from_pt" if path.suffix.lower() == ".pt" else _ONNX
        info = ModelInfo(str(path), path.name, target, classes=True)
        single = store.load_file(info, path, *_arguments(info, wanted, store), group=DETECTING)
    confirm = None if info.classes else partial(rate_face, store.load(LANDMARKERS, "facemesh"))
    return TurnedDetector(single, angles, confirm)


def check_detector(store: ModelStore, text: str) -> None:
    """Raise a `FaceFixError` if the setting `detector` names something unusable: run its files on an empty image.

    Of registered models, only package and files are checked, and nothing is loaded.
    """
    wanted = parse_detector(text)
    names = set(detector_names(wanted))
    registered = names.intersection(DETECTORS.names())
    for name in sorted(registered):
        store.check(DETECTORS, name)
    if registered == names:
        return
    try:
        make_detector(store, wanted, "off").detect(np.zeros((64, 64, 3), np.uint8), 1.0)
    except MemoryError as error:
        raise BadModel(f"the detector {text} needs more memory than this machine has. Choose another one.") from error


def _arguments(info: ModelInfo[Detector], wanted: Leaf, store: ModelStore) -> tuple[tuple[str, ...] | str, ...]:
    """Return the arguments of a detector besides its file: classes to detect, and the precision of YOLO models."""
    classes = (wanted.classes,) if info.classes else ()
    return (*classes, store.precision) if info.target == _ONNX else classes
