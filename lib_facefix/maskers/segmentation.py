"""The mask that a segmenting detector gave with the face: YOLO's, say."""

from __future__ import annotations

from ..imaging.align import transform_points
from ..imaging.masks import fill_outline
from ..types import Crop, Face, Mask
from .shape import EllipseMasker


class SegmentationMasker:
    """What the detector outlined. Where it outlines nothing, an ellipse."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside the outline."""
        if face.outline is None:
            return EllipseMasker().mask(crop, face)
        return fill_outline(transform_points(face.outline, crop.matrix), crop.image.shape[:2])
