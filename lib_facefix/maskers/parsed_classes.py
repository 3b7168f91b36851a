"""Masks of what a face parser sees: skin, hair, glasses, ..."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..types import Crop, Face, Image, Mask
from .aligned import Aligned


class Parser(Protocol):
    """Tells the classes of a face apart."""

    @property
    def side(self) -> int:
        """Of the aligned face that it takes, pixels."""
        ...

    def select_classes(self, image: Image, classes: tuple[str, ...]) -> NDArray[np.bool_]:
        """Return where an aligned face is of one of these classes."""
        ...


class ParsingMasker:
    """What a parser says is of one of some classes."""

    def __init__(self, parser: Parser, classes: tuple[str, ...]) -> None:
        self._parser, self._classes = parser, classes

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 on the classes, as far as they touch the face's box; raises a `FaceFixError`."""
        aligned = Aligned.of(crop, face, self._parser.side)
        return aligned.back(self._parser.select_classes(aligned.image, self._classes), crop, face)
