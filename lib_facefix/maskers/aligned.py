"""A face as nets want to see it, and what they say brought back to its crop."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..imaging.align import compose, inverse, transform_points
from ..imaging.frames import Surrounded, Upright
from ..imaging.masks import keep_touching, polygon, remove_specks
from ..imaging.resample import warp
from ..types import Crop, Face, Image, Mask, Matrix

ROOM = 0.5
"""Around a face without landmarks, in sizes of its box: about what the aligned frame shows."""
SPECK = 0.015
"""Sides of the aligned square that a net's mistake has: with a soft edge around it, it would be a spot on the face."""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """An upright square cut from a crop, the eyes where FFHQ has them: as face parsers were trained.

    Restoring and re-diffusing frame a face differently; this makes the masks of both the same.
    """

    image: Image
    """(side, side, 3)."""
    matrix: Matrix
    """From the crop to it."""

    @classmethod
    def of(cls, crop: Crop, face: Face, side: int) -> Aligned:
        """Return the face of the crop; beyond the crop its edge is repeated. Raises `DegenerateLandmarks`."""
        frame = Surrounded(side, ROOM, face.tilt) if face.landmarks is None else Upright(side)
        matrix = compose(frame.matrix(face), inverse(crop.matrix))
        return cls(warp(crop.image, matrix, (side, side)), matrix)

    def back(self, picked: NDArray[np.bool_], crop: Crop, face: Face) -> Mask:
        """Return what was picked, (side, side), as a mask of the crop, (h, w), 0 or 1: the pieces on the face.

        Pieces, and holes, no larger than a SPECK are not meant.
        """
        height, width = crop.image.shape[:2]
        where = remove_specks(np.asarray(picked, np.float32), round((SPECK * len(picked)) ** 2))
        way = inverse(self.matrix)
        moved = warp(where, way, (width, height), interpolation=cv2.INTER_LINEAR, beyond=cv2.BORDER_CONSTANT)
        here = polygon(transform_points(face.box.corners, crop.matrix), (height, width))
        return keep_touching(moved, here)
