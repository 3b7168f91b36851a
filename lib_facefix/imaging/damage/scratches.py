"""Scratches: thin, long, nearly straight lines that stand out from their neighbourhood."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

REACH = 2
"""Distance from a line's middle at which both sides are compared with it, in pixels; the line must be thinner."""
ROWS = 4
"""Rows that are averaged before lines are followed, which keeps only lines within 15 degrees of the columns."""
TEXTURE = 15
"""Side of the neighbourhood from which a line must stand out, in pixels."""
OUTLIER, FLOOR = 6.0, 4.0
"""A line counts fully if its contrast is this many times the mean of its neighbourhood, plus so many grey levels."""
EXPECTED = 0.4
"""Share of a full line that must be exceeded along the whole of a scratch."""
BEND = 0.4
"""What a step to a neighbouring column costs, in rows of a full line: scratches are straight, hairs are not."""
SHEARS = (0.0, -0.5, 0.5)
"""Columns per row by which the region is sheared to see lines of other directions, upright ones first."""
COMMON, RARE = 1.0, 1.6
"""Weights of upright and level lines, and of slanted ones, which faces and clothes have fewer of."""


def measure_scratches(grey: Floats) -> float:
    """Return the length of the clearest scratch, in pixels of an unbroken line in full contrast.

    grey: (H, W), 0..255. Lines are followed in six directions, brighter and darker than both sides. In hair, beard and
    wrinkles, each line is one of many, so it does not stand out. Frames of glasses are too thick, and too curved.
    """
    views, weights = [], []
    for upright in (grey, np.ascontiguousarray(grey.T)):
        for shear in SHEARS:
            for view in _mark_lines(_shear(upright, shear)):
                views.append(view)
                weights.append(RARE if shear else COMMON)
    longest = _follow_lines(views)
    return max((weight * length for weight, length in zip(weights, longest, strict=True)), default=0.0)


def _shear(grey: Floats, shear: float) -> Floats:
    if not shear:
        return grey
    height, width = grey.shape
    size = int(width + abs(shear) * height), height
    matrix = np.array([(1, shear, max(0.0, -shear * height)), (0, 1, 0)], np.float32)
    return np.asarray(cv2.warpAffine(grey, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _mark_lines(grey: Floats) -> Iterator[Floats]:
    """Yield how clearly each place, of `ROWS` rows, lies on a bright and on a dark upright line, 0..1."""
    if min(grey.shape) < 2 * TEXTURE:
        return
    smooth = cv2.blur(grey, (1, 3))
    middle, left, right = smooth[:, REACH:-REACH], smooth[:, : -2 * REACH], smooth[:, 2 * REACH :]
    for difference in (middle - np.maximum(left, right), np.minimum(left, right) - middle):
        contrast = np.maximum(difference, 0)
        around = cv2.blur(contrast, (TEXTURE, TEXTURE))
        clear = np.minimum(contrast / (OUTLIER * around + FLOOR), 1)
        size = clear.shape[1], clear.shape[0] // ROWS
        yield np.asarray(cv2.resize(clear, size, interpolation=cv2.INTER_AREA), np.float32)


def _follow_lines(views: list[Floats]) -> list[float]:
    """Return the length of the longest line in each view, in pixels, weighted by how clear it is.

    The best chain of places from row to row, each one column aside at most (dynamic programming). A chain that becomes
    less clear than `EXPECTED` on the whole starts anew. All views are followed at once, side by side.
    """
    if not views:
        return []
    starts = np.cumsum([0, *(view.shape[1] + 1 for view in views)])
    marks = np.zeros((max(view.shape[0] for view in views), starts[-1]), np.float32)
    for view, start in zip(views, starts, strict=False):
        marks[: view.shape[0], start : start + view.shape[1]] = view
    marks -= EXPECTED
    padded = np.zeros(starts[-1] + 2, np.float32)
    chain, best = padded[1:-1], np.zeros(starts[-1], np.float32)
    for row in marks:
        aside = np.maximum(padded[:-2], padded[2:]) - BEND
        chain[:] = np.maximum(np.maximum(chain, aside) + row, 0)
        np.maximum(best, chain, out=best)
    tops = [best[start:end].max() for start, end in pairwise(starts)]
    return [float(top) * ROWS / (1 - EXPECTED) for top in tops]
