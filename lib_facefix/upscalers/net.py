"""Upscaling with a network of fixed scale factor, tile by tile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import numpy as np

from ..errors import BadModel
from ..imaging.lanczos import lanczos_of_bands
from ..imaging.tiles import Blob, Tiling, run_tiled
from ..protocols import Enlarged, Progress
from ..types import Image

if TYPE_CHECKING:
    from ..engines import Runner

LARGEST_TILE = 512
"""Side of an enlarged tile, in pixels."""


class NetUpscaler:
    """An `Upscaler` that uses a network.

    The network runs once over the image, and Lanczos' filter resizes its output to the requested size. So a factor
    of 2 from a net that enlarges 4 times is averaged down, and 8 is interpolated from 4, because a second run would
    cost sixteen times as much and invent more. Bands are processed in turn, so memory holds only one row of tiles
    besides the result.
    """

    def __init__(self, runner: Runner, tile: int | None = None) -> None:
        """tile: side of the network's input tiles, in pixels; by default their output has 512 px."""
        self._runner = runner
        self._tiling = Tiling(tile or LARGEST_TILE // runner.scale)

    def enlarge(self, image: Image, size: tuple[int, int], progress: Progress | None = None) -> Enlarged | None:
        """Return the image at `size` = (width, height), or None if `progress` asks to stop; raises `BadModel`."""
        height, width = image.shape[:2]
        scale, tiles, done, engine = self._runner.scale, self._tiling.count(width, height), 0, ""

        def run(blob: Blob) -> Blob:
            nonlocal done, engine
            if progress and progress.should_stop():
                raise _StoppedError
            answer, engine = self._run(blob)
            done += 1
            if progress:
                progress.step(done, tiles, f"upscaling, tile {done}/{tiles}")
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
            raise BadModel(f"The upscaler returned {answer.shape} instead of {wanted}. Choose another model.")
        if not np.isfinite(answer).all():
            raise BadModel(f"The upscaler returned undefined values on {engine}. Choose another precision.")
        return answer, engine


class _StoppedError(Exception):
    """The user stopped the work."""
