"""The one loop: rounds of cut -> fix -> mask -> paste, over any number of pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce

import cv2
import numpy as np

from .canvas import Canvas
from .errors import BadCrop, BadPlan, FaceFixError, Stopped
from .faces import Crop, Image, Mask, Patch
from .imaging.blending import match_colour
from .jobs import FaceJob, FixPlan, FixResult, Outcome
from .masking import face_width, note_of, shape_of, softened
from .merging import together
from .protocols import Parts, Progress
from .rounds import Task, rounds, seen_again
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
        for jobs in together(_wanted(plan)):
            try:
                tasks.append(Task.of(picture, jobs, parts))
            except FaceFixError as error:
                outcomes.update({(picture, job.number): Outcome(job, "failed", error) for job in jobs})

    canvases = [
        Canvas(image, now, bool(_wanted(plan)), seen_again(tasks, picture))
        for picture, (image, now, plan) in enumerate(zip(images, onto or images, plans, strict=True))
    ]
    count = sum(len(task.jobs) for task in tasks)
    for done, (picture, outcome) in enumerate(_done(tasks, canvases, parts, progress), start=1):
        outcomes[picture, outcome.job.number] = outcome
        progress.step(done, count, f"face {outcome.job.number} {outcome.verdict}")
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


def _wanted(plan: FixPlan) -> list[FaceJob]:
    return [job for job in plan.jobs if job.decision != "leave"]


def _done(tasks: list[Task], canvases: list[Canvas], parts: Parts, progress: Progress) -> Iterator[tuple[int, Outcome]]:
    """Do round after round until all is done, or the person says stop; yield each face's picture and outcome."""
    with suppress(Stopped):
        for tasks_now in rounds(tasks):
            if progress.stopped():
                return
            yield from _do(tasks_now, canvases, parts)


def _do(tasks: list[Task], canvases: list[Canvas], parts: Parts) -> Iterator[tuple[int, Outcome]]:
    """Do one round. Where the fixer fails at a face, it is asked again about those behind it. Raises `Stopped`."""
    waiting: list[Cut] = []
    for task in tasks:
        made, outcomes = _cut(task, canvases[task.picture], parts)
        waiting += made
        yield from ((task.picture, outcome) for outcome in outcomes)
    while waiting:
        patches, going_on = _patches(tuple(waiting)), True
        while waiting and going_on:
            now = waiting.pop(0)
            task, started, going_on = now.task, time.perf_counter(), False
            try:
                patch, going_on = next(patches, None), True
                _lay(canvases[task.picture], patch, now)
            except Stopped:
                raise
            except FAILURES as error:
                failed = Outcome(task.asked, "failed", _in_words(error), time.perf_counter() - started)
                yield from ((task.picture, replace(failed, job=job)) for job in now.masks)
            else:
                fixed = Outcome(task.asked, "fixed", None, time.perf_counter() - started, task.fixer.engine)
                yield from ((task.picture, replace(fixed, job=job, note=_note(job, now.masks))) for job in now.masks)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A task that waits for its fixer."""

    task: Task
    crop: Crop
    """Its mask shows all that may be fixed."""
    masks: dict[FaceJob, Mask]
    """Of each of its faces that has one, in order."""

    @property
    def shown(self) -> Mask:
        """How much of the fixed crop is to show, (h, w), 0..1."""
        shares = (mask * np.float32(job.treatment.visibility) for job, mask in self.masks.items())
        return reduce(np.maximum, shares)


def _cut(task: Task, canvas: Canvas, parts: Parts) -> tuple[list[Cut], list[Outcome]]:
    """Return the task cut out, unless none of its faces shows, and what became of those that do not."""
    try:
        framing = task.fixer.framing(task.asked)
        with one_thread():
            crop = canvas.cut(framing.matrix(task.asked.face), framing.size)
    except FAILURES as error:
        return [], [Outcome(job, "failed", _in_words(error)) for job in task.jobs]
    shapes, lacking = _of_each(task.jobs, lambda job: shape_of(crop, job, parts))
    masks, failed = _of_each(shapes, lambda job: softened(crop, job, shapes))
    shown = {job: mask for job, mask in masks.items() if mask.any()}
    empty = [Outcome(job, "left", note=EMPTY) for job in masks if job not in shown]
    made = [Cut(task, replace(crop, mask=reduce(np.maximum, shown.values())), shown)] if shown else []
    return made, [*lacking, *failed, *empty]


def _of_each(jobs: Iterable[FaceJob], make: Callable[[FaceJob], Mask]) -> tuple[dict[FaceJob, Mask], list[Outcome]]:
    """Return what is made for each job, and the outcomes of those for which that failed."""
    made, outcomes = {}, []
    for job in jobs:
        try:
            with one_thread():
                made[job] = make(job)
        except FAILURES as error:
            outcomes.append(Outcome(job, "failed", _in_words(error)))
    return made, outcomes


def _note(job: FaceJob, together: Iterable[FaceJob]) -> str:
    """Return in words what was done otherwise than for a face alone."""
    others = ", ".join(str(other.number) for other in together if other is not job)
    return "; ".join(filter(None, (note_of(job), others and f"redrawn as one with {others}")))


def _in_words(error: Exception) -> FaceFixError:
    if isinstance(error, FaceFixError):
        return error
    return FaceFixError(f"out of memory, or a picture that cannot be worked on ({type(error).__name__}: {error})")


def _patches(waiting: Sequence[Cut]) -> Iterator[Patch | None]:
    """Yield what the fixer makes of the crops; it is called only when the first is asked for."""
    task = waiting[0].task
    yield from task.fixer.fix([cut.crop for cut in waiting], [cut.task.asked for cut in waiting])
    raise BadCrop(f"the {task.asked.decision} step gave fewer pictures than there were faces")


def _lay(canvas: Canvas, patch: Patch | None, cut: Cut) -> None:
    """Paste one fixed crop into the picture, where its mask shows."""
    crop, job = cut.crop, next(iter(cut.masks))
    assert crop.mask is not None
    if patch is None or not _is_picture(patch, crop.image.shape):
        raise BadCrop(f"the {job.decision} step gave no picture back, or one of NaN")
    with one_thread():
        before = canvas.shown(crop)
        if job.treatment.match_colour:
            patch = match_colour(patch, before.image, crop.mask, RING * face_width(crop, job))
        canvas.lay(cut.task.asked.number, patch, cut.shown, crop, before)


def _is_picture(patch: Patch, shape: tuple[int, ...]) -> bool:
    """Return whether it is one of this shape; a float that is not a number is none."""
    return patch.shape == shape and patch.dtype in (np.uint8, np.float32) and bool(np.isfinite(patch).all())
