"""Cells of the figure sheets of SFHQ-T2I: a regular grid of square pictures on black, a title above each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from lib_facefix.types import Image

SMALLEST_CELL = 300
"""Pixels; titles and gaps are much smaller."""
DARK_ROW, DARK_COLUMN = 24, 40
"""Grey levels above which a pixel is not background. JPEG makes the gaps between columns a little brighter."""
FILLED_ROW, FILLED_COLUMN = 0.2, 0.01
"""Share of such pixels in a line that crosses pictures: a title fills less of a row, a dark picture little of a column.
"""
RIM = 2
"""Pixels cut off each side of a cell, where JPEG mixed it with the background."""
FINGERPRINT = (17, 16)
"""Width and height to which a picture is reduced for its fingerprint of 256 bits."""
MOST_DIFFERENT = 26
"""Bits in which two copies of a picture differ at most. In the sheets, copies differ in up to 9 bits, others in 47."""

Fingerprint = NDArray[np.bool_]


def find_runs(marked: NDArray[np.bool_], shortest: int) -> list[tuple[int, int]]:
    """Return begin and end of all runs of True that are at least `shortest` long. marked: (N,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(np.int8), [0]))))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2) if end - begin >= shortest]


def cut_cells(sheet: Image) -> Iterator[tuple[int, int, Image]]:
    """Yield row, column, and pixels of each cell of a sheet.

    Columns are found over all rows together, so that a black rim of one picture does not make its cell narrower.
    """
    bright = sheet.max(axis=2)
    rows = find_runs((bright > DARK_ROW).mean(axis=1) > FILLED_ROW, SMALLEST_CELL)
    if not rows:
        return
    bands = np.concatenate([bright[top:bottom] for top, bottom in rows])
    columns = find_runs((bands > DARK_COLUMN).mean(axis=0) > FILLED_COLUMN, SMALLEST_CELL)
    for row, (top, bottom) in enumerate(rows):
        for column, (left, right) in enumerate(columns):
            side = min(bottom - top, right - left) - RIM
            cell = sheet[top + RIM : top + side, left + RIM : left + side]
            yield row, column, np.ascontiguousarray(cell)


def fingerprint(picture: Image) -> Fingerprint:
    """Return 256 bits that tell whether a reduced picture gets brighter from pixel to pixel (a difference hash)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, FINGERPRINT, interpolation=cv2.INTER_AREA)
    return np.asarray(small[:, 1:] > small[:, :-1]).ravel()


def is_copy(one: Fingerprint, others: Iterable[Fingerprint]) -> bool:
    """Return True if one of the other pictures is the same, saved or resized once more."""
    return any(np.count_nonzero(one != other) < MOST_DIFFERENT for other in others)
