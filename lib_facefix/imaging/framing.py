"""How a face is framed before it is fixed: each rule turns a face into one affine matrix.

Restoring and re-diffusing both go through here, so cutting out and pasting back are written once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DegenerateLandmarks
from ..faces import Crop, Face, Image, Matrix, Points
from .align import FFHQ_512, fit_similarity
from .resample import warp


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """Eyes level and at fixed places, as face restorers were trained."""

    size: int = 512
    template: Points | None = None
    """(5, 2) landmark places in the crop, pixels; FFHQ's when not given."""

    def matrix(self, face: Face) -> Matrix:
        """Return the map from the picture to the crop; raises `DegenerateLandmarks`."""
        if face.landmarks is None:
            raise DegenerateLandmarks("this detector gives no landmarks, so the face cannot be aligned")
        template = FFHQ_512 * (self.size / 512) if self.template is None else self.template
        return fit_similarity(face.landmarks, template)


@dataclass(frozen=True, slots=True)
class Surrounded:
    """The box of the face with some picture around it, as img2img needs for context."""

    size: int = 512
    margin: float = 0.5
    """Extra on each side, as a part of the longer side of the box."""

    def matrix(self, face: Face) -> Matrix:
        """Return the map from the picture to the crop; raises `DegenerateLandmarks`."""
        longer = face.box.size * (1 + 2 * self.margin)
        if not longer > 0:
            raise DegenerateLandmarks(f"the box of this face has no extent: {face.box}")
        scale = self.size / longer
        return np.column_stack([np.eye(2) * scale, self.size / 2 - scale * np.array(face.box.centre)])


def cut(image: Image, matrix: Matrix, size: int) -> Crop:
    """Take the (size, size, 3) crop that `matrix` maps onto; what lies outside repeats the edge."""
    return Crop(warp(image, matrix, (size, size)), matrix)
