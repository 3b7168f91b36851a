"""Masks as arrays: drawing, moving, growing, and softening them.

A mask is (h, w) float32 in the pixels of one crop: 0 keeps the image, 1 shows the fixed face. Before softening, pixels
may also be NEVER: they were removed from the mask, and even the soft edge must not show there.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Box, Mask, Points

NEVER = np.float32(-1)
"""Value of pixels that exclude even the soft edge."""
TIGHT = 0.25
"""Relative width of the soft edge next to NEVER, where it must be inside the mask."""
SUBPIXEL = 4
"""Fractional bits of coordinates in OpenCV's drawing functions."""
SUPERSAMPLING = 4
"""Factor of supersampling when drawing masks, for smooth edges."""
MAX_COORDINATE = 2.0**26
"""Largest coordinate in supersampled pixels; larger ones overflow in OpenCV, and are far outside any crop."""
COVERAGE_LEVELS = (0.25, 0.5, 0.75, 1.0)
"""Levels to which the covered part of an edge pixel is rounded."""
DISTANCE_ERROR = 1.02
"""Factor that compensates the largest underestimate of OpenCV's distances with `DIST_MASK_5`."""


def polygon(points: Points, shape: tuple[int, int]) -> Mask:
    """Return the mask of the convex hull of (N, 2) points in pixels, clipped to `shape` = (h, w).

    Pixels on the edge have the value of their covered part, 0..1.
    """
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    inwards = 0.5 / SUPERSAMPLING * np.sign(hull.mean(0) - hull)  # cv2 also fills the pixels under the outline
    return fill_outline(hull + inwards, shape)


def fill_outline(points: Points, shape: tuple[int, int]) -> Mask:
    """Return the mask of the polygon with the (N, 2) `points`, which may be concave; see `polygon`."""
    mask = np.zeros(shape, np.float32)
    low, high = (np.clip(place, 0, shape[::-1]).astype(int) for place in (points.min(0) - 1, points.max(0) + 2))
    if (low >= high).any():
        return mask
    fine = np.zeros((high - low)[::-1] * SUPERSAMPLING, np.uint8)
    places = np.clip(
        (points - low) * SUPERSAMPLING - 0.5, -MAX_COORDINATE, MAX_COORDINATE
    )  # cv2 counts from the first pixel's centre
    cv2.fillPoly(fine, [np.round(places * 2**SUBPIXEL).astype(np.int32)], 255, shift=SUBPIXEL)
    covered = cv2.resize(fine, (high - low).tolist(), interpolation=cv2.INTER_AREA)
    mask[low[1] : high[1], low[0] : high[0]] = covered / 255
    return mask


def union(first: Mask, second: Mask) -> Mask:
    """Return the union of two masks; pixels outside both are NEVER if they are NEVER in one."""
    return np.where((first > 0) | (second > 0), np.maximum(first, second), np.minimum(first, second))


def limit(mask: Mask, to: Mask) -> Mask:
    """Return the mask inside `to`, and NEVER outside it."""
    return np.where(to >= 0.5, mask, NEVER)


def subtract(mask: Mask, other: Mask) -> Mask:
    """Return the mask outside `other`, and NEVER inside it."""
    return np.where(other >= 0.5, NEVER, mask)


def keep_touching(mask: Mask, seed: Mask) -> Mask:
    """Return the connected parts of a mask (0 or 1) that touch `seed`, to exclude those of neighbouring faces."""
    count, pieces = cv2.connectedComponents(np.asarray(mask >= 0.5, np.uint8))
    met = np.zeros(count, np.float32)
    met[np.unique(pieces[seed >= 0.5])] = 1
    met[0] = 0  # label 0 is the background
    return np.asarray(met[pieces], np.float32)


def remove_specks(mask: Mask, most: int) -> Mask:
    """Return a mask (0 or 1) without connected parts, and then without holes, of at most `most` pixels."""
    for value in (1, 0):
        _, pieces, facts, _ = cv2.connectedComponentsWithStats(np.asarray(mask == value, np.uint8))
        small = facts[:, cv2.CC_STAT_AREA] <= most
        small[0] = False  # label 0 is the background
        mask = np.where(small[pieces], np.float32(1 - value), mask) if small.any() else mask
    return mask


def ellipse(box: Box, degrees: float) -> Points:
    """Return (72, 2) points of the ellipse in `box`, rotated clockwise about its centre."""
    around = np.exp(1j * np.linspace(0, 2 * np.pi, 72, endpoint=False))
    upright = around.real * (box.width / 2) + 1j * around.imag * (box.height / 2)
    turned = upright * np.exp(1j * np.radians(degrees)) + complex(*box.centre)
    return np.column_stack([turned.real, turned.imag])


def move(mask: Mask, x: float, y: float) -> Mask:
    """Return the mask moved right by `x` and down by `y` pixels, without wrapping around."""
    if x == y == 0:
        return mask
    by = np.array([(1.0, 0.0, x), (0.0, 1.0, y)])
    height, width = mask.shape
    return cv2.warpAffine(mask, by, (width, height), flags=cv2.INTER_LINEAR, borderValue=0).astype(np.float32)


def soften(mask: Mask, grow: float, feather: float) -> Mask:
    """Return the mask with its edge moved outwards by `grow` pixels (inwards below 0), and softened.

    feather: width in pixels of the ramp outside the edge, from 1 to 0, so the whole face is fixed and the seam is
    outside it. The mask also falls to 0 towards the border of the crop, to avoid a straight seam, and towards NEVER,
    where the ramp is inside the mask and shorter (see `TIGHT`).
    """
    inside = np.asarray(mask >= 0.5, np.uint8)
    if not inside.any():
        return np.zeros_like(mask)
    width_of_ramp = max(feather, 1.0)
    near = _around(inside, math.ceil(DISTANCE_ERROR * (max(grow, 0.0) + width_of_ramp)) + 1)
    ramp = -_distance_to(mask[near])  # above 0 inside; exact only outside, as the inside matters only for shrinking
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
    """Return 0 where `never` is True, rising smoothly to 1 over `width` pixels around it."""
    away = cv2.distanceTransform(np.asarray(~never, np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    ramp = np.asarray(np.minimum(away / np.float32(max(width, 1.0)), 1), np.float32)
    return ramp * ramp * (3 - 2 * ramp)


def _around(inside: NDArray[np.uint8], margin: int) -> tuple[slice, slice]:
    """Return the row and column ranges of the mask, extended by `margin` pixels on each side."""
    left, top, width, height = cv2.boundingRect(inside)
    return slice(max(0, top - margin), top + height + margin), slice(max(0, left - margin), left + width + margin)


def _distance_to(mask: Mask) -> NDArray[np.float32]:
    """Return the distance of each pixel's centre to the edge of the mask, in pixels: positive outside, at least -0.5.

    In a partly covered pixel, the position of the edge follows from the coverage, rounded to `COVERAGE_LEVELS`.
    """
    nearest = np.full(mask.shape, max(mask.shape), np.float32)
    for covered in COVERAGE_LEVELS if ((mask > 0) & (mask < 1)).any() else COVERAGE_LEVELS[-1:]:
        less = np.asarray(mask < covered - 0.125, np.uint8)
        distance = cv2.distanceTransform(less, cv2.DIST_L2, cv2.DIST_MASK_5)
        distance -= np.float32(covered - 0.5)
        np.minimum(nearest, distance, out=nearest)
    return nearest


def _to_border(length: int) -> NDArray[np.float32]:
    """Return the distance of each pixel in a row to the nearer end of the row, in pixels."""
    place = np.arange(length, dtype=np.float32) + 0.5
    return np.asarray(np.minimum(place, length - place), np.float32)
