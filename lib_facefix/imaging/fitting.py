"""A picture made to fit the input of a net, and the way back for what the net finds in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..faces import Image, Points


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A picture of the size that a net takes."""

    image: Image
    scale: NDArray[np.float64]
    """(2,): by how much x and y were multiplied."""
    shift: NDArray[np.float64]
    """(2,): where the picture's top left corner lies in it, pixels."""

    def back(self, points: Points) -> Points:
        """Return where (..., 2) points of the fitted picture lie in the one it was made from."""
        there: Points = (points - self.shift) / self.scale
        return there

    def blob(self, mean: float, deviation: float) -> NDArray[np.float32]:
        """Return the picture as (1, 3, H, W) floats, RGB, `mean` taken off and divided by `deviation`."""
        floats = (self.image - np.float32(mean)) / np.float32(deviation)
        return np.ascontiguousarray(floats.transpose(2, 0, 1)[None], np.float32)


def fit(
    image: Image,
    size: tuple[int, int],
    *,
    fill: int = 0,
    centred: bool = False,
    reduce: int = cv2.INTER_AREA,
    whole: Callable[[float], int] = round,
) -> Fitted:
    """Return the picture as large as it goes into `size` = (width, height), the rest filled.

    image: RGB (H, W, 3); fill: grey, 0..255; centred: or else in the top left corner; reduce: how cv2 makes it smaller;
    whole: makes whole pixels of its shorter side.
    """
    height, width = image.shape[:2]
    tall = height / width > size[1] / size[0]
    inner = (
        (max(1, whole(size[1] / (height / width))), size[1])
        if tall
        else (size[0], max(1, whole(size[0] * (height / width))))
    )
    left, top = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2) if centred else (0, 0)
    fitted = np.full((size[1], size[0], 3), fill, np.uint8)
    how = reduce if inner[0] < width else cv2.INTER_LINEAR
    fitted[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=how)
    scale = np.array([inner[0] / width, inner[1] / height])
    return Fitted(fitted, scale, np.array([left, top], np.float64))
