"""Faces that lie on their side or stand on their head: any detector, on the picture turned by quarters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..imaging.align import transform_points
from ..imaging.boxes import bounding, nms_faces
from ..protocols import Detector
from ..types import Box, Face, Image, Matrix

UPRIGHT = 20
"""Largest tilt of an upright head, in degrees; for a lying head BlazeFace reports 24 or more."""


class TurnedDetector:
    """A `Detector` that asks another one about the upright and the turned picture.

    angles: "off" asks once; "auto" asks about the turned picture when no face is found upright; "all" always asks
    about all four.
    """

    def __init__(self, detector: Detector, angles: str) -> None:
        self._detector = detector
        self._angles = angles

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first, in the picture as it was given."""
        faces = list(self._detector.detect(image, min_score))
        if self._angles == "off" or (self._angles == "auto" and any(map(_is_upright, faces))):
            return tuple(faces)
        for quarters in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(image, quarters))
            back = _back(quarters, image.shape[1], image.shape[0])
            faces += [_turn_face(face, back, 90 * quarters) for face in self._detector.detect(turned, min_score)]
        return nms_faces(faces)


def _is_upright(face: Face) -> bool:
    return abs(face.tilt) <= UPRIGHT


def _back(quarters: int, width: int, height: int) -> Matrix:
    """Return the map from a picture turned counter-clockwise by `quarters` to the one it was made from."""
    return np.array(
        {
            1: [(0.0, -1.0, width), (1.0, 0.0, 0.0)],
            2: [(-1.0, 0.0, width), (0.0, -1.0, height)],
            3: [(0.0, 1.0, 0.0), (-1.0, 0.0, height)],
        }[quarters]
    )


def _turn_face(face: Face, matrix: Matrix, clockwise: float) -> Face:
    """Return the face after a turn of the picture; boxes stay boxes, as all turns are by quarters."""
    box: Box = bounding(transform_points(face.box.corners, matrix))
    landmarks, outline = (
        None if points is None else transform_points(points, matrix) for points in (face.landmarks, face.outline)
    )
    tilt = (face.tilt + clockwise + 180) % 360 - 180
    return replace(face, box=box, landmarks=landmarks, outline=outline, tilt=tilt)
