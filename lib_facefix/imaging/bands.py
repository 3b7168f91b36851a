"""Bands of detail of a crop, and how much of one a restored crop lacks."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Patch

Plane = NDArray[np.float32]
"""One channel of a crop, (h, w), in grey levels."""
LARGEST_SIGMA = 3.0
"""Sigma above which a blur is computed on a reduced plane, in pixels."""
STEADY = 0.01
"""Energy, in squared grey levels, that is added to both sides of a ratio, so that 0 / 0 is 1."""


def luma_of(crop: Patch) -> Plane:
    """Return the brightness of a crop (h, w, 3), 0..255, as Rec. 601 weighs red, green and blue."""
    return np.asarray(cv2.cvtColor(np.asarray(crop, np.float32), cv2.COLOR_RGB2GRAY))


def blur(plane: Plane, sigma: float) -> Plane:
    """Return the plane under a Gaussian blur of `sigma` pixels; a large one is computed on a reduced plane."""
    factor = max(1, int(2 * sigma / LARGEST_SIGMA))
    if sigma <= LARGEST_SIGMA or min(plane.shape) < 2 * factor:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))
    height, width = plane.shape
    small = cv2.resize(plane, (math.ceil(width / factor), math.ceil(height / factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def high_pass(plane: Plane, sigma: float) -> Plane:
    """Return the part of a plane that is finer than a Gaussian of `sigma` pixels, with a mean near 0."""
    return np.asarray(plane - blur(plane, sigma))


def missing_share(before: Plane, after: Plane, window: int) -> Plane:
    """Return the share of `before` to add to `after` for at least the energy of `before` around each pixel, 0..1.

    before, after: one band of the original and of the restored crop, (h, w), grey levels; window: side of the square
    in which energy is averaged, in pixels. With the mean products bb, ba and aa of both, the share m solves
    aa + 2 m ba + m^2 bb = bb. If the restored band is the original one times k, m is 1 - k; equal bands give 0.
    """
    size = (window, window)
    energy = cv2.blur(before * before, size) + np.float32(STEADY)
    left = (cv2.blur(before * after, size) + np.float32(STEADY)) / energy
    lacking = 1 - (cv2.blur(after * after, size) + np.float32(STEADY)) / energy
    return np.asarray(np.clip(np.sqrt(np.maximum(left * left + lacking, 0)) - left, 0, 1) * (lacking > 0), np.float32)
