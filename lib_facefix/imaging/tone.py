"""Pictures of one tone: black and white stored as RGB, sepia. A restored face must not bring colour into them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Image, Patch

OFF_TONE = 6.0
"""Levels that the colour of a pixel may be off the tone of its brightness, as JPEG alone does that.

In portraits in colour it is 11 and more."""
SHARE = 0.9
"""Share of the pixels that must be of the tone; dust and scratches need not be."""
LEAST_RANGE = 16.0
"""Levels between dark and bright pixels below which a crop is flat, and tells nothing about a tone."""
KNOTS = 12
"""Steps of brightness in which the colour is averaged."""
COARSE = 2
"""Distance, in pixels of a row, of the pixels that are analysed to learn the tone."""


def keep_tone(patch: Patch, crop: Image) -> Patch:
    """Return `patch` in the tone of the crop it was made from, if that has but one; else `patch` itself.

    patch, crop: (h, w, 3), 0..255. Only the change in brightness is kept. A patch equal to its crop comes back equal.
    """
    if not has_one_tone(crop):
        return patch
    change = _brightness(patch) - _brightness(crop)
    changed = crop + change[..., None]
    return np.asarray(np.clip(changed, 0, 255), np.float32)


def has_one_tone(crop: Image) -> bool:
    """Return whether the brightness of a pixel tells its colour, as in black and white or sepia pictures."""
    sample = np.ascontiguousarray(crop[::COARSE, ::COARSE]).reshape(1, -1, 3)
    light = _brightness(sample)[0].astype(np.float64)
    pixels = sample[0].astype(np.float64)
    low, high = np.sort(light)[[int(light.size * share) for share in (0.02, 0.98)]]
    if high - low < LEAST_RANGE:
        return False
    edges = np.linspace(low, high, KNOTS + 1)
    bins = np.clip(np.searchsorted(edges, light, side="right") - 1, 0, KNOTS - 1)
    counts = np.bincount(bins, minlength=KNOTS)
    known = counts > 0
    sums = [np.bincount(bins, values, KNOTS) for values in (light, *pixels.T)]
    curve = np.stack([total[known] / counts[known] for total in sums], 1)
    off = np.sort(np.abs(_colours(curve, light) - pixels).max(1))
    return bool(off[int(off.size * SHARE)] <= OFF_TONE)


def _brightness(picture: Patch) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.asarray(picture, np.float32), cv2.COLOR_RGB2GRAY))


def _colours(curve: NDArray[np.float64], light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colour (..., 3) of each brightness on the curve (N, 4) of brightness, red, green and blue."""
    return np.stack([np.interp(light, curve[:, 0], channel) for channel in curve[:, 1:].T], -1)
