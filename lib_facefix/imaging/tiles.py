"""Running a network with a fixed input size on a large image, in tiles that are blended seamlessly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..types import Image

Blob = NDArray[np.float32]
"""One image as a network's input or output, (1, 3, h, w), 0..1."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """The layout of tiles, in pixels of the input image."""

    side: int
    """Side of a tile; a smaller image is padded by reflection."""
    margin: int = 10
    """Width of the inner edges of a tile to discard, because the network lacks context there."""
    ramp: int = 8
    """Width over which two tiles are blended."""

    def __post_init__(self) -> None:
        if self.margin < 0 or self.ramp < 0 or self.side < 2 * (2 * self.margin + self.ramp):
            raise ValueError(
                f"tiles of {self.side} px are too small for a margin of {self.margin} px and a ramp of {self.ramp} px"
            )

    def spans(self, length: int) -> tuple[Span, ...]:
        """Return the tiles along a side of `length` pixels."""
        beyond = max(0, length - self.side)
        steps = -(-beyond // (self.side - 2 * self.margin - self.ramp))
        starts = [round(beyond * i / steps) for i in range(steps + 1)] if steps else [0]
        cuts = [(start + other + self.side - self.ramp) // 2 for start, other in pairwise(starts)]
        firsts, ends = [0, *cuts], [*(cut + self.ramp for cut in cuts), length]
        return tuple(map(Span, starts, firsts, ends))

    def count(self, width: int, height: int) -> int:
        """Return the number of tiles for an image of this size in pixels."""
        return len(self.spans(width)) * len(self.spans(height))


@dataclass(frozen=True, slots=True)
class Span:
    """Position and visible range of a tile along one side of the image, in pixels."""

    start: int
    """Start of the tile."""
    first: int
    """Start of the visible range, including the ramp from the previous tile."""
    end: int
    """End of the visible range, including the ramp to the next tile."""


def run_tiled(image: Image, run: Callable[[Blob], Blob], scale: int, tiling: Tiling) -> Iterator[Image]:
    """Yield the result of `run` for `image`, RGB (H, W, 3), as bands (n, W * scale, 3) with H * scale rows in total.

    run: (1, 3, side, side) -> (1, 3, side * scale, side * scale), 0..1. If the margin covers the receptive field of the
    network, the result equals that of the whole image. Only one row of tiles is in memory as float32.
    """
    height, width = image.shape[:2]
    columns, ramp = tiling.spans(width), tiling.ramp * scale
    tail: Blob | None = None
    for row in tiling.spans(height):
        band = np.empty(((row.end - row.first) * scale, width * scale, 3), np.float32)
        for column in columns:
            tile = run(_tile(image, row.start, column.start, tiling.side))[0].transpose(1, 2, 0)
            rows, visible = (slice((s.first - s.start) * scale, (s.end - s.start) * scale) for s in (row, column))
            _place(band, tile[rows, visible], column, scale, ramp)
        if tail is not None:
            _fade(tail, band[:ramp], axis=0)
        last = row.end == height
        tail = None if last else band[len(band) - ramp :].copy()
        yield _round(band if last else band[: len(band) - ramp])


def _tile(image: Image, top: int, left: int, side: int) -> Blob:
    """Return a tile as a blob; outside the image it is padded by reflection."""
    rows, columns = (
        _mirror_indices(start, side, length) for start, length in zip((top, left), image.shape[:2], strict=True)
    )
    blob: Blob = np.ascontiguousarray(image[rows][:, columns].transpose(2, 0, 1)[None], np.float32)
    blob /= 255
    return blob


def _mirror_indices(start: int, side: int, length: int) -> slice | NDArray[np.intp]:
    if start + side <= length:
        return slice(start, start + side)
    place = np.arange(start, start + side) % (2 * length)
    return np.asarray(np.minimum(place, 2 * length - 1 - place), np.intp)


def _place(band: Blob, part: Blob, column: Span, scale: int, ramp: int) -> None:
    left, faded = column.first * scale, ramp if column.first else 0
    if faded:
        before = band[:, left : left + faded].copy()
        band[:, left : left + faded] = part[:, :faded]
        _fade(before, band[:, left : left + faded], axis=1)
    band[:, left + faded : column.end * scale] = part[:, faded:]


def _fade(before: Blob, after: Blob, axis: int) -> None:
    """Blend `before` into `after` in place, from all of `before` to all of `after` along `axis`."""
    length = after.shape[axis]
    share = (np.arange(length, dtype=np.float32) + np.float32(0.5)) / np.float32(max(1, length))
    share = share[:, None, None] if axis == 0 else share[None, :, None]
    after += (1 - share) * (before - after)


def _round(band: Blob) -> Image:
    band *= 255
    np.rint(band, out=band)
    return np.clip(band, 0, 255, out=band).astype(np.uint8)
