"""A picture made to fit the input of a net (letterboxed), and the way back for what the net finds in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Image, Points

STEP = 32
"""The sides of the inputs of nets that take several sizes are multiples of this, pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Letterbox:
    """A picture of the size that a net takes."""

    pixels: NDArray[np.float32]
    """The fitted picture, (height, width, 3), RGB, 0..255."""
    scale: NDArray[np.float64]
    """The factors, (2,), by which x and y were multiplied."""
    shift: NDArray[np.float64]
    """The place of the picture's top left corner in `pixels`, (2,)."""

    def to_source(self, points: Points) -> Points:
        """Return where (..., 2) points of the fitted picture are in the one it was made from."""
        there: Points = (points - self.shift) / self.scale
        return there

    def blob(self, mean: float, deviation: float) -> NDArray[np.float32]:
        """Return the pixels as (1, 3, H, W), `mean` taken off and divided by `deviation`."""
        normed = self.pixels / np.float32(deviation) - np.float32(mean / deviation)
        return np.ascontiguousarray(normed.transpose(2, 0, 1)[None])


def input_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the smallest (width, height) in steps of `STEP` that holds a picture whose longer side becomes `side`."""
    share = side / max(width, height)
    return math.ceil(width * share / STEP) * STEP, math.ceil(height * share / STEP) * STEP


def letterbox(
    image: Image,
    size: tuple[int, int],
    *,
    inner: tuple[int, int] | None = None,
    fill: float = 0,
    centred: bool = False,
    reduce: int = cv2.INTER_AREA,
) -> Letterbox:
    """Return the picture as large as it fits into `size` = (width, height), the rest filled.

    image: RGB (H, W, 3); inner: how large the picture becomes, if not as large as it fits; fill: grey, 0..255;
    centred: or else in the top left corner; reduce: how cv2 makes it smaller.
    """
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = inner or (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2) if centred else (0, 0)
    pixels = np.full((size[1], size[0], 3), fill, np.float32)
    pixels[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=reduce if scale < 1 else cv2.INTER_LINEAR
    )
    return Letterbox(pixels, np.array([inner[0] / width, inner[1] / height]), np.array([left, top], np.float64))
