"""Putting a fixed face back."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..faces import Box, Image, Mask, Matrix
from .align import inverse, move, shifted
from .boxes import bounding, clip
from .resample import warp

COARSE = 4
"""Of how many pixels of a row one is looked at when colours are averaged."""


def paste(canvas: Image, patch: Image, mask: Mask, matrix: Matrix, *, base: Image | None = None) -> None:
    """Lay `patch` over `canvas` where `mask` shows; `canvas` itself is changed, and only inside the mask.

    patch: (h, w, 3); mask: (h, w), 0..1; `matrix` maps the canvas to them. Where the mask is 0 every byte stays.
    base: the crop that `patch` was made from. When given, what is laid on is the *change* from base to patch, so an
    unchanged pixel stays exact, and detail finer than the crop (a face larger than 512 px) is kept. Without it the
    patch replaces what is there.
    """
    region = _reach(canvas, mask, matrix)
    if region is None:
        return
    rows, columns = (slice(int(region.top), int(region.bottom)), slice(int(region.left), int(region.right)))
    size = int(region.width), int(region.height)
    way = shifted(inverse(matrix), (-region.left, -region.top))

    alpha = warp(_framed(mask), way, size, enlarge=cv2.INTER_LINEAR)
    there = canvas[rows, columns]
    if base is None:
        change = warp(patch, way, size, enlarge=cv2.INTER_LINEAR).astype(np.float32) - there
    else:
        change = warp(np.subtract(patch, base, dtype=np.float32), way, size, enlarge=cv2.INTER_LINEAR)
    change *= np.clip(alpha, 0, 1, out=alpha)[..., None]
    np.copyto(there, np.clip(np.rint(change, out=change) + there, 0, 255), casting="unsafe")


def match_colour(patch: Image, crop: Image, mask: Mask, width: float) -> Image:
    """Return `patch` with its colour shifted until, in a ring around the mask, it agrees with `crop`.

    patch, crop: (h, w, 3); mask: (h, w), 0..1; width: of the ring, pixels. One shift for each channel: the mean
    difference in the ring. A patch equal to its crop comes back equal.
    """
    ring = _ring(mask[::COARSE, ::COARSE], width / COARSE)
    seen, wanted = (cv2.mean(np.ascontiguousarray(part[::COARSE, ::COARSE]), ring)[:3] for part in (patch, crop))
    shift = np.subtract(wanted, seen)
    table = np.clip(np.rint(np.arange(256)[:, None] + shift), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(patch, table[None]), np.uint8)


def _ring(mask: Mask, width: float) -> NDArray[np.uint8]:
    """Return 255 where the mask leaves the picture alone but lies within `width`; 0 elsewhere."""
    outside = np.asarray(mask == 0, np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_3)
    return np.asarray(np.where((outside > 0) & (distance <= width), 255, 0), np.uint8)


def _reach(canvas: Image, mask: Mask, matrix: Matrix) -> Box | None:
    """Return the whole pixels of the canvas that the mask can touch; None if there are none."""
    columns, rows = (np.flatnonzero(mask.max(axis)) for axis in (0, 1))
    if not len(rows):
        return None
    shown = Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    around = bounding(move(shown.corners, inverse(matrix)))
    height, width = canvas.shape[:2]
    near = clip(Box(around.left - 1, around.top - 1, around.right + 1, around.bottom + 1), width, height)
    region = Box(math.floor(near.left), math.floor(near.top), math.ceil(near.right), math.ceil(near.bottom))
    return region if region.area > 0 else None


def _framed(mask: Mask) -> Mask:
    """Return the mask with its outermost pixels 0, so that repeating the edge repeats nothing."""
    if not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()):
        return mask
    framed = np.zeros_like(mask)
    framed[1:-1, 1:-1] = mask[1:-1, 1:-1]
    return framed
