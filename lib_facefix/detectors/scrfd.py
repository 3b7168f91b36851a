"""Faces from SCRFD, the detector in insightface's buffalo_l and antelopev2, without the insightface package.

Input and output are processed exactly as insightface does, so that both find the same boxes. The weights are for
non-commercial use only.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel
from ..imaging.boxes import nms, nms_faces
from ..imaging.letterbox import letterbox
from ..inference import Blob, check_outputs, load_as_made
from ..settings.devices import CPU, Device
from ..types import Face, Image
from .marks import make_face

SIDE = 640
"""Side of the network's square input, in pixels."""
ANCHORS = 2
"""Number of predictions for each cell."""
MEAN, DEVIATION = 127.5, 128.0
"""Value that is subtracted from the pixels, and divisor of the difference."""
NMS_IOU = 0.4
"""IoU above which insightface treats two boxes as one face."""

Floats = NDArray[np.float64]


class Scrfd:
    """A `Detector` with five points, if the network has them."""

    def __init__(self, weights: Path, device: Device = CPU) -> None:
        self._net, self._file = load_as_made(weights, device=device), weights.name

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        ratio = image.shape[0] / image.shape[1]
        inner = (max(1, int(SIDE / ratio)), SIDE) if ratio > 1 else (SIDE, max(1, int(SIDE * ratio)))
        fitted = letterbox(image, (SIDE, SIDE), inner=inner, reduce=cv2.INTER_LINEAR)
        levels = _levels(check_outputs(self._net(fitted.blob(MEAN, DEVIATION))), self._file)
        scores, boxes, marks = (np.concatenate(parts) for parts in zip(*map(_decode_level, levels), strict=True))
        real = (boxes[:, 1] > boxes[:, 0]).all(1)
        wanted = np.flatnonzero(real & (scores >= max(min_score, np.finfo(float).tiny)))
        kept = wanted[nms(boxes[wanted], scores[wanted], NMS_IOU)]
        fives = fitted.to_source(marks[kept]) if marks.shape[1] else [None] * len(kept)
        found = zip(fitted.to_source(boxes[kept]), scores[kept].tolist(), fives, strict=True)
        return nms_faces([make_face(*face) for face in found])


def _levels(outputs: list[Blob], file: str) -> list[tuple[Floats, Floats, Floats]]:
    """Return scores (N, 1), distances (N, 4) and points (N, 10 or 0) of each scale, finest first."""
    tables = [output.reshape(-1, output.shape[-1]).astype(np.float64) for output in outputs]
    by_width = {width: [table for table in tables if table.shape[1] == width] for width in (1, 4, 10)}
    lengths = [sorted((len(table) for table in found), reverse=True) for found in by_width.values() if found]
    if not by_width[1] or len(set(map(tuple, lengths))) != 1 or len(lengths) < 2:
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise BadModel(f"{file} is not an SCRFD model: its outputs are {shapes}. Choose another file.")
    ordered = {width: sorted(found, key=len, reverse=True) for width, found in by_width.items()}
    points = ordered[10] or [np.zeros((len(table), 0)) for table in ordered[1]]
    return list(zip(ordered[1], ordered[4], points, strict=True))


def _decode_level(level: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats, Floats]:
    """Return scores (N,), corners (N, 2, 2) and points (N, K, 2) of one scale, in pixels of the input."""
    scores, distances, points = level
    cells = round((len(scores) / ANCHORS) ** 0.5)
    stride = SIDE / cells
    places = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), -1).reshape(-1, 2) * stride
    centres = np.repeat(places, ANCHORS, axis=0)
    corners = np.stack([centres - distances[:, :2] * stride, centres + distances[:, 2:] * stride], 1)
    return scores[:, 0], corners, centres[:, None] + points.reshape(len(points), -1, 2) * stride
