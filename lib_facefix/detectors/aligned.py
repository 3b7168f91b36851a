"""Crops that other programs have aligned: the face is the picture, and nothing is searched."""

from __future__ import annotations

import numpy as np

from ..imaging.align import FFHQ_512
from ..types import Face, Image
from .marks import make_face

TEMPLATE = 512
"""Side in pixels of the square that the template is for."""
CORNERS = np.array([(116.0, 150.0), (396.0, 430.0)])
"""Of the face's box in it."""


class Aligned:
    """A `Detector` that takes each picture for one face, aligned as in FFHQ and in the crops of face restorers."""

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:  # noqa: ARG002 it is always sure
        """Return the one face, in the largest square in the middle; image: RGB."""
        height, width = image.shape[:2]
        side = min(width, height)
        place = np.array([width - side, height - side]) / 2
        return (make_face(CORNERS * (side / TEMPLATE) + place, 1.0, FFHQ_512 * (side / TEMPLATE) + place),)
