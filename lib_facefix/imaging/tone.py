"""Pictures of one tone: grey stored as RGB, sepia, duotone. A restored face must not bring other colours into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Image

OFF_TONE = 6.0
"""Levels that the colour of a pixel may be off the tone of its brightness, as JPEG alone does that.

In portraits in colour it is 9 and more."""
SHARE = 0.9
"""Share of the pixels that must be of the tone; dust and scratches need not be."""
LEAST_RANGE = 16.0
"""Levels between dark and bright pixels below which a crop is flat, and tells nothing about a tone."""
STEPS = 16
"""Steps within a level of brightness in which a tone is tabulated."""
KNOTS = 48
"""Steps of brightness in which the colour is averaged."""
END_KNOTS = 4
"""Steps at either end of the curve that tell how the tone goes on, in pixels darker or brighter than all here."""
COARSE = 4
"""Distance, in pixels of a row, of the pixels that are analysed to learn the tone."""
SQUARE = 8
"""Side of the squares whose means must be of the tone, in pixels: coloured noise and JPEG's colours vanish in means."""
SQUARES = 32
"""Least number of squares on each side of a crop; in a small crop they are smaller."""


@dataclass(frozen=True, slots=True, eq=False)
class Tone:
    """The tone of a picture: its colour at each brightness."""

    colours: NDArray[np.float32]
    """Red, green and blue at brightness 0, 1 / STEPS, 2 / STEPS ... 255, (N, 3)."""

    def keep(self, shown: Image, change: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the change of the same brightness that stays in the tone: from its colour before to the one after.

        shown: (H, W, 3), the pixels to be changed; change: (H, W, 3), what a restorer would add to them.
        """
        before = _brightness(shown)
        return self._find_colours(before + _brightness(change)) - self._find_colours(before)

    def _find_colours(self, light: NDArray[np.float32]) -> NDArray[np.float32]:
        steps = np.rint(light * np.float32(STEPS)).clip(0, len(self.colours) - 1)
        return np.asarray(self.colours[steps.astype(np.int16)])


def learn_tone(crop: Image) -> Tone | None:
    """Return the tone of a crop, (h, w, 3), or None if it is in colour, or flat.

    It has a tone if the brightness of a pixel tells its colour, as in black and white, sepia or duotone pictures.
    """
    sample = np.ascontiguousarray(crop[::COARSE, ::COARSE]).reshape(1, -1, 3)
    light = _brightness(sample)[0].astype(np.float64)
    pixels = sample[0].astype(np.float64)
    ranks = np.sort(light)[np.linspace(0.02 * light.size, 0.98 * light.size, KNOTS + 1).astype(int)]
    low, high = ranks[0], ranks[-1]
    if high - low < LEAST_RANGE:
        return None
    edges = np.union1d(np.linspace(low, high, KNOTS + 1), ranks)[1:-1]
    bins = np.searchsorted(edges, light, side="right")
    counts = np.bincount(bins)
    known = counts > 0
    sums = [np.bincount(bins, values) for values in (light, *pixels.T)]
    knots = np.stack([total[known] / counts[known] for total in sums], 1)
    curve = np.vstack([_extend(knots, counts[known], 0.0), knots, _extend(knots[::-1], counts[known][::-1], 255.0)])
    side = max(1, min(SQUARE, min(crop.shape[:2]) // SQUARES))
    size = max(1, crop.shape[1] // side), max(1, crop.shape[0] // side)
    means = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA)).reshape(1, -1, 3)
    off = np.sort(np.abs(_colours(curve, _brightness(means)[0].astype(np.float64)) - means[0]).max(1))
    if off[int(off.size * SHARE)] > OFF_TONE:
        return None
    return Tone(np.asarray(_colours(curve, np.arange(255 * STEPS + 1) / STEPS), np.float32))


def _extend(knots: NDArray[np.float64], counts: NDArray[np.int64], light: float) -> NDArray[np.float64]:
    """Return the point of the curve at a brightness beyond its first knot, on a line through the first few."""
    near, weights = knots[:END_KNOTS], counts[:END_KNOTS] / counts[:END_KNOTS].sum()
    from_mean = near - weights @ near
    slope = (weights * from_mean[:, 0]) @ from_mean / ((weights * from_mean[:, 0]) @ from_mean[:, 0])
    return np.asarray(knots[0] + slope * (light - knots[0, 0]))


def _brightness(picture: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.asarray(picture, np.float32), cv2.COLOR_RGB2GRAY))


def _colours(curve: NDArray[np.float64], light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colour (..., 3) of each brightness on the curve (N, 4) of brightness, red, green and blue."""
    return np.stack([np.interp(light, curve[:, 0], channel) for channel in curve[:, 1:].T], -1)
