"""Fidelity as a strength: how much of a restored picture is laid over the crop it was made from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import Image

FIDELITY_EXPONENT = 4
"""Exponent of the fidelity slider: a larger one keeps more of the restored face until late."""


def strength(fidelity: float) -> float:
    """Return 1 - fidelity^4: 1 at fidelity 0, 0.87 at the default 0.6, 0 at 1; it falls at every step between."""
    return 1 - fidelity**FIDELITY_EXPONENT


def blend(crop: Image, restored: NDArray[np.float32], share: float) -> Image:
    """Return crop + share (restored - crop), rounded.

    crop: (H, W, 3), 0..255; restored: the same as floats; share: 0..1. The distance to the crop is in proportion to
    `share`, but for rounding.
    """
    mixed = restored if share == 1 else crop + np.float32(share) * (restored - crop)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)
