"""106 points of a face from insightface's 2d106det (in buffalo_l and antelopev2)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..imaging.align import inverse, transform_points
from ..types import Face, Image, Points
from .insight import InsightNet

SIDE = 192
"""Of the net's square input, pixels."""
FIVE = (38, 88, 86, 52, 61)
"""Its points that make the five landmarks."""


class Insight106:
    """A `Landmarker` that gives a face its five landmarks, made of 106."""

    def __init__(self, weights: Path) -> None:
        self._net = InsightNet(weights, SIDE, 106 * 2)

    def locate(self, image: Image, face: Face) -> Face:
        """Return the face with landmarks; what it has of a mesh stays."""
        return replace(face, landmarks=self.points(image, face)[list(FIVE)])

    def points(self, image: Image, face: Face) -> Points:
        """Return all 106 points, (106, 2) pixels of the picture."""
        answer = self._net.answer(image, face).reshape(106, 2)
        return transform_points((answer + 1) * (SIDE // 2), inverse(self._net.look(face)))
