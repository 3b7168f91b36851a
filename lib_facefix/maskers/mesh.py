"""Masks from the face mesh."""

from __future__ import annotations

from ..imaging.align import transform_points
from ..imaging.masks import polygon
from ..types import Crop, Face, Mask
from .shape import EllipseMasker


class HullMasker:
    """The hull of the mesh: brow to chin, cheek to cheek. Where the mesh is unsure, an ellipse."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside the hull."""
        if face.mesh is None:
            return EllipseMasker().mask(crop, face)
        return polygon(transform_points(face.mesh.points[:, :2], crop.matrix), crop.image.shape[:2])
