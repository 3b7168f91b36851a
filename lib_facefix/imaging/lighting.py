"""Colour and light of a face, which a restorer must not shift."""

import math

import cv2
import numpy as np

from ..types import Image, Patch

SIGMA = 0.125
"""Sigma of the blur whose result counts as light, in widths of the face."""
CELL = 0.0625
"""Side of the cells whose median is taken first, in widths of the face: a shift is in most of them, an eye in few."""
MEDIAN = 5
"""Side of the square of cells that the median is of."""


def keep_light(patch: Patch, crop: Image, width: float) -> Patch:
    """Return the restored crop without its slow shift of colour and brightness from the original.

    patch, crop: (h, w, 3), the restored crop and the original one; width: width of the face in pixels of the crop. The
    shift is the change in cells, under a median and a Gaussian blur. The median passes over small changes, such as a
    clearer eye, which a blur alone would surround with a halo.
    """
    change = np.subtract(patch, crop, dtype=np.float32)
    height, wide = change.shape[:2]
    cell = max(1.0, CELL * width)
    cells = max(1, math.ceil(wide / cell)), max(1, math.ceil(height / cell))
    small = cv2.medianBlur(cv2.resize(change, cells, interpolation=cv2.INTER_AREA), MEDIAN)
    small = cv2.GaussianBlur(small, (0, 0), SIGMA * width / cell, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(patch - cv2.resize(small, (wide, height), interpolation=cv2.INTER_CUBIC), np.float32)
