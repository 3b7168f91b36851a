"""Aligning a face for networks, and transforming their masks back to its crop."""

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

PADDING = 0.5
"""Padding around a face without landmarks, in sizes of its box: about the extent of the aligned frame."""
SPECK = 0.015
"""Side of the largest segmentation error, in sides of the aligned square: blurred, it would show as a spot."""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """An upright square cut from a crop, with the eyes in FFHQ's positions, for which face parsers were trained.

    Restoring and re-diffusing use different frames; alignment makes their masks the same.
    """

    image: Image
    """Aligned face, RGB, (side, side, 3)."""
    matrix: Matrix
    """Transform from the crop to the aligned square."""

    @classmethod
    def of(cls, crop: Crop, face: Face, side: int) -> Aligned:
        """Return the aligned face, repeating the crop's edge beyond it; raises `DegenerateLandmarks`."""
        frame = Surrounded(side, PADDING, face.tilt) if face.landmarks is None else Upright(side)
        matrix = compose(frame.matrix(face), inverse(crop.matrix))
        return cls(warp(crop.image, matrix, (side, side)), matrix)

    def back(self, picked: NDArray[np.bool_], crop: Crop, face: Face) -> Mask:
        """Return the picked pixels, (side, side), as a mask of the crop, (h, w), 0 or 1.

        Only pieces that touch the face are kept. Pieces and holes up to SPECK are removed.
        """
        height, width = crop.image.shape[:2]
        clean = remove_specks(np.asarray(picked, np.float32), round((SPECK * len(picked)) ** 2))
        back = inverse(self.matrix)
        mask = warp(clean, back, (width, height), interpolation=cv2.INTER_LINEAR, beyond=cv2.BORDER_CONSTANT)
        return keep_touching(mask, polygon(transform_points(face.box.corners, crop.matrix), (height, width)))
