"""Numbers on the live preview of a sampling run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image as Pil
from PIL import ImageDraw

MAX_ASPECT_ERROR = 0.02
"""By what share a tile of the preview may differ from the shape of a crop."""


def draw_numbers(image: Pil.Image, numbers: Sequence[int], size: tuple[int, int]) -> Pil.Image:
    """Return the host's preview of crops, each of `size` (width, height), with a number in the corner of each tile.

    The host lays tiles in rows, and how many there are in one is its setting: it is read off the preview's shape. Where
    no number of tiles a row fits, the preview comes back as it is.
    """
    across = count_columns(image.size, len(numbers), size)
    if not across:
        return image
    drawn = image.convert("RGB").copy()
    side = drawn.width / across
    high = side * size[1] / size[0]
    draw = ImageDraw.Draw(drawn)
    for place, number in enumerate(numbers[: across * max(1, round(drawn.height / high))]):
        x, y = place % across * side, place // across * high
        draw.text((x + 3, y + 2), str(number), fill="white", stroke_width=1, stroke_fill="black")
    return drawn


def count_columns(preview: tuple[int, int], count: int, size: tuple[int, int]) -> int:
    """Return how many crops stand in a row of the preview; 0 where that cannot be told."""
    shape = size[0] / size[1]
    for across in range(1, count + 1):
        down = math.ceil(count / across)
        if abs(preview[0] / across / (preview[1] / down) / shape - 1) <= MAX_ASPECT_ERROR:
            return across
    return 1 if abs(preview[0] / preview[1] / shape - 1) <= MAX_ASPECT_ERROR else 0
