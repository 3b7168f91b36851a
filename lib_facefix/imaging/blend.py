"""Blending a fixed face into the image."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Box, Image, Mask, Matrix, Patch
from .align import inverse, scale_factor, transform_points, translate
from .boxes import bounding, clip
from .resample import warp
from .tone import Tone

COLOUR_STEP = 4
"""Step between pixels, in rows and columns, that are sampled to average colours."""


def paste(
    canvas: Image, patch: Patch, mask: Mask, matrix: Matrix, *, base: Image | None = None, tone: Tone | None = None
) -> None:
    """Blend `patch` into `canvas` in place. Pixels where the mask is 0 do not change.

    patch: (h, w, 3); mask: (h, w), 0..1; matrix: affine map from the canvas to both. base: the crop that `patch` was
    made from. With it, the *difference* between patch and base is added, so unchanged pixels stay exact and detail
    finer than the crop (in a face larger than 512 px) is kept. Without it, the patch replaces the canvas. tone: tone
    of the canvas that a difference must stay in.
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
    # linear to enlarge the crop, as in other tools; cubic to reduce it, where linear would blur it again
    interpolation = cv2.INTER_LINEAR if scale_factor(way) >= 1 else cv2.INTER_CUBIC

    there = canvas[rows, columns]
    if base is None:
        alpha = warp(mask, way, size, interpolation=cv2.INTER_LINEAR, beyond=cv2.BORDER_CONSTANT)
        change = warp(patch, way, size, interpolation=interpolation).astype(np.float32) - there
        change *= cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB)
    else:
        change = np.subtract(patch, base[shown], dtype=np.float32)
        change *= cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB)  # before warping, so that only one image is warped
        change = warp(change, way, size, interpolation=interpolation, beyond=cv2.BORDER_CONSTANT)
        change = tone.keep(there, change) if tone else change
    cv2.add(there, change, dst=there, dtype=cv2.CV_8U)  # rounds and clips to 0..255


def match_colour(patch: Patch, crop: Image, mask: Mask, width: float) -> Patch:
    """Return `patch` with its mean colour in a ring around the mask matched to `crop`.

    patch, crop: (h, w, 3); mask: (h, w), 0..1; width: width of the ring in pixels. Each channel is shifted by its mean
    difference in the ring. A patch equal to its crop does not change.
    """
    ring = _ring(mask[::COLOUR_STEP, ::COLOUR_STEP], width / COLOUR_STEP)
    wanted, current = (
        cv2.mean(np.ascontiguousarray(part[::COLOUR_STEP, ::COLOUR_STEP]), ring)[:3] for part in (crop, patch)
    )
    shift = np.subtract(wanted, current)
    if patch.dtype == np.float32:
        return np.asarray(patch + shift, np.float32)
    return np.asarray(cv2.add(patch, np.append(np.rint(shift), 0.0)), np.uint8)  # clips to 0..255


def _ring(mask: Mask, width: float) -> NDArray[np.uint8]:
    """Return 255 where the mask is 0 but at most `width` pixels away, and 0 elsewhere."""
    outside = np.asarray(mask == 0, np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_3)
    return np.asarray(np.where((outside > 0) & (distance <= width), 255, 0), np.uint8)


def _reach(canvas: tuple[int, ...], mask: tuple[int, ...], matrix: Matrix) -> Box:
    """Return the whole pixels of the canvas that the mask can affect; the area may be 0. canvas, mask: their shapes."""
    around = bounding(transform_points(Box(0, 0, mask[1], mask[0]).corners, inverse(matrix)))
    near = clip(Box(around.left - 1, around.top - 1, around.right + 1, around.bottom + 1), canvas[1], canvas[0])
    return Box(math.floor(near.left), math.floor(near.top), math.ceil(near.right), math.ceil(near.bottom))
