"""Parts of a face, from the outlines that MediaPipe's face mesh gives them.

The indices are those of MediaPipe's canonical face model, put in order along each outline:
https://github.com/google-ai-edge/mediapipe/blob/v0.10.21/mediapipe/python/solutions/face_mesh_connections.py
(FACEMESH_LEFT_EYE, _RIGHT_EYE, _LEFT_EYEBROW, _RIGHT_EYEBROW, _LIPS, _NOSE; Apache-2.0). Left and right are the
person's own there; here each pair is one mask.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from ..errors import MissingPart
from ..imaging.align import transform_points
from ..imaging.masks import fill_outline, polygon, subtract, union
from ..types import Crop, Face, Mask

EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
BROWS = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)
LIPS = ((61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),)
"""Outer edge of the lips, which encloses teeth and tongue."""
NOSE = ((168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 97, 326, 327, 294, 278, 344, 440, 275, 45, 220, 115, 48, 64),)
"""Lines over bridge and wings of the nose, of which the mask is the hull."""

Outlines = tuple[tuple[int, ...], ...]


class EyesMasker:
    """Both eyes, between the lids."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside; raises `MissingPart` where the mesh is unsure."""
        return _inside(EYES, crop, face, "eyes")


class BrowsMasker:
    """Both eyebrows."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside; raises `MissingPart` where the mesh is unsure."""
        return _inside(BROWS, crop, face, "brows")


class LipsMasker:
    """The lips, and what shows between them."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside; raises `MissingPart` where the mesh is unsure."""
        return _inside(LIPS, crop, face, "lips")


class NoseMasker:
    """The nose, from between the eyes to its wings."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside; raises `MissingPart` where the mesh is unsure."""
        [points] = NOSE
        return polygon(_places(crop, face, "nose")[list(points)], crop.image.shape[:2])


class SkinMasker:
    """The hull of the mesh without eyes, brows and lips."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside, never to show in what is left out; raises `MissingPart` where the mesh is unsure."""
        hull = polygon(_places(crop, face, "skin"), crop.image.shape[:2])
        return subtract(hull, _inside(EYES + BROWS + LIPS, crop, face, "skin"))


def _inside(outlines: Outlines, crop: Crop, face: Face, name: str) -> Mask:
    places = _places(crop, face, name)
    return reduce(union, (fill_outline(places[list(points)], crop.image.shape[:2]) for points in outlines))


def _places(crop: Crop, face: Face, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the (468, 2) points of the mesh in the crop."""
    if face.mesh is None:
        raise MissingPart(
            f"the mask {name!r} needs the face mesh, which is unsure of this face (seen from the side, perhaps); "
            "give it the mask 'hull' or 'ellipse'"
        )
    return transform_points(face.mesh.points[:, :2], crop.matrix)
