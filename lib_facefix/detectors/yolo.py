"""Faces, persons or other objects from YOLO networks (v5, v8 and later), for all kinds of model files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..errors import BadSetting
from ..imaging.boxes import clip, nms
from ..imaging.letterbox import Letterbox, input_size, letterbox
from ..inference import Blob, Network, check_outputs
from ..types import Box, Face, Image
from .marks import tilt_of
from .outlines import outline_of
from .yolo_outputs import FACE_POINTS, Detections, OutputSpec, are_maps, as_table, read_rows

SIDE = 640
"""Longer side of the input, in pixels, if the model file does not give it."""
PADDING_GREY = 114
"""Grey level with which ultralytics pads the input."""
NMS_IOU = 0.7
"""IoU above which two detections of one class are merged, as in ultralytics."""


@dataclass(frozen=True, slots=True, eq=False)
class YoloNet:
    """A loaded YOLO network with the metadata of its file."""

    file: str
    run: Network
    names: dict[int, str]
    """Class names by number; empty if the file does not give them."""
    points: tuple[int, int] | None = None
    """Number of key points and of values for each."""
    size: tuple[int, int] | None = None
    """Width and height of the input, in pixels; None if any multiples of 32 are accepted."""
    side: int = SIDE
    """Longer side of the input, in pixels, if `size` is None."""


class Yolo:
    """A `Detector` with landmarks from five-point networks, and outlines from segmenting ones."""

    def __init__(self, net: YoloNet, classes: Sequence[str] = ()) -> None:
        """classes: names or numbers of the classes to detect; all if empty. Raises `BadSetting` for an unknown one."""
        self._net = net
        self._kinds = _class_numbers(classes, net.names, net.file)
        self._spec = OutputSpec(len(net.names) or None, net.points)

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the detections scoring at least `min_score` (0..1), best first; image: RGB."""
        height, width = image.shape[:2]
        size = self._net.size or input_size(width, height, self._net.side)
        fitted = letterbox(image, size, fill=PADDING_GREY, centred=True, reduce=cv2.INTER_LINEAR)
        outputs = check_outputs(self._net.run(fitted.blob(0, 255)))
        if are_maps(outputs):
            outputs = [as_table(outputs, size[1])]
        rows, prototypes = read_rows(outputs, self._spec)
        kept = _distinct(rows.only(_select_rows(rows, min_score, self._kinds)))
        faces = (_face(kept, i, fitted, prototypes, Box(0, 0, width, height)) for i in range(len(kept.scores)))
        return tuple(face for face in faces if face.box.area)  # some networks detect objects in the padding


def _select_rows(rows: Detections, min_score: float, kinds: frozenset[int]) -> Any:
    sure = rows.scores >= max(min_score, np.finfo(float).tiny)
    real = (rows.corners[:, 1] > rows.corners[:, 0]).all(1)
    return sure & real & np.isin(rows.kinds, list(kinds)) if kinds else sure & real


def _distinct(rows: Detections) -> Detections:
    """Return the rows after NMS within each class, best first."""
    if rows.suppressed:
        return rows.only(np.argsort(-rows.scores, kind="stable"))
    apart = rows.kinds * (2 * np.abs(rows.corners).max(initial=0) + 1)  # moves each class to a place of its own
    return rows.only(nms(rows.corners + apart[:, None, None], rows.scores, NMS_IOU))


def _face(rows: Detections, i: int, fitted: Letterbox, prototypes: Blob, picture: Box) -> Face:
    corners = rows.corners[i]
    height, width = fitted.pixels.shape[:2]
    edge = outline_of(rows.weights[i], prototypes, corners, (width, height)) if len(prototypes) else None
    box = clip(Box(*fitted.to_source(corners).ravel().tolist()), picture.right, picture.bottom)
    marks = fitted.to_source(rows.marks[i]) if rows.marks.shape[1] == FACE_POINTS else None
    outline = None if edge is None else np.clip(fitted.to_source(edge), 0, (picture.right, picture.bottom))
    tilt = 0.0 if marks is None else tilt_of(marks)
    return Face(box, float(rows.scores[i]), marks, tilt, outline=outline)


def _class_numbers(classes: Sequence[str], names: Mapping[int, str], file: str) -> frozenset[int]:
    """Return the numbers of the classes, given by name or number; an empty set stands for all.

    names: the model's class names by number, empty if unknown. Raises `BadSetting` for an unknown class.
    """
    by_name = {name.casefold(): number for number, name in names.items()}
    found = set()
    for wanted in classes:
        if wanted.casefold() in by_name:
            found.add(by_name[wanted.casefold()])
        elif wanted.isdecimal() and (int(wanted) in names or not names):
            found.add(int(wanted))
        else:
            known = ", ".join(f"{number} {name}" for number, name in names.items())
            hint = f"Choose from: {known}" if names else "It has no class names, so give a number"
            raise BadSetting(f"{file} has no class {wanted!r}. {hint}.")
    return frozenset(found)
