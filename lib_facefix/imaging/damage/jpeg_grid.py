"""Blocks of JPEG files: steps that repeat every eight pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

CELL = 8
"""Side of the blocks of a JPEG file, in pixels."""
STRONGEST = np.uint8(12)
"""Largest step that counts, in grey levels; larger ones are edges of the face."""


def measure_blocks(grey: NDArray[np.uint8]) -> float:
    """Return by how much steps at block borders exceed those around them, in grey levels; the lesser of both axes.

    grey: (H, W), not resampled. The grid may begin anywhere. Sides below four blocks give 0.
    """
    if min(grey.shape) < 4 * CELL:
        return 0.0
    return min(_measure_columns(grey), _measure_columns(np.ascontiguousarray(grey.T)))


def _measure_columns(grey: NDArray[np.uint8]) -> float:
    steps = np.minimum(cv2.absdiff(grey[:, 1:], grey[:, :-1]), STRONGEST)
    profile = steps.mean(0, dtype=np.float32)
    excess = profile[1:-1] - (profile[:-2] + profile[2:]) / 2
    phases = np.sort(excess[: len(excess) // CELL * CELL].reshape(-1, CELL).mean(0))
    return max(0.0, float(phases[-1] - phases[CELL // 2 - 1]))
