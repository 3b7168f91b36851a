"""Boxes: overlap, suppression, clipping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..faces import Box, Face, Points

SAME_FACE = 0.5
"""Two boxes that share more than this of the smaller one show the same face."""


def bounding(points: Points) -> Box:
    """Return the smallest box around the (N, 2) `points`."""
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    return Box(left, top, right, bottom)


def clip(box: Box, width: float, height: float) -> Box:
    """Return the part of `box` inside a picture; of no area where it lies outside."""
    left, right = (min(max(x, 0.0), width) for x in (box.left, box.right))
    top, bottom = (min(max(y, 0.0), height) for y in (box.top, box.bottom))
    return Box(left, top, right, bottom)


def grow(box: Box, share: float) -> Box:
    """Return `box` with `share` of its width and height added on each side."""
    x, y = box.width * share, box.height * share
    return Box(box.left - x, box.top - y, box.right + x, box.bottom + y)


def overlap(a: Box, b: Box) -> float:
    """Return the area that two boxes share, square pixels."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    return max(0.0, width) * max(0.0, height)


def iou(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes, 0..1."""
    shared = overlap(a, b)
    union = a.area + b.area - shared
    return shared / union if union > 0 else 0.0


def same(a: Box, b: Box) -> bool:
    """Return whether two boxes show the same face."""
    return overlap(a, b) > SAME_FACE * max(min(a.area, b.area), np.finfo(float).tiny)


def suppress(boxes: Sequence[Box], scores: Sequence[float], most: float) -> list[int]:
    """Return the indices of the boxes to keep, best first (greedy non-maximum suppression).

    A box goes when it shares more than `most` (0..1) of the *smaller* area with a better one: of the same face
    seen in a tile and in the whole picture one box is often inside the other, which IoU would let pass.
    """
    if not boxes:
        return []
    corners = np.array([(box.left, box.top, box.right, box.bottom) for box in boxes])
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    waiting: NDArray[np.intp] = np.argsort(-np.asarray(scores), kind="stable")
    kept = []
    while len(waiting):
        best, waiting = int(waiting[0]), waiting[1:]
        kept.append(best)
        low = np.maximum(corners[best, :2], corners[waiting, :2])
        high = np.minimum(corners[best, 2:], corners[waiting, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        smaller = np.maximum(np.minimum(area[best], area[waiting]), np.finfo(float).tiny)
        waiting = waiting[shared / smaller <= most]
    return kept


def distinct(faces: Sequence[Face]) -> tuple[Face, ...]:
    """Return the faces best first, without those that show one already seen."""
    kept = suppress([face.box for face in faces], [face.score for face in faces], SAME_FACE)
    return tuple(faces[i] for i in kept)
