"""Masks as arrays: drawing them, moving, growing and softening their edge.

All in the pixels of one crop; (h, w) float32, 0 where the picture stays and 1 where the fixed face shows. Before its
edge is made soft a mask may also be NEVER: what was taken away from it, where not even the soft edge may show.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Box, Mask, Points

NEVER = np.float32(-1)
"""Of a mask whose edge is not yet soft: nothing may show here."""
TIGHT = 0.25
"""How wide the soft edge is towards what may never show, as a share of that towards the rest: it has to lie inside."""
SUBPIXEL = 4
"""Bits of a pixel's fraction that cv2 draws with."""
FINER = 4
"""How many times as finely as its pixels a mask is drawn, so that its edge is smooth."""
FAR = 2.0**26
"""Beyond so many of those finer pixels cv2's numbers would overflow: what lies there is far outside any crop."""
QUARTERS = (0.25, 0.5, 0.75, 1.0)
"""How much of a pixel may be covered that the edge of a mask crosses; told no more finely."""
SHORT = 1.02
"""What cv2's distances must be multiplied with to be never too short; by its smaller mask it would be 1.05."""


def polygon(points: Points, shape: tuple[int, int]) -> Mask:
    """Return the mask of the convex hull of the (N, 2) `points`; what lies outside `shape` (h, w) is cut off.

    A pixel that the edge crosses is as much in it as is covered.
    """
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    inwards = 0.5 / FINER * np.sign(hull.mean(0) - hull)  # cv2 fills the pixels under the outline, too
    return fill_outline(hull + inwards, shape)


def fill_outline(points: Points, shape: tuple[int, int]) -> Mask:
    """Return the mask inside the closed outline through the (N, 2) `points`, which may be hollow; see `polygon`."""
    mask = np.zeros(shape, np.float32)
    low, high = (np.clip(place, 0, shape[::-1]).astype(int) for place in (points.min(0) - 1, points.max(0) + 2))
    if (low >= high).any():
        return mask
    fine = np.zeros((high - low)[::-1] * FINER, np.uint8)
    places = np.clip((points - low) * FINER - 0.5, -FAR, FAR)  # cv2 counts from the first pixel's centre
    cv2.fillPoly(fine, [np.round(places * 2**SUBPIXEL).astype(np.int32)], 255, shift=SUBPIXEL)
    covered = cv2.resize(fine, (high - low).tolist(), interpolation=cv2.INTER_AREA)
    mask[low[1] : high[1], low[0] : high[0]] = covered / 255
    return mask


def union(first: Mask, second: Mask) -> Mask:
    """Return what is in either; what neither shows, and one never may, never may."""
    return np.where((first > 0) | (second > 0), np.maximum(first, second), np.minimum(first, second))


def limit(mask: Mask, to: Mask) -> Mask:
    """Return what of the mask is also in `to`; elsewhere it never may show."""
    return np.where(to >= 0.5, mask, NEVER)


def subtract(mask: Mask, other: Mask) -> Mask:
    """Return the mask where `other` is not; there it never may show."""
    return np.where(other >= 0.5, NEVER, mask)


def touching(mask: Mask, seed: Mask) -> Mask:
    """Return those pieces of the mask (1 inside, 0 outside) that meet `seed`: of a face, not of its neighbours."""
    count, pieces = cv2.connectedComponents(np.asarray(mask >= 0.5, np.uint8))
    met = np.zeros(count, np.float32)
    met[np.unique(pieces[seed >= 0.5])] = 1
    met[0] = 0  # what is outside the mask counts as a piece, too
    return np.asarray(met[pieces], np.float32)


def without_specks(mask: Mask, most: int) -> Mask:
    """Return the mask, 0 or 1, without its pieces of at most so many pixels, and then without such holes in it."""
    for value in (1, 0):
        _, pieces, facts, _ = cv2.connectedComponentsWithStats(np.asarray(mask == value, np.uint8))
        small = facts[:, cv2.CC_STAT_AREA] <= most
        small[0] = False  # all that is not of this value counts as a piece, too
        mask = np.where(small[pieces], np.float32(1 - value), mask) if small.any() else mask
    return mask


def ellipse(box: Box, degrees: float) -> Points:
    """Return the (72, 2) points of the ellipse that fills `box`, turned clockwise about its centre."""
    around = np.exp(1j * np.linspace(0, 2 * np.pi, 72, endpoint=False))
    upright = around.real * (box.width / 2) + 1j * around.imag * (box.height / 2)
    turned = upright * np.exp(1j * np.radians(degrees)) + complex(*box.centre)
    return np.column_stack([turned.real, turned.imag])


def move(mask: Mask, x: float, y: float) -> Mask:
    """Return the mask moved right and down by pixels; what leaves the crop is gone, nothing wraps round."""
    if x == y == 0:
        return mask
    by = np.array([(1.0, 0.0, x), (0.0, 1.0, y)])
    height, width = mask.shape
    return cv2.warpAffine(mask, by, (width, height), flags=cv2.INTER_LINEAR, borderValue=0).astype(np.float32)


def soften(mask: Mask, grow: float, feather: float) -> Mask:
    """Return the mask with its edge moved outwards by `grow` pixels (inwards below 0), then softened.

    feather: width in pixels of the ramp that falls from 1 at the edge to 0 outside it, so that all of the face is
    fixed and the seam lies beyond it. The mask also falls to 0 towards the crop's own edge: what is pasted has no
    straight border; and towards what is NEVER to show, inside the mask and over a shorter way (see TIGHT).
    """
    inside = np.asarray(mask >= 0.5, np.uint8)
    if not inside.any():
        return np.zeros_like(mask)
    width_of_ramp = max(feather, 1.0)
    near = _around(inside, math.ceil(SHORT * (max(grow, 0.0) + width_of_ramp)) + 1)
    ramp = -_distance_to(mask[near])  # to the edge of the mask: above 0 inside, where it is 0.5 unless it is to shrink
    if grow < 0:
        ramp = np.where(mask[near] >= 0.5, _distance_to(1 - np.maximum(mask[near], 0)), ramp)
    ramp += grow + width_of_ramp
    to_border = [_to_border(length)[part] for length, part in zip(mask.shape, near, strict=True)]
    np.minimum(ramp, np.minimum.outer(*to_border), out=ramp)
    ramp /= width_of_ramp
    np.clip(ramp, 0.0, 1.0, out=ramp)
    softened = np.zeros(mask.shape, np.float32)
    np.multiply(ramp * ramp, 3 - 2 * ramp, out=softened[near])
    never = mask[near] <= -0.5
    if never.any():
        np.minimum(softened[near], _away_from(never, TIGHT * width_of_ramp), out=softened[near])
    return softened


def _away_from(never: NDArray[np.bool_], width: float) -> NDArray[np.float32]:
    """Return 0 where it is True, rising to 1 over `width` pixels around that."""
    away = cv2.distanceTransform(np.asarray(~never, np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    ramp = np.asarray(np.minimum(away / np.float32(max(width, 1.0)), 1), np.float32)
    return ramp * ramp * (3 - 2 * ramp)


def _around(inside: NDArray[np.uint8], margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of the mask, with `margin` more on each side."""
    left, top, width, height = cv2.boundingRect(inside)
    return slice(max(0, top - margin), top + height + margin), slice(max(0, left - margin), left + width + margin)


def _distance_to(mask: Mask) -> NDArray[np.float32]:
    """Return how far the middle of each pixel is from the edge of the mask, pixels: above 0 outside, at least -0.5.

    In a pixel that the edge crosses it lies where the covered part says, to the nearest quarter.
    """
    nearest = np.full(mask.shape, max(mask.shape), np.float32)
    for covered in QUARTERS if ((mask > 0) & (mask < 1)).any() else QUARTERS[-1:]:
        less = np.asarray(mask < covered - 0.125, np.uint8)
        distance = cv2.distanceTransform(less, cv2.DIST_L2, cv2.DIST_MASK_5)
        distance -= np.float32(covered - 0.5)
        np.minimum(nearest, distance, out=nearest)
    return nearest


def _to_border(length: int) -> NDArray[np.float32]:
    """Return for each pixel of a row its distance to the nearer end of the row."""
    place = np.arange(length, dtype=np.float32) + 0.5
    return np.asarray(np.minimum(place, length - place), np.float32)
