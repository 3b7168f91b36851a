"""Putting a fixed face back."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Box, Image, Mask, Matrix, Patch
from .align import inverse, scale_factor, transform_points, translate
from .boxes import bounding, clip
from .resample import warp

COARSE = 4
"""Of how many pixels of a row one is looked at when colours are averaged."""


def paste(canvas: Image, patch: Patch, mask: Mask, matrix: Matrix, *, base: Image | None = None) -> None:
    """Lay `patch` over `canvas` where `mask` shows; `canvas` itself is changed, and only inside the mask.

    patch: (h, w, 3); mask: (h, w), 0..1; `matrix` maps the canvas to them. Where the mask is 0 every byte stays.
    base: the crop that `patch` was made from. When given, what is laid on is the *change* from base to patch, so an
    unchanged pixel stays exact, and detail finer than the crop (a face larger than 512 px) is kept. Without it the
    patch replaces what is there.
    """
    if not mask.any():
        return
    left, top, width, height = cv2.boundingRect(np.asarray(mask > 0, np.uint8))
    shown = slice(top, top + height), slice(left, left + width)
    mask, patch = mask[shown], patch[shown]
    matrix = translate(matrix, (-left, -top))
    region = _reach(canvas.shape, mask.shape, matrix)
    if not region.area > 0:
        return
    rows, columns = (slice(int(region.top), int(region.bottom)), slice(int(region.left), int(region.right)))
    size = int(region.width), int(region.height)
    way = translate(inverse(matrix), (-region.left, -region.top))
    # linear where the crop is enlarged, as peers do; where it is reduced that would blur it a second time
    interpolation = cv2.INTER_LINEAR if scale_factor(way) >= 1 else cv2.INTER_CUBIC

    there = canvas[rows, columns]
    if base is None:
        alpha = warp(mask, way, size, interpolation=cv2.INTER_LINEAR, beyond=cv2.BORDER_CONSTANT)
        change = warp(patch, way, size, interpolation=interpolation).astype(np.float32) - there
        change *= cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB)
    else:
        change = np.subtract(patch, base[shown], dtype=np.float32)
        change *= cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB)  # before it is moved: one picture to move, not two
        change = warp(change, way, size, interpolation=interpolation, beyond=cv2.BORDER_CONSTANT)
    cv2.add(there, change, dst=there, dtype=cv2.CV_8U)  # rounds, and cuts off at 0 and 255


def match_colour(patch: Patch, crop: Image, mask: Mask, width: float) -> Patch:
    """Return `patch` with its colour shifted until, in a ring around the mask, it agrees with `crop`.

    patch, crop: (h, w, 3); mask: (h, w), 0..1; width: of the ring, pixels. One shift for each channel: the mean
    difference in the ring. A patch equal to its crop comes back equal.
    """
    ring = _ring(mask[::COARSE, ::COARSE], width / COARSE)
    seen, wanted = (cv2.mean(np.ascontiguousarray(part[::COARSE, ::COARSE]), ring)[:3] for part in (patch, crop))
    shift = np.subtract(wanted, seen)
    if patch.dtype == np.float32:
        return np.asarray(patch + shift, np.float32)
    return np.asarray(cv2.add(patch, np.append(np.rint(shift), 0.0)), np.uint8)  # cuts off at 0 and 255


def _ring(mask: Mask, width: float) -> NDArray[np.uint8]:
    """Return 255 where the mask leaves the picture alone but lies within `width`; 0 elsewhere."""
    outside = np.asarray(mask == 0, np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_3)
    return np.asarray(np.where((outside > 0) & (distance <= width), 255, 0), np.uint8)


def _reach(canvas: tuple[int, ...], mask: tuple[int, ...], matrix: Matrix) -> Box:
    """Return the whole pixels of the canvas that the mask can touch; of no area if there are none. Both by shape."""
    around = bounding(transform_points(Box(0, 0, mask[1], mask[0]).corners, inverse(matrix)))
    near = clip(Box(around.left - 1, around.top - 1, around.right + 1, around.bottom + 1), canvas[1], canvas[0])
    return Box(math.floor(near.left), math.floor(near.top), math.ceil(near.right), math.ceil(near.bottom))
