"""Pictures of another size by Lanczos' filter (Pillow's), a few rows at a time, so that memory stays bounded.

Corner to corner: no shift. Where the picture shrinks the filter is as much wider, so nothing aliases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8] | NDArray[np.uint16]
Rows = NDArray[Any]
Region = tuple[float, float, float, float]

SUPPORT = 3
"""Half the filter's width, in pixels of the coarser of the two pictures."""
BAND = 1 << 24
"""Samples that are worked on at a time."""


def lanczos(pixels: Samples, size: tuple[int, int]) -> Samples:
    """Return `pixels`, (H, W) or (H, W, C) of 8 or 16 bits, at `size` = (width, height)."""
    height, width = pixels.shape[:2]
    step = max(1, BAND // max(1, math.prod(pixels.shape[1:])))
    bands = (pixels[top : top + step] for top in range(0, height, step))
    return lanczos_of_bands(bands, (width, height), size)


def lanczos_of_bands(bands: Iterable[Samples], was: tuple[int, int], size: tuple[int, int]) -> Samples:
    """Return at `size` the picture of size `was` whose rows come as `bands`, from the top; sizes: (width, height).

    Besides the result, a band at the result's width is all that is held. Rows first, then columns, both rounded
    to the depth of 8-bit pictures, as Pillow does; pictures of 16 bits are worked on as float32.
    """
    result: Samples | None = None
    for rows, done in _make_bands(bands, was, size):
        if result is None:
            result = np.empty((size[1], *done.shape[1:]), done.dtype)
        result[rows] = done
    assert result is not None, "a picture has rows"
    return result


def _make_bands(
    bands: Iterable[Samples], was: tuple[int, int], size: tuple[int, int]
) -> Iterator[tuple[slice, Samples]]:
    """Yield the rows of the result that each band completes."""
    (width, height), step = was, was[1] / size[1]
    reach = SUPPORT * max(step, 1.0) + 1
    kept: Rows | None = None
    """Rows of the source at the width of the result, from row `first` on."""
    first = done = 0
    for band in bands:
        deep = band.dtype == np.uint16
        wide = _resize(band.astype(np.float32) if deep else band, (size[0], len(band)), (0, 0, width, len(band)))
        kept = wide if kept is None else np.concatenate([kept, wide])
        end = first + len(kept)
        ready = size[1] if end == height else max(done, math.floor((end - reach) / step - 0.5) + 1)
        limit = max(1, BAND // max(1, math.prod(kept.shape[1:])))
        while done < ready:
            rows = slice(done, min(done + limit, ready))
            region = (0, rows.start * step - first, size[0], min(rows.stop * step - first, len(kept)))
            made = _resize(kept, (size[0], rows.stop - rows.start), region)
            yield rows, np.clip(np.rint(made), 0, 65535).astype(np.uint16) if deep else made
            done = rows.stop
        past = min(max(0, math.floor((done + 0.5) * step - reach) - first), len(kept))
        kept, first = kept[past:], first + past


def _resize(pixels: Rows, size: tuple[int, int], region: Region) -> Rows:
    """Return (h, w) or (h, w, C) `pixels`, uint8 or float32, with what lies in `region` at `size`."""
    from PIL import Image  # here: importing the library loads no Pillow

    if pixels.shape[1::-1] == size and region == (0, 0, *size):
        return pixels
    if pixels.ndim == 3 and (pixels.dtype != np.uint8 or pixels.shape[2] != 3):
        return np.stack([_resize(pixels[..., i], size, region) for i in range(pixels.shape[2])], axis=2)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=region))
