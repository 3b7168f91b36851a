"""Windows of an image for a detector of fixed input size, so that it also finds small faces."""

import math

from ..types import Box

SHARE = 0.6
"""Largest windows below the whole image, as a share of its longer side; small images have only these, four of them."""
FINE = 614
"""Least side of the windows of images above 1024 px. BlazeFace sees a face of 35 px as 11 px there and finds nine in
ten of them, and suspects faces of half that size."""
FINEST_SHARE = 0.15
"""Smallest window as a share of the longer side: the time does not grow with the image."""
OVERLAP = 0.18
"""Share of a window that its neighbour covers too; a larger face is found in the next larger window."""
STEP = 2.2
"""Ratio of one window size to the next smaller one."""


def windows(width: int, height: int) -> list[Box]:
    """Return the whole image, then ever smaller overlapping windows, as whole pixels."""
    found = [Box(0, 0, width, height)]
    for side in _sides(max(width, height)):
        found += [
            Box(left, top, left + min(side, width), top + min(side, height))
            for top in starts(height, side)
            for left in starts(width, side)
        ]
    return found


def _sides(longer: int) -> list[int]:
    """Return the sides of the windows, large to small."""
    sides = [_finest(longer)]
    while sides[-1] * STEP < longer * SHARE:
        sides.append(round(sides[-1] * STEP))
    return sides[::-1]


def _finest(longer: int) -> int:
    return round(max(min(FINE, math.ceil(longer * SHARE)), longer * FINEST_SHARE))


def starts(length: int, side: int) -> list[int]:
    """Return where windows of `side` begin so that they cover `length` evenly."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - OVERLAP))) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]
