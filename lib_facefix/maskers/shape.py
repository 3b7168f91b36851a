"""Masks from a face's box alone."""

from __future__ import annotations

from ..imaging.align import transform_points
from ..imaging.masks import ellipse, polygon
from ..types import Box, Crop, Face, Mask

WIDER, TALLER = 0.05, 0.12
"""Distance from the detector's box, which ends at brow and chin, to the ellipse, in sides of the box."""


class BoxMasker:
    """The detector's box."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside the box."""
        return polygon(transform_points(face.box.corners, crop.matrix), crop.image.shape[:2])


class EllipseMasker:
    """An ellipse around the detector's box, turned with the head."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside the ellipse."""
        (x, y), (width, height) = face.box.centre, (face.box.width, face.box.height)
        half_width, half_height = width * (0.5 + WIDER), height * (0.5 + TALLER)
        reach = Box(x - half_width, y - half_height, x + half_width, y + half_height)
        return polygon(transform_points(ellipse(reach, face.tilt), crop.matrix), crop.image.shape[:2])
