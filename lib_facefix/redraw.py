"""A crop that is to be redrawn: what a fixer asks of a `Diffuser`."""

from __future__ import annotations

from dataclasses import dataclass

from .faces import Image, Mask


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
