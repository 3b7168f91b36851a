"""A crop to re-diffuse: the input of a `Diffuser`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Image, Mask

MIN_ALPHA = 1 / 255
"""Mask value above which a latent pixel is re-diffused."""
LATENT = 8
"""Side of a latent pixel of most models, in image pixels."""


def latent_mask(mask: Mask, side: int = LATENT) -> NDArray[np.bool_]:
    """Return a mask (h, w), 0..1, as booleans (h / side, w / side): True for latent pixels to re-diffuse.

    side: that of a latent pixel, in image pixels; height and width are multiples of it.
    """
    height, width = mask.shape
    boxes = mask.reshape(height // side, side, width // side, side)
    return np.asarray(boxes.max((1, 3)) > MIN_ALPHA)


@dataclass(frozen=True, slots=True, eq=False)
class Redraw:
    """One crop with the parameters to re-diffuse it."""

    image: Image
    """The crop, RGB (h, w, 3)."""
    mask: Mask
    """Mask (h, w), 0..1; the result may differ only where it is above 0."""
    prompt: str
    negative_prompt: str
    seed: int
    subseed: int
    number: int
    """Number of the face, for progress messages."""
