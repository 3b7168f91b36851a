"""Affine resampling of images without aliasing and half-pixel shifts."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Box, Matrix
from .align import compose, inverse, scale_factor, transform_points, translate
from .boxes import bounding, clip

REACH = 3
"""Pixels that interpolation needs around a point, plus one spare pixel."""


def warp(
    image: NDArray[Any],
    matrix: Matrix,
    size: tuple[int, int],
    *,
    interpolation: int = cv2.INTER_CUBIC,
    beyond: int = cv2.BORDER_REPLICATE,
) -> NDArray[Any]:
    """Return the image mapped by `matrix`, at `size` = (width, height) pixels.

    image: (H, W) or (H, W, C), uint8, int16 or float32; matrix: affine map from the image to the result. If it reduces
    the image, the image is first averaged to a smaller size to avoid aliasing, because warpAffine does not support
    INTER_AREA. interpolation, beyond: OpenCV's interpolation and border mode. Raises `DegenerateLandmarks` if the
    matrix has no inverse.
    """
    back, scale = inverse(matrix), scale_factor(matrix)
    source = _source_box(image.shape[1::-1], back, size, margin=REACH / min(scale, 1.0))
    part = image[int(source.top) : int(source.bottom), int(source.left) : int(source.right)]
    matrix = compose(matrix, _shift(source.left, source.top))
    if scale < 1:
        height, width = part.shape[:2]
        small = max(1, round(width * scale)), max(1, round(height * scale))
        part = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
        matrix = compose(matrix, np.array([(width / small[0], 0.0, 0.0), (0.0, height / small[1], 0.0)]))
    on_floats = image.dtype == np.uint8 and interpolation == cv2.INTER_CUBIC  # 25 % faster on floats
    moved = cv2.warpAffine(
        part.astype(np.float32) if on_floats else part,
        compose(_shift(-0.5, -0.5), compose(matrix, _shift(0.5, 0.5))),  # cv2 counts from the centre of the first pixel
        size,
        flags=interpolation,
        borderMode=beyond,
    )
    return cv2.addWeighted(moved, 1, moved, 0, 0, dtype=cv2.CV_8U) if on_floats else moved


def _shift(x: float, y: float) -> Matrix:
    return translate(np.eye(2, 3), (x, y))


def _source_box(whole: tuple[int, ...], back: Matrix, size: tuple[int, int], margin: float) -> Box:
    """Return the box of whole image pixels that the result depends on, at least one. whole: (width, height)."""
    width, height = whole
    seen = bounding(transform_points(Box(0, 0, *size).corners, back))
    near = clip(Box(seen.left - margin, seen.top - margin, seen.right + margin, seen.bottom + margin), width, height)
    left, top = min(math.floor(near.left), width - 1), min(math.floor(near.top), height - 1)
    return Box(left, top, max(math.ceil(near.right), left + 1), max(math.ceil(near.bottom), top + 1))
