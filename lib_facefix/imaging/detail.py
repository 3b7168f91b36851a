"""Fine detail of a face that a restorer must not erase: beard, wrinkles, lashes."""

import cv2
import numpy as np

from ..types import Image, Patch
from .bands import high_pass, luma_of, missing_share

OCTAVE = 1.4
"""Sigma of the blur that detail is finer than, in pixels of the image, or of the crop if that is coarser."""
WINDOW = 9
"""Side of the square in which energy is compared, in the same pixels."""
FLOOR = 1.5
"""Standard deviation that detail must exceed even in an image without noise, in grey levels."""
ABOVE_NOISE = 2.2
"""Ratio of detail to noise up to which it may be noise, as noise differs from place to place."""

STRONG = 32.0, 64.0
"""Values up to which detail is kept in full, and from which it is a scratch or speck that may go, in grey levels."""


def keep_detail(patch: Patch, crop: Image, scale: float, noise: float) -> Patch:
    """Return the restored crop with the detail of the original where its own finest octave has less energy.

    patch, crop: (h, w, 3), the restored crop and the original one; scale: pixels of the crop for one of the image;
    noise: standard deviation of the finest noise, in grey levels. Detail counts from the energy
    that noise may have, and in full from twice that, so noise is not given back, nor are
    scratches. Brightness alone changes.
    """
    step = max(1.0, scale)
    window = 2 * round(WINDOW * step / 2) + 1
    before, after = (high_pass(luma_of(picture), OCTAVE * step) for picture in (crop, patch))
    floor = np.float32(max(FLOOR, ABOVE_NOISE * noise) ** 2)
    energy = cv2.blur(before * before, (window, window))
    weight = np.clip(energy / floor - 1, 0, 1)
    weight *= np.clip((np.float32(STRONG[1]) - np.abs(before)) / np.float32(STRONG[1] - STRONG[0]), 0, 1)
    added = before * weight * missing_share(before, after, window)
    return np.asarray(patch + cv2.cvtColor(np.asarray(added, np.float32), cv2.COLOR_GRAY2RGB), np.float32)
