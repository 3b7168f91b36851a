"""What YOLO nets answer: the layouts of v5, v8 to v12 and those that suppress by themselves, made into one form.

A layout is told by what the file says of itself, where it does, and else by the shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel
from ..inference import Blob

Floats = NDArray[np.float64]

FACE_POINTS = 5
MOST_BOXES = 30_000
"""Finds that are looked at, the best ones; YOLO at 1,280 px has 33,600, nearly all of them of nothing."""
MOST_NUMBERS = 100_000_000
"""In an answer."""
MOST_ROWS = 1000
"""A net that has suppressed by itself gives fewer rows, 300 as a rule; any other gives more."""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """What a file says of its net; None for what it does not say."""

    classes: int | None = None
    points: tuple[int, int] | None = None
    """How many key points, and how many numbers for each: 2, or 3 with whether it is seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N finds, in pixels of the net's input."""

    corners: Floats
    """(N, 2, 2): top left, bottom right."""
    scores: Floats
    """(N,) 0..1, of the best class."""
    kinds: NDArray[np.intp]
    """(N,): the best class."""
    marks: Floats
    """(N, K, 2): key points; K is 0 where the net has none."""
    weights: Floats
    """(N, M): what each prototype weighs in the find's mask; M is 0 where the net does not segment."""
    suppressed: bool
    """Whether the net has dropped by itself what shows the same."""

    def only(self, chosen: NDArray[Any]) -> Detections:
        """Return the rows of these indices, or where this is true."""
        return Detections(
            self.corners[chosen],
            self.scores[chosen],
            self.kinds[chosen],
            self.marks[chosen],
            self.weights[chosen],
            self.suppressed,
        )


def read_rows(outputs: Sequence[Blob], told: OutputSpec) -> tuple[Detections, Blob]:
    """Return what the net found, and its prototypes (M, h, w); raises `BadModel` for a layout that is unknown."""
    if sum(output.size for output in outputs) > MOST_NUMBERS:
        raise BadModel(f"it answers with more than {MOST_NUMBERS} numbers, so it is no YOLO model")
    tables = [output[0] for output in outputs if output.ndim == 3]
    grids = [output[0] for output in outputs if output.ndim == 4]
    if len(tables) != 1 or len(grids) > 1:
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise BadModel(f"a YOLO model answers with one table, and with prototypes where it segments; not with {shapes}")
    prototypes = grids[0] if grids else np.zeros((0, 1, 1), np.float32)
    rows = _read(tables[0].astype(np.float64), len(prototypes), told)
    if len(rows.scores) > MOST_BOXES:
        rows = rows.only(np.sort(np.argpartition(-rows.scores, MOST_BOXES)[:MOST_BOXES]))
    return rows, prototypes


def _read(table: Floats, masks: int, told: OutputSpec) -> Detections:
    """Tell the layout of a table, and read it. masks: how many prototypes there are."""
    more = masks + (told.points[0] * told.points[1] if told.points else 0)
    if told.classes is not None:
        by_itself, first = 6 + more, 4 + told.classes + more
        if table.shape[0] == first:
            return _version_8(table.T, masks, told)
        if table.shape[1] == by_itself and table.shape[0] <= MOST_ROWS:
            return _by_itself(table, masks, told)
        if table.shape[1] == first + 1:
            return _version_5(table, masks)
    elif table.shape[0] < table.shape[1]:
        return _version_8(table.T, masks, told)
    elif table.shape[0] <= MOST_ROWS:
        return _by_itself(table, masks, told)
    elif table.shape[1] > 5 + masks:
        return _version_5(table, masks)
    raise BadModel(f"a table of {table.shape} is not what a YOLO model of {told.classes} classes answers with")


def _version_8(table: Floats, masks: int, told: OutputSpec) -> Detections:
    """Each row: box, a score for each class, prototypes' weights, or key points."""
    points = told.points or ((FACE_POINTS, 3) if not masks and table.shape[1] == 4 + 1 + FACE_POINTS * 3 else (0, 2))
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


def _by_itself(table: Floats, masks: int, told: OutputSpec) -> Detections:
    """Each row: left, top, right, bottom, score, class, then as in version 8."""
    points = told.points or (0, 2)
    start = table.shape[1] - masks - points[0] * points[1]
    if start != 6:
        raise BadModel(f"rows of {table.shape[1]} numbers are not what a YOLO model answers with")
    marks = _marks(table[:, start : table.shape[1] - masks], points)
    weights = table[:, table.shape[1] - masks :]
    kinds = table[:, 5].astype(np.intp)
    return Detections(table[:, :4].reshape(-1, 2, 2), table[:, 4], kinds, marks, weights, suppressed=True)


def _rows(corners: Floats, scores: Floats, marks: Floats, table: Floats, masks: int) -> Detections:
    if not scores.shape[1]:
        raise BadModel(f"rows of {table.shape[1]} numbers have no scores: this is no YOLO model that finds things")
    kinds = scores.argmax(1)
    weights = table[:, table.shape[1] - masks :]
    return Detections(corners, scores[np.arange(len(scores)), kinds], kinds, marks, weights, suppressed=False)


def _from_centres(table: Floats) -> Floats:
    centres, halves = table[:, :2], table[:, 2:4] / 2
    return np.stack([centres - halves, centres + halves], 1)


def _marks(numbers: Floats, points: tuple[int, int]) -> Floats:
    count, each = points
    return numbers.reshape(len(numbers), count, each)[..., :2] if count else np.zeros((len(numbers), 0, 2))
