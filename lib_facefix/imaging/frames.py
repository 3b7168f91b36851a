"""Framings: each one defines the crop of a face by an affine matrix.

All fixers use them, so cropping and pasting are implemented only once.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import DegenerateLandmarks
from ..types import Crop, Face, Image, Matrix, Points, Size
from .align import FFHQ_512, fit_similarity, rotation, translate
from .resample import warp


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """An upright crop with the landmarks at fixed positions, as restorers expect."""

    size: int = 512
    """Side of the crop, in pixels."""
    template: Points | None = None
    """Landmark positions in the crop, (5, 2), in pixels; None means FFHQ's."""

    def matrix(self, face: Face) -> Matrix:
        """Return the affine map from the image to the crop; raises `DegenerateLandmarks`."""
        if face.landmarks is None:
            raise DegenerateLandmarks("the face has no landmarks, so it cannot be aligned")
        template = FFHQ_512 * (self.size / 512) if self.template is None else self.template
        return fit_similarity(face.landmarks, template)


@dataclass(frozen=True, slots=True)
class Surrounded:
    """The box of the face with a margin around it, which gives img2img context."""

    size: Size = 512
    margin: float = 0.5
    """Margin on each side, as a fraction of the longer side of the box."""
    degrees: float = 0.0
    """Clockwise tilt of the head, in degrees; the crop is rotated upright."""

    def matrix(self, face: Face) -> Matrix:
        """Return the affine map from the image to the crop; raises `DegenerateLandmarks`."""
        wanted = np.array(self.extent(face))
        if not (wanted > 0).all():
            raise DegenerateLandmarks(f"the box of this face has no area: {face.box}")
        size = np.array(width_and_height(self.size))
        turn = rotation(-self.degrees, float((size / wanted).min()))
        x, y = size / 2 - turn[:, :2] @ face.box.centre
        return translate(turn, (x, y))

    def extent(self, face: Face) -> tuple[float, float]:
        """Return width and height of the upright crop, in image pixels."""
        box, extra = face.box, 2 * self.margin * face.box.size
        sideways = abs(np.sin(np.radians(self.degrees))) > np.sqrt(0.5)
        width, height = (box.height, box.width) if sideways else (box.width, box.height)
        return width + extra, height + extra


def cut(image: Image, matrix: Matrix, size: Size) -> Crop:
    """Return the crop of `size` that `matrix` maps to. Outside the image, the edge is repeated."""
    return Crop(warp(image, matrix, width_and_height(size)), matrix)


def width_and_height(size: Size) -> tuple[int, int]:
    """Return (width, height) of a crop, in pixels."""
    return (size, size) if isinstance(size, int) else size
