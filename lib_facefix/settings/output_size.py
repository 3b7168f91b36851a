"""How large the result is to be: the grammar of `--upscale`, and what is too large."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import BadSetting, shown

MOST_PIXELS = 400_000_000
"""Of a result: 20,000 x 20,000, of which one copy is 1.2 GB."""
FACTORS = (1.0, 8.0)
SIDES = (1, 100_000)
"""Pixels."""


@dataclass(frozen=True, slots=True)
class Upscale:
    """A factor, or an exact size."""

    factor: float = 1.0
    size: tuple[int, int] | None = None
    """Width and height, pixels; counts before the factor."""

    def of(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of the result for a picture of this size; raises `BadSetting` where that is too large."""
        size = self.size or (int(width * self.factor + 0.5), int(height * self.factor + 0.5))
        if size[0] * size[1] > MOST_PIXELS:
            raise BadSetting(
                f"upscaled to {size[0]}x{size[1]} px the picture would have {size[0] * size[1] / 1e6:.0f} million "
                f"pixels; at most {MOST_PIXELS // 10**6} million are made. Choose a smaller factor or size"
            )
        return size


def read_upscale(text: str) -> Upscale | None:
    """Read "2", "1.5" (a factor) or "1920x1080" (pixels); None for "". Raises `BadSetting`."""
    text = text.strip().lower()
    if not text:
        return None
    if found := len(text) < 40 and re.fullmatch(r"([0-9]{1,6})\s*[x\u00d7]\s*([0-9]{1,6})", text):
        size = int(found[1]), int(found[2])
        if all(SIDES[0] <= side <= SIDES[1] for side in size):
            upscale = Upscale(size=size)
            upscale.of(*size)
            return upscale
    elif re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", text) and FACTORS[0] <= float(text) <= FACTORS[1]:
        return Upscale(float(text))
    raise BadSetting(
        f'Upscale is a factor from {FACTORS[0]:g} to {FACTORS[1]:g} such as "2", '
        f'or width and height in pixels such as "1920x1080"; not {shown(text)}'
    )
