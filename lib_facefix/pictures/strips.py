"""Going through a large picture a few rows at a time, so that no second copy of it is ever needed."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Rows = TypeVar("Rows", bound=NDArray[np.generic])


def band_slices(height: int, row_bytes: int, bytes_each: int = 1 << 22) -> Iterator[slice]:
    """Yield slices of rows of about `bytes_each`, which together are all `height`."""
    step = max(1, bytes_each // max(1, row_bytes))
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def bands(pixels: Rows, bytes_each: int = 1 << 22) -> Iterator[Rows]:
    """Yield `pixels` as bands of rows of about `bytes_each`."""
    row_bytes = pixels.nbytes // max(1, len(pixels))
    for rows in band_slices(len(pixels), row_bytes, bytes_each):
        yield pixels[rows]  # type: ignore[misc]  # a slice of rows is of the same kind
