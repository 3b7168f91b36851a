"""Noise and film grain of a face, estimated where the face is quiet."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIDE, STEP = 16, 6
"""Side and distance of the squares in which noise is measured, in pixels."""
DARK, BRIGHT = 50, 215
"""Mean grey levels between which a square shows all of the noise; film and sensors clip it at black and white."""
FINE = (0.0, 0.7)
COARSE = (0.7, 1.4)
"""Sigmas of the Gaussian filters between which noise of single pixels, and of grains, lies, in pixels."""
FINE_GAIN, COARSE_GAIN = 1.415, 3.3
"""Standard deviation of white noise, and of grains about 1 px wide, for a deviation of 1 in the band."""
UNEVEN, EVEN = 0.45, 0.6
"""Ratio of the quietest to the middle square: detail and freckles are uneven, grain is even."""


def measure_noise(grey: Floats) -> tuple[float, float]:
    """Return the standard deviations of pixel noise and of grain, in grey levels.

    grey: (H, W), 0..255, both sides at least `SIDE`. The quietest twentieth of the squares counts, so neither edges nor
    hair add to the noise. In coarse structures, skin and grain are alike, except that grain is the same everywhere.
    """
    mean = _sample(cv2.blur(grey, (SIDE, SIDE)))
    exposed = (mean > DARK) & (mean < BRIGHT)
    fine, coarse = (_measure_band(grey, band, exposed) for band in (FINE, COARSE))
    if not coarse[1]:
        return FINE_GAIN * fine[0], 0.0
    evenness = (coarse[0] / coarse[1] - UNEVEN) / (EVEN - UNEVEN)
    return FINE_GAIN * fine[0], COARSE_GAIN * coarse[0] * min(max(evenness, 0.0), 1.0)


def _measure_band(grey: Floats, band: tuple[float, float], exposed: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the deviation in quiet and in middling squares: the 5th percentile and the median, in grey levels."""
    finer = cv2.GaussianBlur(grey, (0, 0), band[0]) if band[0] else grey
    detail = finer - cv2.GaussianBlur(grey, (0, 0), band[1])
    power = _sample(cv2.blur(detail * detail, (SIDE, SIDE)))
    chosen = power[exposed] if exposed.mean() > 0.2 else power.ravel()
    places = [len(chosen) // 20, len(chosen) // 2]
    quiet, middle = np.sqrt(np.maximum(np.partition(chosen, places)[places], 0.0))
    return float(quiet), float(middle)


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values at the centres of whole squares."""
    half = SIDE // 2
    return values[half : values.shape[0] - half + 1 : STEP, half : values.shape[1] - half + 1 : STEP]
