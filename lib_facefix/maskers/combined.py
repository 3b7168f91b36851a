"""Combinations of two masks."""

from collections.abc import Callable

from ..imaging.masks import limit, subtract, union
from ..protocols import Masker
from ..types import Crop, Face, Mask

JOINED: dict[str, Callable[[Mask, Mask], Mask]] = {"+": union, "&": limit, "-": subtract}


class Combined:
    """A `Masker` of the union, intersection or difference of two others."""

    def __init__(self, first: Masker, sign: str, second: Masker) -> None:
        """sign: "+", "&" or "-"."""
        self._first, self._join, self._second = first, JOINED[sign], second

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w): 1 inside, 0 outside, negative where the second mask of "&" or "-" forbids even a soft edge."""
        return self._join(self._first.mask(crop, face), self._second.mask(crop, face))
