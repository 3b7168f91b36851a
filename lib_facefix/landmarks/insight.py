"""Nets of insightface's packs that look at one face: how it is cut out for them, and what they are given.

Read from their files alone; no insightface. Their weights are for non-commercial use only.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel
from ..imaging.resample import warp
from ..inference import finite, load_as_made
from ..types import Face, Image, Matrix
from ..weights import OnnxFile, read_onnx

CONTEXT = 1.5
"""Side of the square that a net looks at, in sides of the detector's box."""
MEAN, DEVIATION = 127.5, 128.0
"""What is taken off and divided by, unless the net begins with that itself."""
FIRST = 3
"""Among how many nodes insightface looks for one called bn_data."""


class InsightNet:
    """One of them, loaded."""

    def __init__(self, weights: Path, side: int, numbers: int) -> None:
        """side: of the net's square input, pixels; numbers: how many it answers with."""
        self._mean, self._deviation = (0.0, 1.0) if _norms_by_itself(read_onnx(weights)) else (MEAN, DEVIATION)
        self._net, self._file = load_as_made(weights), weights.name
        self._side, self._numbers = side, numbers

    def answer(self, image: Image, face: Face) -> NDArray[np.float64]:
        """Return what the net says of a face of the picture, (numbers,); raises `BadModel`. image: RGB."""
        square = (self._side, self._side)
        crop = warp(image, self.look(face), square, interpolation=cv2.INTER_LINEAR, beyond=cv2.BORDER_CONSTANT)
        blob = ((crop - np.float32(self._mean)) / np.float32(self._deviation)).transpose(2, 0, 1)[None]
        answers = finite(self._net(np.ascontiguousarray(blob)))
        if len(answers) != 1 or answers[0].size != self._numbers:
            sizes = " and ".join(str(answer.size) for answer in answers)
            raise BadModel(f"{self._file} gives {sizes} numbers instead of {self._numbers}: it is another model")
        return answers[0].reshape(-1).astype(np.float64)

    def look(self, face: Face) -> Matrix:
        """Return the map from the picture to the net's input."""
        (x, y), scale = face.box.centre, self._side / (face.box.size * CONTEXT)
        return np.array([(scale, 0.0, self._side / 2 - scale * x), (0.0, scale, self._side / 2 - scale * y)])


def _norms_by_itself(said: OnnxFile) -> bool:
    """Tell it as insightface does, by the names of the first nodes."""
    takes_off = any(name.startswith(("Sub", "_minus")) for name in said.nodes)
    multiplies = any(name.startswith(("Mul", "_mul")) for name in said.nodes)
    return (takes_off and multiplies) or "bn_data" in said.nodes[:FIRST]
