"""The detector factory: creates a detector from the setting `detector`."""

import math
from functools import partial

import cv2
import numpy as np

from ..detectors.combined import Excepting, Voting
from ..detectors.marks import move_face
from ..detectors.turned import TurnedDetector
from ..errors import BadModel
from ..imaging.boxes import clip, grow
from ..models.store import DETECTING, ModelStore
from ..models.yolo_files import yolo_file
from ..protocols import Detector
from ..registry import DETECTORS, LANDMARKERS, ModelInfo
from ..settings.detector_expression import Difference, Leaf, Vote, Wanted, detector_names, parse_detector
from ..types import Face, Image

SMALLEST_DENOISED = 40
"""Smallest side, in pixels, of a part that is denoised: a median filter erases smaller faces."""
_ONNX = DETECTORS["yolov8n-face"].target
"""Function that creates a detector from an `.onnx` file of any YOLO model, as "module:function"."""


def make_detector(store: ModelStore, detector: str | Wanted, angles: str) -> Detector:
    """Return what looks for faces as the setting `detector` says; raises a `FaceFixError` where it cannot.

    store: loads and caches each single detector. angles: rotations in which each of them searches the image, see
    `TurnedDetector`.
    """
    wanted = parse_detector(detector) if isinstance(detector, str) else detector
    if isinstance(wanted, Leaf):
        return _load_turned(store, angles, wanted)
    if isinstance(wanted, Difference):
        return Excepting(*(make_detector(store, part, angles) for part in (wanted.found, wanted.unless)))
    parts = [make_detector(store, part, angles) for part in wanted.parts]
    return Voting(parts, wanted.least if isinstance(wanted, Vote) else 1)


def try_detector(store: ModelStore, text: str) -> None:
    """Raise a `FaceFixError` if a detector cannot be used: load it, and run its model files on an empty image."""
    wanted = parse_detector(text)
    detector = make_detector(store, wanted, "off")
    if all(name in DETECTORS.names() for name in detector_names(wanted)):
        return
    try:
        detector.detect(np.zeros((64, 64, 3), np.uint8), 1.0)
    except MemoryError as error:
        raise BadModel(f"the detector {text} needs more memory than this machine has. Choose another one.") from error


def _load_turned(store: ModelStore, angles: str, wanted: Leaf) -> Detector:
    """Return one detector that also searches the rotated image.

    The face mesh confirms detections of photographed people. It does not know drawn faces or other YOLO classes.
    """
    people = wanted.name in DETECTORS.names() and not DETECTORS[wanted.name].classes
    return TurnedDetector(_load_one(store, wanted), angles, partial(_sees_face, store) if people else None)


def _sees_face(store: ModelStore, image: Image, face: Face) -> bool:
    """Return whether the face mesh confirms a detected face, in the image as it is or denoised."""
    mesh = store.load(LANDMARKERS, "facemesh")
    if mesh.locate(image, face).mesh is not None:
        return True
    around = clip(grow(face.box, 0.75), image.shape[1], image.shape[0])
    left, top = math.floor(around.left), math.floor(around.top)
    part = image[top : math.ceil(around.bottom), left : math.ceil(around.right)]
    if min(part.shape[:2]) < SMALLEST_DENOISED:
        return False
    clean = np.asarray(cv2.medianBlur(np.ascontiguousarray(part), 5), np.uint8)
    return mesh.locate(clean, move_face(face, -left, -top)).mesh is not None


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
