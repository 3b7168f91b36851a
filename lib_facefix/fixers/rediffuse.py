"""Faces drawn anew by Stable Diffusion, inside their masks; a `Diffuser` does the drawing."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from ..errors import BadCrop
from ..faces import Box, Crop, Patch
from ..imaging.framing import Surrounded
from ..jobs import FaceJob
from ..protocols import Diffuser
from ..redraw import Redraw
from ..sampling import Sampling

MOST = 16
"""Faces of one sampling run, unless the user says otherwise."""
SHAPES = ((8, 8), (7, 9), (9, 7))
"""Width and height in eighths of the model's own size: few, so that faces of one picture share a run."""
WHOLE = 8
"""Pixels of a latent's pixel: sides are multiples of it."""


class Rediffuse:
    """A `FaceFixer` that asks a `Diffuser`, for as many faces at once as it may."""

    def __init__(self, diffuser: Diffuser, most: int = MOST) -> None:
        """most: faces in one sampling run; it is halved where memory does not take them."""
        self._diffuser, self._most = diffuser, most

    @property
    def engine(self) -> str:
        """What runs the diffusion."""
        return self._diffuser.engine

    def framing(self, job: FaceJob) -> Surrounded:
        """Return the face with room around it, turned upright where the head is tilted far."""
        treatment, roll = job.treatment, job.pose.roll
        degrees = roll if abs(roll) > treatment.upright_above else 0.0
        return Surrounded(self._size(job), treatment.padding, degrees)

    def batch_key(self, job: FaceJob) -> Hashable:
        """Return what the faces of one sampling run share."""
        return self._size(job), job.treatment.of_a_run(), self._diffuser.shares(job)

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Patch]:
        """Yield each crop redrawn. A run too large is halved; one that gives no picture is done face by face."""
        waiting = [_asked(crop, job) for crop, job in zip(crops, jobs, strict=True)]
        sampling, most = jobs[0].treatment.of_a_run(), self._most
        while waiting:
            now = waiting[:most]
            try:
                answers = self._diffuser.redraw(now, sampling)
            except MemoryError:
                if len(now) == 1:
                    raise
                most = self._most = len(now) // 2
                continue
            except BadCrop:
                if len(now) == 1:
                    raise
                most = 1  # to find the one that spoils the others
                continue
            yield from answers
            del waiting[: len(now)]

    def _size(self, job: FaceJob) -> tuple[int, int]:
        wanted = job.treatment.width or job.treatment.height, job.treatment.height or job.treatment.width
        if not all(wanted):
            wanted = fitted(job.face.box, job.treatment.padding, self._diffuser.native)
        return _whole(wanted[0]), _whole(wanted[1])


def fitted(box: Box, padding: float, native: int) -> tuple[int, int]:
    """Return the width and height, of about native x native pixels, that suit a face with its room best."""
    extra = 2 * padding * box.size
    aspect = (box.width + extra) / (box.height + extra)
    across, down = min(SHAPES, key=lambda shape: abs(np.log(shape[0] / shape[1] / aspect)))
    return native * across // 8, native * down // 8


def _whole(pixels: int) -> int:
    return max(WHOLE * 8, round(pixels / WHOLE) * WHOLE)


def _asked(crop: Crop, job: FaceJob) -> Redraw:
    assert crop.mask is not None
    asked: Sampling = job.treatment
    return Redraw(
        crop.image,
        crop.mask,
        asked.prompt,
        asked.negative_prompt,
        max(asked.seed, 0),
        max(asked.subseed, 0),
        job.number,
    )
