"""Which parts of a picture a detector of fixed input size looks at, so that small faces are seen too."""

from __future__ import annotations

import math

from ..types import Box

SMALL = 1024
"""Up to this longer side, four windows of `SHARE` do."""
LARGE = 4096
"""At this longer side the smallest windows are `FINE` wide; in between their side shrinks evenly."""
SHARE = 0.6
FINE = 350
"""Pixels. Reduced to BlazeFace's 192, a face of 20 px is 11 px wide there, of which it finds nine in ten."""
FINEST_SHARE = 0.06
"""No window is a smaller part of the longer side, so that the time does not grow without bound."""
OVERLAP = 0.18
"""Share of a window that its neighbour sees too; a larger face is found by the next larger window."""
STEP = 2.2
"""From one size of window to the next."""


def windows(width: int, height: int) -> list[Box]:
    """Return the whole picture, then ever smaller overlapping windows, as whole pixels."""
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
    if longer <= SMALL:
        return math.ceil(longer * SHARE)
    largeness = min(1.0, (longer - SMALL) / (LARGE - SMALL))
    return round(max(SMALL * SHARE + (FINE - SMALL * SHARE) * largeness, longer * FINEST_SHARE))


def starts(length: int, side: int) -> list[int]:
    """Return where windows of `side` begin so that they cover `length` evenly."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - OVERLAP))) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]
