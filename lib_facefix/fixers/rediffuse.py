"""Re-diffusing faces inside their masks with Stable Diffusion, by way of a `Diffuser`."""

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
"""Default number of faces in one sampling run."""
SHAPES = ((8, 8), (7, 9), (9, 7))
"""Allowed shapes as width and height in eighths of the model's native size: few, so that faces can share a run."""
LATENT_PIXEL = 8
"""Side of a latent pixel, in pixels; all sides are multiples of it."""


class Rediffuse:
    """A `FaceFixer` that uses a `Diffuser`, with as many faces at once as possible."""

    def __init__(self, diffuser: Diffuser, most: int = MAX_FACES_PER_RUN) -> None:
        """most: number of faces in one sampling run, which is halved if they do not fit into memory."""
        self._diffuser, self._most = diffuser, most
        self._fits: dict[tuple[int, ...], int] = {}
        """Number of faces that fit into memory, by crop shape, if it was smaller than the requested number."""

    def framing(self, job: FaceJob) -> Surrounded:
        """Return a frame with padding around the face, straightened if the head is tilted far."""
        return self._frame(job, self._size(job))

    def batch_key(self, job: FaceJob) -> Hashable:
        """Return the values that the faces of one sampling run must share."""
        return self._size(job), job.treatment.run_settings(), self._diffuser.shares(job)

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield each crop re-diffused; a failing run is halved until it has only one face."""
        waiting = [_make_redraw(crop, job) for crop, job in zip(crops, jobs, strict=True)]
        sampling, shape = jobs[0].treatment.run_settings(), crops[0].image.shape
        now = most = self._fits.get(shape, self._most)
        while waiting:
            asked = waiting[:now]
            try:
                answers = self._redraw(asked, sampling)
            except (MemoryError, BadCrop) as error:
                if len(asked) == 1:
                    raise
                now = len(asked) // 2
                if isinstance(error, MemoryError):
                    most = self._fits[shape] = now
                continue
            for behind, answer in zip(reversed(range(len(answers))), answers, strict=True):
                yield Fixed(answer, self._diffuser.engine, ready=behind)
            del waiting[: len(asked)]
            now = min(most, 2 * now)

    def _redraw(self, asked: Sequence[Redraw], sampling: Sampling) -> Sequence[Patch | None]:
        answers = self._diffuser.redraw(asked, sampling)
        if len(answers) != len(asked):
            raise BadCrop(f"The model returned {len(answers)} images for {len(asked)} faces.")
        return answers

    def _size(self, job: FaceJob) -> tuple[int, int]:
        wanted = job.treatment.width or job.treatment.height, job.treatment.height or job.treatment.width
        if not all(wanted):
            wanted = fit_size(self._frame(job, self._diffuser.native).extent(job.face), self._diffuser.native)
        return _round_side(wanted[0]), _round_side(wanted[1])

    @staticmethod
    def _frame(job: FaceJob, size: Size) -> Surrounded:
        treatment, roll = job.treatment, job.pose.roll
        return Surrounded(size, treatment.padding, roll if abs(roll) > treatment.upright_above else 0.0)


def fit_size(extent: tuple[float, float], native: int) -> tuple[int, int]:
    """Return the width and height of about native x native pixels that best fit the aspect ratio of `extent`."""
    if not min(extent) > 0:
        return native, native
    aspect = extent[0] / extent[1]
    width, height = min(SHAPES, key=lambda shape: abs(np.log(shape[0] / shape[1] / aspect)))
    return native * width // 8, native * height // 8


def _round_side(pixels: int) -> int:
    return max(LATENT_PIXEL * 8, round(pixels / LATENT_PIXEL) * LATENT_PIXEL)


def _make_redraw(crop: Crop, job: FaceJob) -> Redraw:
    assert crop.mask is not None
    asked: Sampling = job.treatment
    seeds = max(asked.seed, 0), max(asked.subseed, 0)
    return Redraw(crop.image, crop.mask, asked.prompt, asked.negative_prompt, *seeds, job.number)
