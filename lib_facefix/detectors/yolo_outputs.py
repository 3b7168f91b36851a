"""Outputs of YOLO networks: the layouts of v5, of v8 to v12 and of networks with built-in NMS, in one form.

The file's metadata identify the layout if present, otherwise the shapes do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel
from ..inference import Blob, sigmoid

Floats = NDArray[np.float64]

FACE_POINTS = 5
"""Number of key points of a face."""
BINS = 16
"""Number of distances, in cells, between which the network divides its belief for each side of a box."""
CHANNELS = 4 * BINS + 1 + FACE_POINTS * 3
"""Channels of a map: the distances of four sides, a score, and five points with visibility."""
MAX_BOXES = 30_000
"""Largest number of boxes that are processed, best first. YOLO has 33,600 at 1,280 px, nearly all of them empty."""
MAX_NUMBERS = 100_000_000
"""Largest number of values in all outputs together."""
MAX_NMS_ROWS = 1000
"""Most rows of a network that applies NMS itself (300 as a rule); other networks give more."""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """Metadata of a file about its outputs; None for missing values."""

    classes: int | None = None
    """Number of classes."""
    points: tuple[int, int] | None = None
    """Number of key points and of values for each: 2, or 3 with visibility."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N detections, in pixels of the network's input."""

    corners: Floats
    """Top left and bottom right corner of each box, (N, 2, 2)."""
    scores: Floats
    """Score of the best class, (N,), 0..1."""
    kinds: NDArray[np.intp]
    """Number of the best class, (N,)."""
    marks: Floats
    """Key points, (N, K, 2); K is 0 if the network has none."""
    weights: Floats
    """Weight of each prototype in the mask, (N, M); M is 0 if the network does not segment."""
    suppressed: bool
    """Whether the network has applied NMS itself."""

    def only(self, chosen: NDArray[Any]) -> Detections:
        """Return the rows with these indices, or where a mask is true."""
        boxes, masks = (self.corners[chosen], self.scores[chosen]), (self.marks[chosen], self.weights[chosen])
        return Detections(*boxes, self.kinds[chosen], *masks, self.suppressed)


def read_rows(outputs: Sequence[Blob], spec: OutputSpec) -> tuple[Detections, Blob]:
    """Return the detections, and the prototypes (M, h, w) of their masks; raises `BadModel` for an unknown layout."""
    if sum(output.size for output in outputs) > MAX_NUMBERS:
        raise BadModel(f"This is not a YOLO model: its outputs have more than {MAX_NUMBERS} values.")
    tables = [output[0] for output in outputs if output.ndim == 3]
    grids = [output[0] for output in outputs if output.ndim == 4]
    if len(tables) != 1 or len(grids) > 1:
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise BadModel(f"This is not a YOLO model: its outputs are {shapes}, not one table and optional prototypes.")
    prototypes = grids[0] if grids else np.zeros((0, 1, 1), np.float32)
    rows = _read(tables[0].astype(np.float64), len(prototypes), spec)
    if len(rows.scores) > MAX_BOXES:
        rows = rows.only(np.sort(np.argpartition(-rows.scores, MAX_BOXES)[:MAX_BOXES]))
    return rows, prototypes


def _read(table: Floats, masks: int, spec: OutputSpec) -> Detections:
    """Return the detections of a table of any layout; masks: number of prototypes."""
    more = masks + (spec.points[0] * spec.points[1] if spec.points else 0)
    if spec.classes is not None:
        by_itself, first = 6 + more, 4 + spec.classes + more
        if table.shape[0] == first:
            return _version_8(table.T, masks, spec)
        if table.shape[1] == by_itself and table.shape[0] <= MAX_NMS_ROWS:
            return _by_itself(table, masks, spec)
        if table.shape[1] == first + 1:
            return _version_5(table, masks)
    elif table.shape[0] < table.shape[1]:
        return _version_8(table.T, masks, spec)
    elif table.shape[0] <= MAX_NMS_ROWS:
        return _by_itself(table, masks, spec)
    elif table.shape[1] > 5 + masks:
        return _version_5(table, masks)
    raise BadModel(f"This is not a YOLO model: its table {table.shape} does not fit {spec.classes} classes.")


def _version_8(table: Floats, masks: int, spec: OutputSpec) -> Detections:
    """Each row: box, a score for each class, prototypes' weights, or key points."""
    points = spec.points or ((FACE_POINTS, 3) if not masks and table.shape[1] == 4 + 1 + FACE_POINTS * 3 else (0, 2))
    end = table.shape[1] - masks - points[0] * points[1]
    return _rows(
        _from_centres(table), table[:, 4:end], _marks(table[:, end : table.shape[1] - masks], points), table, masks
    )


def _version_5(table: Floats, masks: int) -> Detections:
    """Each row: box, a score for any object, one for each class; v5-face has five points between them."""
    points = (FACE_POINTS, 2) if table.shape[1] == 4 + 1 + FACE_POINTS * 2 + 1 and not masks else (0, 2)
    start = 5 + points[0] * points[1]
    scores = table[:, 4:5] * table[:, start : table.shape[1] - masks]
    return _rows(_from_centres(table), scores, _marks(table[:, 5:start], points), table, masks)


def _by_itself(table: Floats, masks: int, spec: OutputSpec) -> Detections:
    """Each row: left, top, right, bottom, score, class, then as in version 8."""
    points = spec.points or (0, 2)
    start = table.shape[1] - masks - points[0] * points[1]
    if start != 6:
        raise BadModel(f"This is not a YOLO model: its table has rows of {table.shape[1]} numbers.")
    marks = _marks(table[:, start : table.shape[1] - masks], points)
    weights = table[:, table.shape[1] - masks :]
    kinds = table[:, 5].astype(np.intp)
    return Detections(table[:, :4].reshape(-1, 2, 2), table[:, 4], kinds, marks, weights, suppressed=True)


def _rows(corners: Floats, scores: Floats, marks: Floats, table: Floats, masks: int) -> Detections:
    if not scores.shape[1]:
        raise BadModel(f"This is not a YOLO detector: its rows of {table.shape[1]} numbers have no scores.")
    kinds = scores.argmax(1)
    weights = table[:, table.shape[1] - masks :]
    return Detections(corners, scores[np.arange(len(scores)), kinds], kinds, marks, weights, suppressed=False)


def _from_centres(table: Floats) -> Floats:
    centres, halves = table[:, :2], table[:, 2:4] / 2
    return np.stack([centres - halves, centres + halves], 1)


def _marks(numbers: Floats, points: tuple[int, int]) -> Floats:
    count, each = points
    return numbers.reshape(len(numbers), count, each)[..., :2] if count else np.zeros((len(numbers), 0, 2))


def are_maps(outputs: Sequence[Blob]) -> bool:
    """Return whether these are maps of a YOLOv8-face network without its last layers: (1, 80, h, w) at three scales."""
    return len(outputs) == 3 and all(output.ndim == 4 and output.shape[1] == CHANNELS for output in outputs)


def as_table(outputs: Sequence[Blob], height: int) -> Blob:
    """Return the maps as a (1, 20, N) table of version 8; height: of the network's input, in pixels."""
    return np.concatenate([_columns(output[0].astype(np.float64), height / output.shape[2]) for output in outputs], 1)[
        None
    ].astype(np.float32)


def _columns(grid: NDArray[np.float64], stride: float) -> NDArray[np.float64]:
    """Return (20, h x w): centre, size, score, and five points with their visibility."""
    rows, columns = grid.shape[1:]
    flat = grid.reshape(CHANNELS, -1)
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), 0).reshape(2, -1) + 0.5
    likely = np.exp(flat[: 4 * BINS] - flat[: 4 * BINS].max()).reshape(4, BINS, -1)
    away = (likely / likely.sum(1, keepdims=True) * np.arange(BINS)[None, :, None]).sum(1)  # left, top, right, bottom
    low, high = cells - away[:2], cells + away[2:]
    marks = flat[4 * BINS + 1 :].reshape(FACE_POINTS, 3, -1).copy()
    marks[:, :2] = (marks[:, :2] * 2 + cells - 0.5) * stride
    marks[:, 2] = sigmoid(marks[:, 2])
    boxes = np.concatenate([(low + high) / 2, high - low]) * stride
    return np.concatenate([boxes, sigmoid(flat[4 * BINS : 4 * BINS + 1]), marks.reshape(FACE_POINTS * 3, -1)])
