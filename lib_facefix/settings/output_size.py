"""The size of the result: the syntax of the setting `upscale`, and its limits."""

import re
from dataclasses import dataclass

from ..errors import BadSetting, quote_value

MAX_PIXELS = 400_000_000
"""Largest result, in pixels: 20,000 x 20,000, which takes 1.2 GB per copy."""
FACTOR_RANGE = (1.0, 8.0)
"""Smallest and largest factor."""
SIDE_RANGE = (1, 100_000)
"""Smallest and largest width or height, in pixels."""


@dataclass(frozen=True, slots=True)
class Upscale:
    """A factor or an exact size."""

    factor: float = 1.0
    size: tuple[int, int] | None = None
    """Width and height in pixels; overrides the factor."""

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of the result for an image of this size, in pixels; raises `BadSetting` if too large."""
        size = self.size or (int(width * self.factor + 0.5), int(height * self.factor + 0.5))
        if size[0] * size[1] > MAX_PIXELS:
            raise BadSetting(
                f"upscaled to {size[0]}x{size[1]} px the image would have {size[0] * size[1] / 1e6:.0f} million "
                f"pixels, more than {MAX_PIXELS // 10**6} million. Choose a smaller factor or size"
            )
        return size


def read_upscale(text: str) -> Upscale | None:
    """Parse a factor ("2", "1.5") or a size in pixels ("1920x1080"). Returns None for ""; raises `BadSetting`."""
    text = text.strip().lower()
    if not text:
        return None
    if found := len(text) < 40 and re.fullmatch(r"([0-9]{1,6})\s*[x\u00d7]\s*([0-9]{1,6})", text):
        size = int(found[1]), int(found[2])
        if all(SIDE_RANGE[0] <= side <= SIDE_RANGE[1] for side in size):
            upscale = Upscale(size=size)
            upscale.result_size(*size)
            return upscale
    elif re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", text) and FACTOR_RANGE[0] <= float(text) <= FACTOR_RANGE[1]:
        return Upscale(float(text))
    raise BadSetting(
        f'Upscale must be a factor from {FACTOR_RANGE[0]:g} to {FACTOR_RANGE[1]:g} such as "2", '
        f'or width and height in pixels such as "1920x1080"; not {quote_value(text)}'
    )
