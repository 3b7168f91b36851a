"""How a face is framed before it is fixed: each rule turns a face into one affine matrix.

Restoring and re-diffusing both go through here, so cutting out and pasting back are written once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DegenerateLandmarks
from ..types import Crop, Face, Image, Matrix, Points, Size
from .align import FFHQ_512, fit_similarity, rotation, translate
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

    size: Size = 512
    margin: float = 0.5
    """Extra on each side, as a part of the longer side of the box."""
    degrees: float = 0.0
    """How far the head is tilted clockwise; the crop shows it upright."""

    def matrix(self, face: Face) -> Matrix:
        """Return the map from the picture to the crop; raises `DegenerateLandmarks`."""
        wanted = np.array(self.extent(face))
        if not (wanted > 0).all():
            raise DegenerateLandmarks(f"the box of this face has no extent: {face.box}")
        size = np.array(width_and_height(self.size))
        turn = rotation(-self.degrees, float((size / wanted).min()))
        x, y = size / 2 - turn[:, :2] @ face.box.centre
        return translate(turn, (x, y))

    def extent(self, face: Face) -> tuple[float, float]:
        """Return the width and height of what is to be seen, in pixels of the picture, the head standing upright."""
        box, extra = face.box, 2 * self.margin * face.box.size
        lies = abs(np.sin(np.radians(self.degrees))) > np.sqrt(0.5)
        width, height = (box.height, box.width) if lies else (box.width, box.height)
        return width + extra, height + extra


def cut(image: Image, matrix: Matrix, size: Size) -> Crop:
    """Take the crop of `size` that `matrix` maps onto; what lies outside repeats the edge."""
    return Crop(warp(image, matrix, width_and_height(size)), matrix)


def width_and_height(size: Size) -> tuple[int, int]:
    """Return both, also for the side of a square."""
    return (size, size) if isinstance(size, int) else size
