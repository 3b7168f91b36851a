"""Sideways and upside-down faces: any detector on the image rotated by 90, 180 and 270 degrees."""

from dataclasses import replace

import numpy as np

from ..imaging.align import transform_points
from ..imaging.boxes import bounding, nms_faces
from ..protocols import Detector
from ..types import Box, Face, Image, Matrix

MAX_UPRIGHT_TILT = 20
"""Largest tilt of an upright head, in degrees; for a lying head BlazeFace reports 24 or more."""


class TurnedDetector:
    """A `Detector` that runs another one on the upright and on the rotated image.

    angles: "off" for the upright image only; "auto" also rotates it if no upright face is found; "all" always does.
    """

    def __init__(self, detector: Detector, angles: str) -> None:
        self._detector = detector
        self._angles = angles

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first, in coordinates of the given image."""
        faces = list(self._detector.detect(image, min_score))
        upright = any(abs(face.tilt) <= MAX_UPRIGHT_TILT for face in faces)
        if self._angles == "off" or (self._angles == "auto" and upright):
            return tuple(faces)
        for quarters in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(image, quarters))
            back = _back(quarters, image.shape[1], image.shape[0])
            faces += [_turn_face(face, back, 90 * quarters) for face in self._detector.detect(turned, min_score)]
        return nms_faces(faces)


def _back(quarters: int, width: int, height: int) -> Matrix:
    """Return the transform from an image rotated counter-clockwise by `quarters` of 90 degrees to the original."""
    return np.array(
        {
            1: [(0.0, -1.0, width), (1.0, 0.0, 0.0)],
            2: [(-1.0, 0.0, width), (0.0, -1.0, height)],
            3: [(0.0, 1.0, 0.0), (-1.0, 0.0, height)],
        }[quarters]
    )


def _turn_face(face: Face, matrix: Matrix, clockwise: float) -> Face:
    """Return the face after a rotation of the image by a multiple of 90 degrees."""
    box: Box = bounding(transform_points(face.box.corners, matrix))
    landmarks, outline = (
        None if points is None else transform_points(points, matrix) for points in (face.landmarks, face.outline)
    )
    tilt = (face.tilt + clockwise + 180) % 360 - 180
    return replace(face, box=box, landmarks=landmarks, outline=outline, tilt=tilt)
