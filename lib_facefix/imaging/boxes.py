"""Boxes: overlap, non-maximum suppression, clipping."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..types import Box, Face, Points

SAME_FACE = 0.5
"""Shared part of the smaller box above which two boxes show the same face."""


def bounding(points: Points) -> Box:
    """Return the smallest box around the (N, 2) `points`."""
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    return Box(left, top, right, bottom)


def clip(box: Box, width: float, height: float) -> Box:
    """Return the part of `box` inside an image of this size in pixels; its area is 0 if there is none."""
    left, right = (min(max(x, 0.0), width) for x in (box.left, box.right))
    top, bottom = (min(max(y, 0.0), height) for y in (box.top, box.bottom))
    return Box(left, top, right, bottom)


def grow(box: Box, share: float) -> Box:
    """Return `box` with `share` of its width and height added on each side."""
    x, y = box.width * share, box.height * share
    return Box(box.left - x, box.top - y, box.right + x, box.bottom + y)


def overlap(a: Box, b: Box) -> float:
    """Return the area that two boxes share, in square pixels."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    return max(0.0, width) * max(0.0, height)


def iou(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes, 0..1."""
    shared = overlap(a, b)
    union = a.area + b.area - shared
    return shared / union if union > 0 else 0.0


def same_face(a: Box, b: Box) -> bool:
    """Return True if two boxes show the same face."""
    return overlap(a, b) > SAME_FACE * max(min(a.area, b.area), np.finfo(float).tiny)


def nms(
    corners: NDArray[np.float64], scores: ArrayLike, threshold: float, *, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Return the indices of the boxes to keep, best first (greedy non-maximum suppression).

    A box is dropped if its overlap with a better box exceeds `threshold`, 0..1. The overlap is their IoU, or with
    `of_smaller` the shared part of the smaller box.

    corners: (N, 2, 2), top left and bottom right; scores: (N,). Equal scores keep their order.
    """
    sizes = corners[:, 1] - corners[:, 0]
    areas = sizes[:, 0] * sizes[:, 1]
    waiting: NDArray[np.intp] = np.argsort(-np.asarray(scores), kind="stable")
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        low = np.maximum(corners[best, 0], corners[waiting, 0])
        high = np.minimum(corners[best, 1], corners[waiting, 1])
        shared = np.clip(high - low, 0, None).prod(1)
        whole = np.minimum(areas[best], areas[waiting]) if of_smaller else areas[best] + areas[waiting] - shared
        waiting = waiting[shared / np.maximum(whole, np.finfo(float).tiny) <= threshold]
    return np.array(kept, np.intp)


def nms_faces(faces: Sequence[Face]) -> tuple[Face, ...]:
    """Return the faces, best first, without duplicates.

    If a face is found in a tile and in the whole image, one box is often inside the other. IoU would keep both, so the
    shared part of the smaller box counts.
    """
    boxes = np.array([(face.box.left, face.box.top, face.box.right, face.box.bottom) for face in faces], np.float64)
    kept = nms(boxes.reshape(-1, 2, 2), [face.score for face in faces], SAME_FACE, of_smaller=True)
    return tuple(faces[i] for i in kept)
