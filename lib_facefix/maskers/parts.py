"""Masks of parts of a face, from outlines of MediaPipe's face mesh.

The indices are those of MediaPipe's canonical face model, in order along each outline:
https://github.com/google-ai-edge/mediapipe/blob/v0.10.21/mediapipe/python/solutions/face_mesh_connections.py
(FACEMESH_LEFT_EYE, _RIGHT_EYE, _LEFT_EYEBROW, _RIGHT_EYEBROW, _LIPS, _NOSE; Apache-2.0). Each pair is one mask.
"""

from functools import partial, reduce

import numpy as np

from ..errors import MissingPart
from ..imaging.align import transform_points
from ..imaging.masks import fill_outline, polygon, subtract, union
from ..types import Crop, Face, Mask

EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
LIPS = ((61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),)
"""Outer edge of the lips, which encloses teeth and tongue."""
NOSE = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 97, 326, 327, 294, 278, 344, 440, 275, 45, 220, 115, 48, 64)
"""Lines over bridge and wings of the nose, of which the mask is the hull."""


class OutlineMasker:
    """Masks of the parts of a face inside these outlines of the face mesh."""

    def __init__(self, name: str, outlines: tuple[tuple[int, ...], ...]) -> None:
        """name: the mask's, for errors; outlines: numbers of mesh points, in order along each outline."""
        self._name, self._outlines = name, outlines

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside; raises `MissingPart` if the mesh is unsure."""
        points = _mesh_points(crop, face, self._name)
        return reduce(union, (fill_outline(points[list(one)], crop.image.shape[:2]) for one in self._outlines))


EyesMasker = partial(OutlineMasker, "eyes", EYES)
"""Masker of both eyes, between the lids."""
BrowsMasker = partial(OutlineMasker, "brows", BROWS)
"""Masker of both eyebrows."""
LipsMasker = partial(OutlineMasker, "lips", LIPS)
"""Masker of the lips and the mouth between them."""


class NoseMasker:
    """Mask of the nose, from between the eyes to its wings."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside; raises `MissingPart` if the mesh is unsure."""
        return polygon(_mesh_points(crop, face, "nose")[list(NOSE)], crop.image.shape[:2])


class SkinMasker:
    """Mask of the hull of the mesh without eyes, brows and lips."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside, negative in eyes, brows and lips; raises `MissingPart` if the mesh is unsure."""
        hull = polygon(_mesh_points(crop, face, "skin"), crop.image.shape[:2])
        return subtract(hull, OutlineMasker("skin", EYES + BROWS + LIPS).mask(crop, face))


def _mesh_points(crop: Crop, face: Face, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the (468, 2) points of the mesh in the crop."""
    if face.mesh is None:
        raise MissingPart(
            f"The mask {name!r} needs the face mesh, which is unsure of this face (perhaps a profile). Use the mask "
            "'hull' or 'ellipse' instead."
        )
    return transform_points(face.mesh.points[:, :2], crop.matrix)
