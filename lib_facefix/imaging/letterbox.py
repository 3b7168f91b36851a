"""Letterboxing: fitting an image into the input of a network, and mapping points back."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Image, Points

STRIDE = 32
"""Stride of networks with variable input size; sides are multiples of it, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Letterbox:
    """An image of the size that a network expects."""

    pixels: NDArray[np.float32]
    """The letterboxed image, RGB (height, width, 3), 0..255."""
    scale: NDArray[np.float64]
    """Factors from image to `pixels` in x and y, (2,)."""
    shift: NDArray[np.float64]
    """Position (x, y) of the image's top left corner in `pixels`, (2,)."""

    def to_source(self, points: Points) -> Points:
        """Return (..., 2) points of the letterboxed image in coordinates of the source image."""
        mapped: Points = (points - self.shift) / self.scale
        return mapped

    def blob(self, mean: float, deviation: float) -> NDArray[np.float32]:
        """Return (pixels - mean) / deviation as (1, 3, H, W)."""
        normed = self.pixels / np.float32(deviation) - np.float32(mean / deviation)
        return np.ascontiguousarray(normed.transpose(2, 0, 1)[None])


def input_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the smallest (width, height) in multiples of `STRIDE` for an image scaled to the longer side `side`."""
    share = side / max(width, height)
    return math.ceil(width * share / STRIDE) * STRIDE, math.ceil(height * share / STRIDE) * STRIDE


def letterbox(
    image: Image,
    size: tuple[int, int],
    *,
    inner: tuple[int, int] | None = None,
    fill: float = 0,
    centred: bool = False,
    reduce: int = cv2.INTER_AREA,
) -> Letterbox:
    """Return the image scaled to fit into `size` = (width, height), and padded.

    image: RGB (H, W, 3), uint8; inner: size of the scaled image, by default the largest that fits; fill: grey level of
    the padding, 0..255; centred: True to centre the image instead of placing it top left; reduce: OpenCV's
    interpolation for reducing.
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
