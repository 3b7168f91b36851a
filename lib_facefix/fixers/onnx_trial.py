"""A trial run of the user's own net, which tells whether it restores images, of which size, and in which range.

The net is given a drawing of a face twice: with black at -1 and white at 1, as most restorers expect, and with black
at 0 and white at 1. A restorer gives back nearly the same image, in the range that it was trained for. In the other
range it fails where it has learnt nothing, for example below 0. So the range counts in which the result is closer to
the drawing. If both are about as close, -1..1 is right or makes no difference. If neither is close, the net is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel
from ..inference import Blob
from ..weights import RestorerLayout
from ..weights.onnx_restorer import MAX_SIDE, MIN_SIDE

FREE_SIDE = 512
"""Side of the restored face of a net that takes any size, in pixels; face restorers are trained on it."""
PROBE_SIDE = 128
"""Side of the first image for a net that takes any size, by which its scale is found, in pixels."""
RANGES = (-1.0, 1.0), (0.0, 1.0)
"""Values of black and white that are tried. The second counts only if its result is closer by `CLOSER`."""
CLOSER = 0.5
"""Largest ratio of the distances at which 0..1 counts. Real-ESRGAN, made for 0..1, has 0.1 to 0.35."""
FARTHEST = 2.0
"""Largest mean distance from the drawing, where 1 is from black to white; nets with values 0..255 have over 30."""
LEAST_DEVIATION = 1e-3
"""Least standard deviation of a result that is not blank, where 1 is from black to white."""
_FACE = (
    ((0.5, 0.5), (0.32, 0.42), (0.85, 0.65, 0.55)),
    ((0.377, 0.469), (0.06, 0.03), (0.95, 0.95, 0.95)),
    ((0.623, 0.469), (0.06, 0.03), (0.95, 0.95, 0.95)),
    ((0.377, 0.469), (0.025, 0.025), (0.05, 0.04, 0.03)),
    ((0.623, 0.469), (0.025, 0.025), (0.05, 0.04, 0.03)),
    ((0.377, 0.42), (0.08, 0.012), (0.15, 0.1, 0.08)),
    ((0.623, 0.42), (0.08, 0.012), (0.15, 0.1, 0.08)),
    ((0.5, 0.6), (0.03, 0.05), (0.7, 0.5, 0.42)),
    ((0.5, 0.725), (0.11, 0.03), (0.7, 0.25, 0.25)),
    ((0.5, 0.13), (0.34, 0.12), (0.1, 0.07, 0.05)),
)
"""Centre and radii, as shares of the side, and colour of each oval: face, eyes, irises, brows, nose, mouth, hair."""


class Tried(NamedTuple):
    """The findings of a trial run."""

    low: float
    """Value of black."""
    high: float
    """Value of white."""
    size: int
    """Side of the input, in pixels."""
    side: int
    """Side of the output, in pixels."""

    @classmethod
    def read(cls, kept: object) -> Tried | None:
        """Return findings that were kept as JSON; None for anything else."""
        numbers = [one for one in kept if isinstance(one, int | float)] if isinstance(kept, list) else []
        if len(numbers) != len(cls._fields):
            return None
        low, high, size, side = numbers
        return cls(low, high, int(size), int(side))


def draw_face(side: int) -> NDArray[np.float32]:
    """Return a simple face before a coloured background, (1, 3, side, side), 0..1, with dark and bright parts."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / np.float32(side)
    drawn = np.stack([0.05 + 0.85 * x, 0.1 + 0.4 * (x + y), 0.9 - 0.85 * y])
    for (left, top), (width, height), colour in _FACE:
        inside = np.clip(12 * (1 - np.hypot((x - left) / width, (y - top) / height)), 0, 1)
        drawn += inside * (np.array(colour).reshape(3, 1, 1) - drawn)
    return np.asarray(drawn[None], np.float32)


def try_net(run: Callable[[Blob], Blob], layout: RestorerLayout) -> Tried:
    """Return how a net is to be used; raises `BadModel` with the reason, as a sentence about "it", if it is unusable.

    run: returns the net's output for (1, 3, size, size); raises `BadModel` if it fails.
    """
    size = layout.side or FREE_SIDE // _find_scale(run)
    distances, side = [], 0
    for low, high in RANGES:
        blob = draw_face(size) * np.float32(high - low) + np.float32(low)
        answer = _answer(run, blob)
        side = answer.shape[-1]
        distances.append(_measure_distance(answer, blob) / (high - low))
    if not MIN_SIDE <= side <= MAX_SIDE:
        raise BadModel(
            f"it returns images of {side} px; supported are {MIN_SIDE} to {MAX_SIDE} px. Choose another file."
        )
    best = RANGES[1] if distances[1] < CLOSER * distances[0] else RANGES[0]
    if min(distances) > FARTHEST:
        raise BadModel("its values are neither -1 to 1 nor 0 to 1. Choose another file.")
    return Tried(*best, size, side)


def _find_scale(run: Callable[[Blob], Blob]) -> int:
    """Return how many times a net for any size enlarges; 1 if it takes only the size that it was trained on."""
    try:
        return max(1, int(_answer(run, draw_face(PROBE_SIDE)).shape[-1]) // PROBE_SIDE)
    except BadModel:
        return 1


def _answer(run: Callable[[Blob], Blob], blob: Blob) -> Blob:
    """Return the output for an image; raises `BadModel` if it is not a usable image."""
    try:
        answer = run(blob)
    except BadModel as error:
        raise BadModel(f"it fails in a trial run ({error}). Choose another file.") from error
    size, side = blob.shape[-1], answer.shape[-1] if answer.ndim == 4 else 0
    if answer.shape != (1, 3, side, side) or not side or side % size:
        raise BadModel(f"it returns {answer.shape} for an image of {size} px. Choose another file.")
    if not np.isfinite(answer).all():
        raise BadModel("it returns undefined values in a trial run. Choose another file.")
    if answer.std() < LEAST_DEVIATION:
        raise BadModel("it returns a blank image in a trial run. Choose another file.")
    return answer


def _measure_distance(answer: Blob, blob: Blob) -> float:
    """Return the mean difference of an output, reduced to the size of the input, from the input."""
    size = blob.shape[-1]
    scale = answer.shape[-1] // size
    reduced = answer.reshape(1, 3, size, scale, size, scale).mean((3, 5))
    return float(np.abs(reduced - blob).mean())
