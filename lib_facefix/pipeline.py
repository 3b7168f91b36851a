"""The one loop: rounds of cut -> fix -> mask -> paste, over any number of pictures."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .canvas import Canvas
from .errors import BadCrop, BadPlan, FaceFixError, Stopped
from .faces import Box, Crop, Image, Patch
from .imaging.blending import match_colour
from .imaging.boxes import overlap
from .jobs import FaceJob, FixPlan, FixResult, Outcome
from .masking import face_width, mask_of, note_of, reach_of
from .protocols import FaceFixer, Parts, Progress
from .threads import one_thread

RING = 0.15
"""Width of the ring whose colour is matched, as a share of the face's width."""
EMPTY = "nothing of this face is in the mask"
FAILURES = (FaceFixError, MemoryError, cv2.error)
"""What fails one face and lets the others go on."""


class Silent:
    """A `Progress` that says nothing and never stops."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Say nothing."""

    def stopped(self) -> bool:
        """Return False."""
        return False


@dataclass(frozen=True, slots=True)
class Before:
    """A `Progress` for what is done before the first face: it passes on what that is, and that none is through."""

    progress: Progress
    faces: int

    def step(self, done: int, total: int, doing: str) -> None:  # noqa: ARG002 parts of another work than faces
        """Say what is being done."""
        self.progress.step(0, self.faces, doing)

    def stopped(self) -> bool:
        """Return what the person wants."""
        return self.progress.stopped()


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A job with the picture it belongs to and the fixer that will do it."""

    picture: int
    job: FaceJob
    fixer: FaceFixer
    key: Hashable
    """Tasks of equal key may share one pass."""

    @classmethod
    def of(cls, picture: int, job: FaceJob, parts: Parts) -> Task:
        """Return the task of a job; raises a `FaceFixError` where there is nothing that does it."""
        fixer = parts.fixer(job)
        return cls(picture, job, fixer, (id(fixer), fixer.batch_key(job)))

    @property
    def reach(self) -> Box:
        """What of the picture the fixed face may touch, at most."""
        return reach_of(self.job, self.fixer)

    def meets(self, other: Task) -> bool:
        """Return True if one's result may cover part of the other's; what a crop shows around its face is not meant."""
        return self.picture == other.picture and overlap(self.reach, other.reach) > 0


def fix_faces(
    images: Sequence[Image],
    plans: Sequence[FixPlan],
    parts: Parts,
    progress: Progress | None = None,
    onto: Sequence[Image] | None = None,
) -> list[FixResult]:
    """Carry out `plans`, one for each picture; `images` are never changed.

    images: RGB (H, W, 3). onto: the same pictures at the size of the results, each changed in place if it is not the
    very array in `images`; by default those. Faces are restored from the pixels of `images` and pasted onto these.
    A face that cannot be fixed stays as it was and is reported. When `progress` says stop, the round at hand is
    finished, what is done is kept, and the rest is reported as left.
    Raises `BadPlan` if a plan is for a picture of another size.
    """
    progress = progress or Silent()
    check_sizes(images, plans)
    outcomes = {(i, job.number): Outcome(job, "left") for i, plan in enumerate(plans) for job in plan.jobs}
    tasks = []
    for picture, plan in enumerate(plans):
        for job in _wanted(plan):
            try:
                tasks.append(Task.of(picture, job, parts))
            except FaceFixError as error:
                outcomes[picture, job.number] = Outcome(job, "failed", error)

    canvases = [
        Canvas(image, now, bool(_wanted(plan)), _seen_again(tasks, picture))
        for picture, (image, now, plan) in enumerate(zip(images, onto or images, plans, strict=True))
    ]
    for done, (task, outcome) in enumerate(_done(tasks, canvases, parts, progress), start=1):
        outcomes[task.picture, task.job.number] = outcome
        progress.step(done, len(tasks), f"face {outcome.job.number} {outcome.verdict}")
    return [
        FixResult(canvas.image, tuple(outcomes[picture, job.number] for job in plan.jobs), plan.size)
        for picture, (canvas, plan) in enumerate(zip(canvases, plans, strict=True))
    ]


def check_sizes(images: Sequence[Image], plans: Sequence[FixPlan]) -> None:
    """Raise `BadPlan` if a plan is for a picture of another size."""
    for image, plan in zip(images, plans, strict=True):
        height, width = image.shape[:2]
        if plan.size != (width, height):
            sizes = "{}x{} px, this one has {}x{}".format(*plan.size, width, height)
            raise BadPlan(f"the plan is for a picture of {sizes}; make a plan for this one")


def rounds(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Yield groups of tasks that can be done together: of one key, no two meeting in a picture.

    A task never overtakes an earlier one that it meets: the later face sees the earlier one's result.
    """
    waiting = list(tasks)
    while waiting:
        together: list[Task] = []
        later: list[Task] = []
        for task in waiting:
            free = not any(task.meets(earlier) for earlier in together + later)
            (together if free and task.key == waiting[0].key else later).append(task)
        yield together
        waiting = later


def _wanted(plan: FixPlan) -> list[FaceJob]:
    return [job for job in plan.jobs if job.decision != "leave"]


def _seen_again(tasks: Sequence[Task], picture: int) -> frozenset[int]:
    """Return the numbers of the faces whose result a later face of the picture may see."""
    own = [task for task in tasks if task.picture == picture]
    return frozenset(task.job.number for i, task in enumerate(own) if any(map(task.meets, own[i + 1 :])))


def _done(
    tasks: list[Task], canvases: list[Canvas], parts: Parts, progress: Progress
) -> Iterator[tuple[Task, Outcome]]:
    """Do round after round until all is done, or the person says stop."""
    with suppress(Stopped):
        for tasks_now in rounds(tasks):
            if progress.stopped():
                return
            yield from _do(tasks_now, canvases, parts)


def _do(tasks: list[Task], canvases: list[Canvas], parts: Parts) -> Iterator[tuple[Task, Outcome]]:
    """Do one round. Where the fixer fails at a face, it is asked again about those behind it. Raises `Stopped`."""
    waiting: list[tuple[Task, Crop]] = []
    for task in tasks:
        try:
            framing = task.fixer.framing(task.job)
            with one_thread():
                crop = canvases[task.picture].cut(framing.matrix(task.job.face), framing.size)
                mask = mask_of(crop, task.job, parts)
            if mask.any():
                waiting.append((task, replace(crop, mask=mask)))
            else:
                yield task, Outcome(task.job, "left", note=EMPTY)
        except FAILURES as error:
            yield task, Outcome(task.job, "failed", _in_words(error))
    while waiting:
        patches, going_on = _patches(tuple(waiting)), True
        while waiting and going_on:
            task, crop = waiting.pop(0)
            started, going_on = time.perf_counter(), False
            try:
                patch, going_on = next(patches, None), True
                _lay(canvases[task.picture], patch, crop, task.job)
            except Stopped:
                raise
            except FAILURES as error:
                yield task, Outcome(task.job, "failed", _in_words(error), time.perf_counter() - started)
            else:
                seconds = time.perf_counter() - started
                note = note_of(task.job)
                yield task, Outcome(task.job, "fixed", seconds=seconds, engine=task.fixer.engine, note=note)


def _in_words(error: Exception) -> FaceFixError:
    if isinstance(error, FaceFixError):
        return error
    return FaceFixError(f"out of memory, or a picture that cannot be worked on ({type(error).__name__}: {error})")


def _patches(waiting: Sequence[tuple[Task, Crop]]) -> Iterator[Patch | None]:
    """Yield what the fixer makes of the crops; it is called only when the first is asked for."""
    tasks, crops = zip(*waiting, strict=True)
    yield from tasks[0].fixer.fix(crops, [task.job for task in tasks])
    raise BadCrop(f"the {tasks[0].job.decision} step gave fewer pictures than there were faces")


def _lay(canvas: Canvas, patch: Patch | None, crop: Crop, job: FaceJob) -> None:
    """Paste one fixed crop into the picture, where its mask shows."""
    mask = crop.mask
    assert mask is not None
    if patch is None or not _is_picture(patch, crop.image.shape):
        raise BadCrop(f"the {job.decision} step gave no picture back, or one of NaN")
    with one_thread():
        shown = canvas.shown(crop)
        if job.treatment.match_colour:
            patch = match_colour(patch, shown.image, mask, RING * face_width(crop, job))
        canvas.lay(job.number, patch, mask * np.float32(job.treatment.visibility), crop, shown)


def _is_picture(patch: Patch, shape: tuple[int, ...]) -> bool:
    """Return whether it is one of this shape; a float that is not a number is none."""
    return patch.shape == shape and patch.dtype in (np.uint8, np.float32) and bool(np.isfinite(patch).all())
