"""Masks from the shapes that a detector or landmark model gives: box, ellipse, mesh hull, outline."""

from ..imaging.align import transform_points
from ..imaging.masks import ellipse, fill_outline, polygon
from ..types import Box, Crop, Face, Mask

WIDER, TALLER = 0.05, 0.12
"""Distance from the detector's box, which ends at brow and chin, to the ellipse, in sides of the box."""


class BoxMasker:
    """Mask of the detector's box."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside the box."""
        return polygon(transform_points(face.box.corners, crop.matrix), crop.image.shape[:2])


class EllipseMasker:
    """Mask of an ellipse around the detector's box, tilted with the head."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside the ellipse."""
        (x, y), (width, height) = face.box.centre, (face.box.width, face.box.height)
        half_width, half_height = width * (0.5 + WIDER), height * (0.5 + TALLER)
        reach = Box(x - half_width, y - half_height, x + half_width, y + half_height)
        return polygon(transform_points(ellipse(reach, face.tilt), crop.matrix), crop.image.shape[:2])


class HullMasker:
    """Mask of the hull of the face mesh: brow to chin, cheek to cheek; an ellipse if the mesh is unsure."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside the hull."""
        if face.mesh is None:
            return EllipseMasker().mask(crop, face)
        return polygon(transform_points(face.mesh.points[:, :2], crop.matrix), crop.image.shape[:2])


class SegmentationMasker:
    """Mask of the outline from a segmenting detector such as YOLO; an ellipse if there is none."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside the outline."""
        if face.outline is None:
            return EllipseMasker().mask(crop, face)
        return fill_outline(transform_points(face.outline, crop.matrix), crop.image.shape[:2])
