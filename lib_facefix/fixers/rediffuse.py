"""Faces drawn anew by Stable Diffusion, inside their masks; a `Diffuser` does the drawing."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from ..errors import BadCrop
from ..imaging.frames import Surrounded
from ..planning.plan import FaceJob
from ..planning.redraw import Redraw
from ..protocols import Diffuser, Fixed
from ..settings.sampling import Sampling
from ..types import Crop, Patch, Size

MAX_FACES_PER_RUN = 16
"""Faces of one sampling run, unless the user says otherwise."""
SHAPES = ((8, 8), (7, 9), (9, 7))
"""Width and height in eighths of the model's own size: few, so that faces of one picture share a run."""
WHOLE = 8
"""Pixels of a latent's pixel: sides are multiples of it."""


class Rediffuse:
    """A `FaceFixer` that asks a `Diffuser`, for as many faces at once as it may."""

    def __init__(self, diffuser: Diffuser, most: int = MAX_FACES_PER_RUN) -> None:
        """most: faces in one sampling run; it is halved where memory does not take them."""
        self._diffuser, self._most = diffuser, most
        self._fits: dict[tuple[int, ...], int] = {}
        """By the shape of a crop: how many memory takes, where it did not take as many as asked."""

    def framing(self, job: FaceJob) -> Surrounded:
        """Return the face with room around it, turned upright where the head is tilted far."""
        return self._frame(job, self._size(job))

    def batch_key(self, job: FaceJob) -> Hashable:
        """Return what the faces of one sampling run share."""
        return self._size(job), job.treatment.run_settings(), self._diffuser.shares(job)

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield each crop redrawn; a run that fails is halved until what fails is a single face."""
        waiting = [_make_redraw(crop, job) for crop, job in zip(crops, jobs, strict=True)]
        sampling, shape = jobs[0].treatment.run_settings(), crops[0].image.shape
        now = most = self._fits.get(shape, self._most)
        while waiting:
            asked = waiting[:now]
            try:
                answers = self._answers(asked, sampling)
            except (MemoryError, BadCrop) as error:
                if len(asked) == 1:
                    raise
                now = len(asked) // 2
                if isinstance(error, MemoryError):
                    most = self._fits[shape] = now
                continue
            yield from (Fixed(answer, self._diffuser.engine) for answer in answers)
            del waiting[: len(asked)]
            now = min(most, 2 * now)

    def _answers(self, asked: Sequence[Redraw], sampling: Sampling) -> Sequence[Patch | None]:
        answers = self._diffuser.redraw(asked, sampling)
        if len(answers) != len(asked):
            raise BadCrop(f"the model gave {len(answers)} pictures for {len(asked)} faces")
        return answers

    def _size(self, job: FaceJob) -> tuple[int, int]:
        wanted = job.treatment.width or job.treatment.height, job.treatment.height or job.treatment.width
        if not all(wanted):
            wanted = fit_size(self._frame(job, self._diffuser.native).extent(job.face), self._diffuser.native)
        return _whole(wanted[0]), _whole(wanted[1])

    @staticmethod
    def _frame(job: FaceJob, size: Size) -> Surrounded:
        treatment, roll = job.treatment, job.pose.roll
        return Surrounded(size, treatment.padding, roll if abs(roll) > treatment.upright_above else 0.0)


def fit_size(extent: tuple[float, float], native: int) -> tuple[int, int]:
    """Return the width and height, of about native x native pixels, that suit what is to be seen best."""
    if not min(extent) > 0:
        return native, native
    aspect = extent[0] / extent[1]
    across, down = min(SHAPES, key=lambda shape: abs(np.log(shape[0] / shape[1] / aspect)))
    return native * across // 8, native * down // 8


def _whole(pixels: int) -> int:
    return max(WHOLE * 8, round(pixels / WHOLE) * WHOLE)


def _make_redraw(crop: Crop, job: FaceJob) -> Redraw:
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
