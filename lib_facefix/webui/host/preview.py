"""Draws face numbers on the live preview of a sampling run."""

import math
from collections.abc import Sequence

from PIL import Image as Pil
from PIL import ImageDraw

MAX_ASPECT_ERROR = 0.02
"""Largest relative difference between the aspect ratios of a tile and a crop."""


def draw_numbers(image: Pil.Image, numbers: Sequence[int], size: tuple[int, int]) -> Pil.Image:
    """Return the host's preview of crops, each of `size` (width, height), with a number in each tile.

    The tiles in a row are counted by the preview's shape; if no number fits, the preview is returned unchanged.
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
    """Return the number of crops in a row of the preview; 0 if none fits."""
    shape = size[0] / size[1]
    for across in range(1, count + 1):
        down = math.ceil(count / across)
        if abs(preview[0] / across / (preview[1] / down) / shape - 1) <= MAX_ASPECT_ERROR:
            return across
    return 1 if abs(preview[0] / preview[1] / shape - 1) <= MAX_ASPECT_ERROR else 0
