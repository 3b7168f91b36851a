"""Outlines of the detections of a segmenting network, computed only inside each box to save memory."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..inference import Blob
from ..types import Points

FINER = 4
"""Factor by which the prototypes are enlarged before the edge is traced, since their cells are larger than pixels."""
ROUGH = 0.5
"""Largest distance of the polygon from the edge, in pixels of the enlarged mask."""


def outline_of(
    weights: NDArray[np.float64], prototypes: Blob, corners: NDArray[np.float64], size: tuple[int, int]
) -> Points | None:
    """Return the (N, 2) polygon around the largest part of a detection, in pixels of the input; None if it is empty.

    weights: (M,) of the detection; prototypes: (M, h, w); corners: (2, 2) of its box; size: (width, height) of the
    input.
    """
    height, width = prototypes.shape[1:]
    cell = np.array([size[0] / width, size[1] / height])
    low = np.clip(np.floor(corners[0] / cell), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners[1] / cell), low + 1, (width, height)).astype(int)
    part = prototypes[:, low[1] : high[1], low[0] : high[0]]
    sure = np.tensordot(weights.astype(np.float32), part, 1)
    finer = cv2.resize(sure, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    edges, _ = cv2.findContours((finer > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not edges:
        return None
    polygon = cv2.approxPolyDP(max(edges, key=cv2.contourArea), ROUGH, closed=True)[:, 0].astype(np.float64)
    if len(polygon) < 3:
        return None
    inside: Points = np.clip(((polygon + 0.5) / FINER + low) * cell, corners[0], corners[1])
    return inside
