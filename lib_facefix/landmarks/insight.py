"""Networks of insightface's packs that analyse one face, without the insightface package.

2d106det gives 106 points. genderage knows two genders, and its age is often wrong by five years or more: it serves to
select faces in an image, not to identify people. The weights are for non-commercial use only.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel
from ..imaging.align import inverse, transform_points
from ..imaging.resample import warp
from ..inference import check_outputs, load_as_made
from ..settings.devices import CPU, Device
from ..types import Face, Image, Matrix, Points
from ..weights import OnnxFile, read_onnx

CONTEXT = 1.5
"""Side of a network's field of view, in sides of the detector's box."""
MEAN, DEVIATION = 127.5, 128.0
"""Value that is subtracted from the pixels, and divisor of the difference, unless the network does this itself."""
NORMALIZING_NODES = 3
"""Number of first nodes among which insightface looks for one called bn_data."""
POINTS_SIDE = 192
"""Side of 2d106det's square input, in pixels."""
FIVE = (38, 88, 86, 52, 61)
"""Numbers of the points that make the five landmarks."""
GENDER_SIDE = 96
"""Side of genderage's square input, in pixels."""
GENDERS = ("female", "male")
"""Genders in the order of the network's scores; its third output is the age in centuries."""


class InsightNet:
    """A loaded network of insightface that analyses one face."""

    def __init__(self, weights: Path, side: int, numbers: int, device: Device) -> None:
        """side: of the network's square input, in pixels; numbers: size of its output."""
        self._mean, self._deviation = (0.0, 1.0) if _normalizes_input(read_onnx(weights)) else (MEAN, DEVIATION)
        self._net, self._file = load_as_made(weights, device=device), weights.name
        self._side, self._numbers = side, numbers

    def run(self, image: Image, face: Face) -> NDArray[np.float64]:
        """Return the output for a face of an RGB image, (numbers,); raises `BadModel`."""
        square = (self._side, self._side)
        crop = warp(
            image, self.input_transform(face), square, interpolation=cv2.INTER_LINEAR, beyond=cv2.BORDER_CONSTANT
        )
        blob = ((crop - np.float32(self._mean)) / np.float32(self._deviation)).transpose(2, 0, 1)[None]
        answers = check_outputs(self._net(np.ascontiguousarray(blob)))
        if len(answers) != 1 or answers[0].size != self._numbers:
            sizes = " and ".join(str(answer.size) for answer in answers)
            raise BadModel(f"{self._file} is another model: it returns {sizes} numbers instead of {self._numbers}.")
        return answers[0].reshape(-1).astype(np.float64)

    def input_transform(self, face: Face) -> Matrix:
        """Return the transform from the image to the network's input."""
        (x, y), scale = face.box.centre, self._side / (face.box.size * CONTEXT)
        return np.array([(scale, 0.0, self._side / 2 - scale * x), (0.0, scale, self._side / 2 - scale * y)])


class Insight106:
    """A `Landmarker` that adds five landmarks, selected from 106 points."""

    def __init__(self, weights: Path, device: Device = CPU) -> None:
        self._net = InsightNet(weights, POINTS_SIDE, 106 * 2, device)

    def locate(self, image: Image, face: Face) -> Face:
        """Return the face with landmarks and, if it has one, its mesh."""
        return replace(face, landmarks=self.find_points(image, face)[list(FIVE)])

    def find_points(self, image: Image, face: Face) -> Points:
        """Return all 106 points, (106, 2), in pixels of the image."""
        output = self._net.run(image, face).reshape(106, 2)
        return transform_points((output + 1) * (POINTS_SIDE // 2), inverse(self._net.input_transform(face)))


class GenderAge:
    """A model that estimates gender and age."""

    def __init__(self, weights: Path, device: Device = CPU) -> None:
        self._net = InsightNet(weights, GENDER_SIDE, len(GENDERS) + 1, device)

    def guess(self, image: Image, face: Face) -> Face:
        """Return the face with gender and age; raises `BadModel`. image: RGB (H, W, 3)."""
        *scores, age = self._net.run(image, face).tolist()
        return replace(face, gender=GENDERS[scores.index(max(scores))], age=max(0, round(age * 100)))


def _normalizes_input(described: OnnxFile) -> bool:
    """Return whether the network normalises its input itself, judged like insightface by the names of its nodes."""
    subtracts = any(name.startswith(("Sub", "_minus")) for name in described.nodes)
    multiplies = any(name.startswith(("Mul", "_mul")) for name in described.nodes)
    return (subtracts and multiplies) or "bn_data" in described.nodes[:NORMALIZING_NODES]
