"""What YOLOv8-face nets answer that were exported without their last layers: three maps instead of one table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..inference import Blob, sigmoid

BINS = 16
"""Number of distances, in cells, between which the network divides its belief for each side of a box."""
POINTS = 5
CHANNELS = 4 * BINS + 1 + POINTS * 3


def are_maps(outputs: Sequence[Blob]) -> bool:
    """Return whether these are the maps of such a net: (1, 80, h, w) at three scales."""
    return len(outputs) == 3 and all(output.ndim == 4 and output.shape[1] == CHANNELS for output in outputs)


def as_table(outputs: Sequence[Blob], height: int) -> Blob:
    """Return the (1, 20, N) table of version 8 that the maps stand for; height: of the net's input, pixels."""
    return np.concatenate([_columns(output[0].astype(np.float64), height / output.shape[2]) for output in outputs], 1)[
        None
    ].astype(np.float32)


def _columns(grid: NDArray[np.float64], stride: float) -> NDArray[np.float64]:
    """Return (20, h x w): centre, size, score, and five points with whether each is seen."""
    rows, columns = grid.shape[1:]
    flat = grid.reshape(CHANNELS, -1)
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), 0).reshape(2, -1) + 0.5
    likely = np.exp(flat[: 4 * BINS] - flat[: 4 * BINS].max()).reshape(4, BINS, -1)
    away = (likely / likely.sum(1, keepdims=True) * np.arange(BINS)[None, :, None]).sum(1)  # left, top, right, bottom
    low, high = cells - away[:2], cells + away[2:]
    marks = flat[4 * BINS + 1 :].reshape(POINTS, 3, -1).copy()
    marks[:, :2] = (marks[:, :2] * 2 + cells - 0.5) * stride
    marks[:, 2] = sigmoid(marks[:, 2])
    boxes = np.concatenate([(low + high) / 2, high - low]) * stride
    return np.concatenate([boxes, sigmoid(flat[4 * BINS : 4 * BINS + 1]), marks.reshape(POINTS * 3, -1)])
