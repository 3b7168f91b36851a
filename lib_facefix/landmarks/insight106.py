"""106 points of a face from insightface's 2d106det (in buffalo_l and antelopev2), from its file; no insightface.

Its weights are for non-commercial use only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ..errors import BadModel
from ..faces import Face, Image, Matrix, Points
from ..imaging.align import inverse, move
from ..imaging.resample import warp
from ..networks import finite, load_as_made
from ..weights import read_onnx

SIDE = 192
"""Of the net's square input, pixels."""
CONTEXT = 1.5
"""Side of the square that the net looks at, in sides of the detector's box."""
FIVE = (38, 88, 86, 52, 61)
"""Its points that make the five landmarks."""
MEAN, DEVIATION = 127.5, 128.0
"""What is taken off and divided by, unless the net begins with that itself."""


class Insight106:
    """A `Landmarker` that gives a face its five landmarks, made of 106."""

    def __init__(self, weights: Path) -> None:
        by_itself = {"Sub", "Mul"} <= set(read_onnx(weights).nodes)
        self._mean, self._deviation = (0.0, 1.0) if by_itself else (MEAN, DEVIATION)
        self._net, self._file = load_as_made(weights), weights.name

    def locate(self, image: Image, face: Face) -> Face:
        """Return the face with landmarks; what it has of a mesh stays."""
        return replace(face, landmarks=self.points(image, face)[list(FIVE)])

    def points(self, image: Image, face: Face) -> Points:
        """Return all 106 points, (106, 2) pixels of the picture."""
        look = _look(face)
        crop = warp(image, look, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR, beyond=cv2.BORDER_CONSTANT)
        blob = ((crop - np.float32(self._mean)) / np.float32(self._deviation)).transpose(2, 0, 1)[None]
        [answer] = finite(self._net(np.ascontiguousarray(blob)))
        if answer.size != 106 * 2:
            raise BadModel(f"{self._file} gives {answer.size} numbers instead of 106 points")
        return move((answer.reshape(106, 2).astype(np.float64) + 1) * (SIDE // 2), inverse(look))


def _look(face: Face) -> Matrix:
    (x, y), scale = face.box.centre, SIDE / (face.box.size * CONTEXT)
    return np.array([(scale, 0.0, SIDE / 2 - scale * x), (0.0, scale, SIDE / 2 - scale * y)])
