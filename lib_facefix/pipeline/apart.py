"""Faces fixed each by itself, for front ends that show their pixels as layers over the picture."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from ..errors import FaceFixError, Stopped
from ..imaging.boxes import clip
from ..planning.plan import FaceJob, LoneFace, Outcome
from ..protocols import Parts, Progress
from ..types import Box, Crop, Image, Mask, Patch
from .batching import Task, make_rounds
from .canvas import Canvas
from .reporting import NullProgress, Report
from .run import cut_round, paste_round


@dataclass(slots=True)
class LoneCanvas(Canvas):
    """A canvas that keeps what was pasted, and puts its picture back, so that faces can share one picture."""

    reach: Box = Box(0, 0, 0, 0)  # noqa: RUF009 a frozen dataclass
    """Box in pixels of the picture outside of which nothing is changed."""
    left: int = 0
    """Column in which `pixels` begin."""
    top: int = 0
    """Row in which `pixels` begin."""
    pixels: Image = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))
    """The changed part of the picture."""

    def paste(self, patch: Patch, mask: Mask, crop: Crop, *, ring: float, seen_again: bool) -> None:
        """Paste a fixed crop as `Canvas` does, keep the part that it changes, and put the picture back."""
        height, width = self.original.shape[:2]
        near = clip(self.reach, width, height)
        rows, columns = slice(int(near.top), int(near.bottom) + 1), slice(int(near.left), int(near.right) + 1)
        before, after = self.original[rows, columns], self.image[rows, columns]
        Canvas.paste(self, patch, mask, crop, ring=ring, seen_again=seen_again)
        changed = (after != before).any(2)
        if changed.any():
            (top, bottom), (left, right) = (np.flatnonzero(changed.any(axis))[[0, -1]] + (0, 1) for axis in (1, 0))
            self.left, self.top = columns.start + int(left), rows.start + int(top)
            self.pixels = after[top:bottom, left:right].copy()
            after[:] = before


def fix_apart(image: Image, jobs: Sequence[FaceJob], parts: Parts, progress: Progress | None = None) -> list[LoneFace]:
    """Fix each face by itself, cut from the pixels of `image`, which is not changed, in the order of `jobs`.

    image: RGB (H, W, 3). Faces of one fixer are fixed in one round, even where they meet. When `progress` says stop,
    the current face is finished, and the others are reported as left.
    """
    outcomes = {(place, job.number): Outcome(job, "left") for place, job in enumerate(jobs)}
    tasks, scratch = [], image.copy()
    canvases = [LoneCanvas(image, scratch, image) for _ in jobs]
    for place, job in enumerate(jobs):
        try:
            task = Task.make(place, (job,), parts)
        except FaceFixError as error:
            outcomes[place, job.number] = Outcome(job, "failed", error)
        else:
            canvases[place].reach = task.reach
            tasks.append(task)

    report = Report(progress or NullProgress(), outcomes, len(tasks))
    with suppress(Stopped):
        for tasks_now in make_rounds(tasks):
            paste_round(cut_round(tasks_now, canvases, report), canvases, report, ())
    return [
        LoneFace(outcomes[place, job.number], canvas.left, canvas.top, canvas.pixels)
        for place, (job, canvas) in enumerate(zip(jobs, canvases, strict=True))
    ]
