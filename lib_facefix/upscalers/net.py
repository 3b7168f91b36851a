"""Upscaling by a network that enlarges by a fixed factor, tile by tile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, cast

import numpy as np

from ..errors import BadModel
from ..imaging.lanczos import lanczos_of_bands
from ..imaging.tiles import Blob, Tiling, run_tiled
from ..protocols import Enlarged, Progress
from ..types import Image

LARGEST_TILE = 512
"""Side of what a tile becomes, pixels."""


class Runner(Protocol):
    """A loaded network."""

    @property
    def scale(self) -> int:
        """By how much it enlarges: 1, 2, 4 ..."""
        ...

    def __call__(self, blob: Blob) -> tuple[Blob, str]:
        """Return (1, 3, h * scale, w * scale) for (1, 3, h, w), both RGB, 0..1, and what ran, in which precision."""
        ...


class NetUpscaler:
    """An `Upscaler` on a network.

    The network runs once over the picture; Lanczos' filter brings its answer to the size that was asked for. So a
    factor of 2 from a net that enlarges 4 times is averaged down, and 8 is interpolated from 4: a second run over
    its own inventions would cost sixteen times as much and invent more. All is done band by band: beside the
    result, memory holds one row of tiles.
    """

    def __init__(self, runner: Runner, tile: int | None = None) -> None:
        """tile: side of the tiles the network is given, pixels; by default what it makes 512 px of."""
        self._runner = runner
        self._tiling = Tiling(tile or LARGEST_TILE // runner.scale)

    def enlarge(self, image: Image, size: tuple[int, int], progress: Progress | None = None) -> Enlarged | None:
        """Return the picture at `size` = (width, height); None if `progress` said stop.

        Raises `BadModel` when the network's answer is no picture.
        """
        height, width = image.shape[:2]
        scale, tiles, done, engine = self._runner.scale, self._tiling.count(width, height), 0, ""

        def run(blob: Blob) -> Blob:
            nonlocal done, engine
            if progress and progress.should_stop():
                raise _StoppedError
            answer, engine = self._run(blob)
            done += 1
            if progress:
                progress.step(done, tiles, f"enlarging, tile {done}/{tiles}")
            return answer

        bands: Iterable[Image] = run_tiled(image, run, scale, self._tiling)
        try:
            return Enlarged(cast(Image, lanczos_of_bands(bands, (width * scale, height * scale), size)), engine)
        except _StoppedError:
            return None

    def _run(self, blob: Blob) -> tuple[Blob, str]:
        answer, engine = self._runner(blob)
        wanted = (1, 3, *(side * self._runner.scale for side in blob.shape[2:]))
        if answer.shape != wanted:
            raise BadModel(f"the upscaler answered with {answer.shape} where {wanted} was due; choose another model")
        if not np.isfinite(answer).all():
            raise BadModel(f"the upscaler answered with what is no number on {engine}; choose another precision")
        return answer, engine


class _StoppedError(Exception):
    """The person has seen enough."""
