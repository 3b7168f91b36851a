"""Resizing with Pillow's Lanczos filter, in bands of rows, to limit memory.

The corners of both images match, so nothing shifts. When reducing, the filter is wider to avoid aliasing.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8] | NDArray[np.uint16]
Rows = NDArray[Any]
Region = tuple[float, float, float, float]
"""Left, top, right and bottom of the source area, in pixels."""

SUPPORT = 3
"""Half the width of the filter, in pixels of the coarser image."""
BAND_SAMPLES = 1 << 24
"""Maximum number of samples (pixels times channels) in one band."""


def lanczos(pixels: Samples, size: tuple[int, int]) -> Samples:
    """Return `pixels`, (H, W) or (H, W, C) of 8 or 16 bits, at `size` = (width, height)."""
    height, width = pixels.shape[:2]
    step = max(1, BAND_SAMPLES // max(1, math.prod(pixels.shape[1:])))
    bands = (pixels[top : top + step] for top in range(0, height, step))
    return lanczos_of_bands(bands, (width, height), size)


def lanczos_of_bands(bands: Iterable[Samples], was: tuple[int, int], size: tuple[int, int]) -> Samples:
    """Return the image given as `bands` of rows, from top to bottom, at another size.

    was, size: (width, height) in pixels. Only one band is in memory besides the result. Resizes rows, then columns.
    Like Pillow, rounds 8-bit images after both steps; 16-bit images are processed as float32.
    """
    result: Samples | None = None
    for rows, done in _make_bands(bands, was, size):
        if result is None:
            result = np.empty((size[1], *done.shape[1:]), done.dtype)
        result[rows] = done
    assert result is not None, "an image has rows"
    return result


def _make_bands(
    bands: Iterable[Samples], was: tuple[int, int], size: tuple[int, int]
) -> Iterator[tuple[slice, Samples]]:
    """Yield the row range and the rows of the result as soon as the bands for them are complete."""
    (width, height), step = was, was[1] / size[1]
    reach = SUPPORT * max(step, 1.0) + 1
    kept: Rows | None = None  # source rows at the width of the result, starting with row `first`
    first = done = 0
    for band in bands:
        deep = band.dtype == np.uint16
        wide = _resize(band.astype(np.float32) if deep else band, (size[0], len(band)), (0, 0, width, len(band)))
        kept = wide if kept is None else np.concatenate([kept, wide])
        end = first + len(kept)
        # rows of the result are ready if all source rows within the reach of the filter have arrived
        ready = size[1] if end == height else max(done, math.floor((end - reach) / step - 0.5) + 1)
        limit = max(1, BAND_SAMPLES // max(1, math.prod(kept.shape[1:])))
        while done < ready:
            rows = slice(done, min(done + limit, ready))
            region = (0, rows.start * step - first, size[0], min(rows.stop * step - first, len(kept)))
            made = _resize(kept, (size[0], rows.stop - rows.start), region)
            yield rows, np.clip(np.rint(made), 0, 65535).astype(np.uint16) if deep else made
            done = rows.stop
        # drop source rows that no later row of the result needs
        past = min(max(0, math.floor((done + 0.5) * step - reach) - first), len(kept))
        kept, first = kept[past:], first + past


def _resize(pixels: Rows, size: tuple[int, int], region: Region) -> Rows:
    """Return the `region` of `pixels`, (h, w) or (h, w, C), uint8 or float32, resized to `size` = (width, height)."""
    from PIL import Image  # here: importing the library loads no Pillow

    if pixels.shape[1::-1] == size and region == (0, 0, *size):
        return pixels
    if pixels.ndim == 3 and (pixels.dtype != np.uint8 or pixels.shape[2] != 3):
        return np.stack([_resize(pixels[..., i], size, region) for i in range(pixels.shape[2])], axis=2)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=region))
