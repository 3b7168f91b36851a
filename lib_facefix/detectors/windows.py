"""Windows of an image for a detector of fixed input size, so that it also finds small faces."""

import math

from ..types import Box

SMALL = 1024
"""Longest side, in pixels, for which four windows of `SHARE` are enough."""
LARGE = 4096
"""Longer side, in pixels, at which the smallest windows are `FINE` wide; in between their side shrinks evenly."""
SHARE = 0.6
FINE = 350
"""Side of the smallest windows, in pixels. BlazeFace sees a face of 20 px as 11 px there and finds nine in ten of
them."""
FINEST_SHARE = 0.06
"""Smallest window as a share of the longer side, so that the time does not grow without bound."""
COARSE, COARSEST_SHARE = 480, 0.117
"""The same for a coarse search, in which BlazeFace suspects small faces without finding them: 20 px are 8 px there."""
OVERLAP = 0.18
"""Share of a window that its neighbour covers too; a larger face is found in the next larger window."""
STEP = 2.2
"""Ratio of one window size to the next smaller one."""


def windows(width: int, height: int, *, coarse: bool = False) -> list[Box]:
    """Return the whole image, then ever smaller overlapping windows, as whole pixels.

    coarse: without the smallest ones of an image above 1024 px.
    """
    longer = max(width, height)
    found = [Box(0, 0, width, height)]
    for side in _sides(longer, _coarsest(longer) if coarse else _finest(longer)):
        found += [
            Box(left, top, left + min(side, width), top + min(side, height))
            for top in starts(height, side)
            for left in starts(width, side)
        ]
    return found


def _sides(longer: int, finest: int) -> list[int]:
    """Return the sides of the windows, large to small."""
    sides = [finest]
    while sides[-1] * STEP < longer * SHARE:
        sides.append(round(sides[-1] * STEP))
    return sides[::-1]


def _finest(longer: int) -> int:
    if longer <= SMALL:
        return math.ceil(longer * SHARE)
    largeness = min(1.0, (longer - SMALL) / (LARGE - SMALL))
    return round(max(SMALL * SHARE + (FINE - SMALL * SHARE) * largeness, longer * FINEST_SHARE))


def _coarsest(longer: int) -> int:
    finest = _finest(longer)
    return finest if longer <= SMALL else round(max(finest, COARSE, longer * COARSEST_SHARE))


def starts(length: int, side: int) -> list[int]:
    """Return where windows of `side` begin so that they cover `length` evenly."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - OVERLAP))) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]
