"""Measuring the damage of a face in its image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ...types import Box, Damage, Face, Image
from ..boxes import clip, grow
from .jpeg_grid import measure_blocks
from .noise import measure_noise
from .scratches import measure_scratches
from .spectrum import measure_resolution

SIDES, TOP = 0.08, 0.05
"""Shares of the box that are left out at both sides and at the top, where background and hair begin."""
AROUND = 0.15
"""Share of the box that is added on each side to look for scratches, which cross a face."""
LONGEST, LONGEST_LINE = 512, 416
"""Longer sides to which larger regions are reduced, in pixels: for detail and noise, and for scratches."""
LEAST = 40
"""Shorter side of a region that can be measured, in pixels."""


def measure_damage(image: Image, face: Face) -> Damage:
    """Return what is wrong with a face.

    image: RGB (H, W, 3), uint8. A face too small to be measured counts as undamaged, with all the detail that its
    pixels can hold.
    """
    box, (height, width) = face.box, image.shape[:2]
    inner = Box(box.left + SIDES * box.width, box.top + TOP * box.height, box.right - SIDES * box.width, box.bottom)
    rows, columns = _find_pixels(inner, width, height)
    if min(rows.stop - rows.start, columns.stop - columns.start) < LEAST:
        return Damage(detail=max(box.width, 0.0))
    rows_around, columns_around = _find_pixels(grow(box, AROUND), width, height)
    around = np.asarray(cv2.cvtColor(image[rows_around, columns_around], cv2.COLOR_RGB2GRAY), np.uint8)
    above, before = rows_around.start, columns_around.start
    grey = around[rows.start - above : rows.stop - above, columns.start - before : columns.stop - before]
    small, scale = _limit(grey, LONGEST)
    resolution = measure_resolution(small)
    noise, grain = measure_noise(small)
    lines, line_scale = _limit(around, LONGEST_LINE)
    lost = max(resolution.overall, resolution.along)
    return Damage(
        detail=box.width * scale / lost,
        motion=resolution.along / resolution.across if np.isfinite(lost) else 1.0,
        noise=noise,
        grain=grain,
        blocks=measure_blocks(grey[:LONGEST, :LONGEST]),
        scratches=measure_scratches(lines) / (box.width * line_scale),
    )


def _find_pixels(box: Box, width: int, height: int) -> tuple[slice, slice]:
    """Return rows and columns of the pixels inside a box, in an image of this size."""
    inside = clip(box, width, height)
    return slice(int(inside.top), int(inside.bottom)), slice(int(inside.left), int(inside.right))


def _limit(grey: NDArray[np.uint8], longest: int) -> tuple[NDArray[np.float32], float]:
    """Return the region as floats, reduced to this longer side if it is larger, and the scale."""
    scale = min(1.0, longest / max(grey.shape))
    if scale < 1:
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return grey.astype(np.float32), scale
