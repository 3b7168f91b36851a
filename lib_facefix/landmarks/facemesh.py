"""A mesh of 468 points of a face from MediaPipe's FaceMesh (Apache-2.0), on OpenCV."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..imaging.align import compose, inverse, rotation, scale_factor, transform_points, translate
from ..imaging.boxes import bounding, iou
from ..imaging.resample import warp
from ..inference import load, sigmoid
from ..types import Face, Image, Matrix, Mesh, Points
from ..weights import asset

SIDE = 192
"""Side of the network's square input, in pixels."""
CONTEXT = 1.5
"""Side of the network's field of view, in sides of the detector's box (MediaPipe's face ROI)."""
MIN_SCORE = 0.5
"""Lowest score, 0..1, of a mesh that is used."""
MIN_IOU = 0.35
"""Lowest IoU of the mesh's box with the detector's: a mesh that slid off its face can score high, too."""
LEFT_EYE, RIGHT_EYE, NOSE, MOUTH = [33, 133], [362, 263], 1, [61, 291]
"""Mesh points that make the five landmarks, left and right as the viewer sees them."""


class FaceMesh:
    """A `Landmarker` that adds a mesh, and landmarks computed from it."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("face_landmark.tflite"))

    def locate(self, image: Image, face: Face) -> Face:
        """Return the face with mesh and landmarks, unchanged if the mesh is unsure (often for profiles)."""
        look = _input_transform(face)
        crop = warp(image, look, (SIDE, SIDE))
        score, points = sorted(self._net((crop / np.float32(255)).transpose(2, 0, 1)[None]), key=np.size)
        sure = float(sigmoid(score.item()))
        back = inverse(look)
        places = points.reshape(-1, 3).astype(np.float64)
        placed = np.column_stack([transform_points(places[:, :2], back), places[:, 2] * scale_factor(back)])
        if sure < MIN_SCORE or iou(bounding(placed[:, :2]), face.box) < MIN_IOU:
            return face
        return replace(face, landmarks=five_points(placed[:, :2]), mesh=Mesh(placed, sure))


def five_points(points: Points) -> Points:
    """Return the (5, 2) alignment landmarks of a (468, 2) mesh."""
    eyes = [points[corners].mean(0) for corners in (LEFT_EYE, RIGHT_EYE)]
    return np.stack([*eyes, points[NOSE], *points[MOUTH]])


def _input_transform(face: Face) -> Matrix:
    """Return the transform from the image to the network's input, which shows the head upright."""
    x, y = face.box.centre
    to_centre = np.array([(1.0, 0.0, -x), (0.0, 1.0, -y)])
    turn = rotation(-face.tilt, SIDE / (face.box.size * CONTEXT))
    return translate(compose(turn, to_centre), (SIDE / 2, SIDE / 2))
