"""A crop that is to be redrawn: what a fixer asks of a `Diffuser`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Image, Mask

SHOWN = 1 / 255
"""A latent pixel is drawn anew where any of its pixels shows more than this of the fixed face."""
LATENT = 8
"""Pixels of the picture to a pixel of the latent."""


def latent_mask(mask: Mask) -> NDArray[np.bool_]:
    """Return (h / 8, w / 8) of a mask (h, w), 0..1: True where anything of a latent pixel may show."""
    height, width = mask.shape
    boxes = mask.reshape(height // LATENT, LATENT, width // LATENT, LATENT)
    return np.asarray(boxes.max((1, 3)) > SHOWN)


@dataclass(frozen=True, slots=True, eq=False)
class Redraw:
    """One crop and what it is to become."""

    image: Image
    """(h, w, 3)."""
    mask: Mask
    """(h, w), 0..1: only where it is above 0 may the result differ."""
    prompt: str
    negative_prompt: str
    seed: int
    subseed: int
    number: int
    """Of the face, for whoever watches."""
