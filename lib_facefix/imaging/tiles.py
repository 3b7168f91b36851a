"""A large picture through a network that takes tiles of one size: split, and merged without a seam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..types import Image

Blob = NDArray[np.float32]
"""Pictures as a network has them, (1, 3, h, w), 0..1."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """How a picture is split, in its own pixels."""

    side: int
    """Of every tile; of a smaller picture the rest is filled by reflection."""
    margin: int = 10
    """What of a tile's inner edges is thrown away: there the network saw too little."""
    ramp: int = 8
    """Over how much two tiles run into one another."""

    def __post_init__(self) -> None:
        if self.margin < 0 or self.ramp < 0 or self.side < 2 * (2 * self.margin + self.ramp):
            raise ValueError(f"tiles of {self.side} px have no room for a margin of {self.margin} and {self.ramp} px")

    def spans(self, length: int) -> tuple[Span, ...]:
        """Return the tiles along `length` pixels."""
        beyond = max(0, length - self.side)
        steps = -(-beyond // (self.side - 2 * self.margin - self.ramp))
        starts = [round(beyond * i / steps) for i in range(steps + 1)] if steps else [0]
        cuts = [(start + other + self.side - self.ramp) // 2 for start, other in pairwise(starts)]
        firsts, ends = [0, *cuts], [*(cut + self.ramp for cut in cuts), length]
        return tuple(map(Span, starts, firsts, ends))

    def count(self, width: int, height: int) -> int:
        """Return how many tiles a picture of this size takes."""
        return len(self.spans(width)) * len(self.spans(height))


@dataclass(frozen=True, slots=True)
class Span:
    """One tile along one side of the picture, pixels: where it starts, and what of it is shown."""

    start: int
    first: int
    """With the ramp from the tile before."""
    end: int
    """With the ramp to the tile behind."""


def by_tiles(image: Image, run: Callable[[Blob], Blob], scale: int, tiling: Tiling) -> Iterator[Image]:
    """Yield what `run` makes of `image`, (H, W, 3), as bands of rows: (some, W * scale, 3), together H * scale rows.

    run: (1, 3, side, side) -> (1, 3, side * scale, side * scale), 0..1. Where the network looks no further than the
    margin, the result equals that of the whole picture. Rounded. Held at a time: one row of tiles as float32.
    """
    height, width = image.shape[:2]
    columns, ramp = tiling.spans(width), tiling.ramp * scale
    tail: Blob | None = None
    for row in tiling.spans(height):
        band = np.empty(((row.end - row.first) * scale, width * scale, 3), np.float32)
        for column in columns:
            shown = run(_tile(image, row.start, column.start, tiling.side))[0].transpose(1, 2, 0)
            _lay(band, _part(shown, row, column, scale), column, scale, ramp)
        if tail is not None:
            _fade(tail, band[:ramp], axis=0)
        last = row.end == height
        tail = None if last else band[len(band) - ramp :].copy()
        yield _round(band if last else band[: len(band) - ramp])


def _tile(image: Image, top: int, left: int, side: int) -> Blob:
    """Return the tile as a blob; what lies outside the picture mirrors it."""
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


def _part(shown: Blob, row: Span, column: Span, scale: int) -> Blob:
    rows, columns = (slice((s.first - s.start) * scale, (s.end - s.start) * scale) for s in (row, column))
    return shown[rows, columns]


def _lay(band: Blob, part: Blob, column: Span, scale: int, ramp: int) -> None:
    left, faded = column.first * scale, ramp if column.first else 0
    if faded:
        before = band[:, left : left + faded].copy()
        band[:, left : left + faded] = part[:, :faded]
        _fade(before, band[:, left : left + faded], axis=1)
    band[:, left + faded : column.end * scale] = part[:, faded:]


def _fade(before: Blob, after: Blob, axis: int) -> None:
    """Let `after`, which is changed, begin as `before` and end as itself; where they agree, nothing changes."""
    length = after.shape[axis]
    share = (np.arange(length, dtype=np.float32) + np.float32(0.5)) / np.float32(max(1, length))
    share = share[:, None, None] if axis == 0 else share[None, :, None]
    after += (1 - share) * (before - after)


def _round(band: Blob) -> Image:
    band *= 255
    np.rint(band, out=band)
    return np.clip(band, 0, 255, out=band).astype(np.uint8)
