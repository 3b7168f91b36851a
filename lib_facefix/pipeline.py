"""The one loop: rounds of cut -> fix -> mask -> paste, over any number of pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .canvas import Canvas
from .errors import BadCrop, BadPlan, FaceFixError, Stopped
from .faces import Crop, Image, Patch
from .imaging.blending import match_colour
from .jobs import FaceJob, FixPlan, FixResult, Outcome
from .masking import face_width, mask_of, note_of
from .protocols import Parts, Progress
from .rounds import Task, rounds, seen_again, together
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
    waiting: list[tuple[Task, Crop]] = []
    for task in tasks:
        crop, outcomes = _cut(task, canvases[task.picture], parts)
        yield from ((task.picture, outcome) for outcome in outcomes)
        if crop:
            settled = {outcome.job for outcome in outcomes}
            waiting.append((replace(task, jobs=tuple(job for job in task.jobs if job not in settled)), crop))
    while waiting:
        patches, going_on = _patches(tuple(waiting)), True
        while waiting and going_on:
            task, crop = waiting.pop(0)
            started, going_on = time.perf_counter(), False
            try:
                patch, going_on = next(patches, None), True
                _lay(canvases[task.picture], patch, crop, task)
            except Stopped:
                raise
            except FAILURES as error:
                failed = Outcome(task.asked, "failed", _in_words(error), time.perf_counter() - started)
                yield from ((task.picture, replace(failed, job=job)) for job in task.jobs)
            else:
                fixed = Outcome(task.asked, "fixed", None, time.perf_counter() - started, task.fixer.engine)
                yield from ((task.picture, replace(fixed, job=job, note=_note(job, task))) for job in task.jobs)


def _cut(task: Task, canvas: Canvas, parts: Parts) -> tuple[Crop | None, list[Outcome]]:
    """Return the crop of a task with its mask, and what became of the faces that show nothing of it.

    There is no crop where all of them do.
    """
    try:
        framing = task.fixer.framing(task.asked)
        with one_thread():
            crop = canvas.cut(framing.matrix(task.asked.face), framing.size)
    except FAILURES as error:
        return None, [Outcome(job, "failed", _in_words(error)) for job in task.jobs]
    outcomes, shown = [], None
    for job in task.jobs:
        try:
            with one_thread():
                mask = mask_of(crop, job, parts, task.jobs)
        except FAILURES as error:
            outcomes.append(Outcome(job, "failed", _in_words(error)))
            continue
        if mask.any():
            shown = mask if shown is None else np.maximum(shown, mask)
        else:
            outcomes.append(Outcome(job, "left", note=EMPTY))
    return None if shown is None else replace(crop, mask=shown), outcomes


def _note(job: FaceJob, task: Task) -> str:
    """Return in words what was done otherwise than for a face alone."""
    others = ", ".join(str(other.number) for other in task.jobs if other is not job)
    return "; ".join(filter(None, (note_of(job), others and f"redrawn as one with {others}")))


def _in_words(error: Exception) -> FaceFixError:
    if isinstance(error, FaceFixError):
        return error
    return FaceFixError(f"out of memory, or a picture that cannot be worked on ({type(error).__name__}: {error})")


def _patches(waiting: Sequence[tuple[Task, Crop]]) -> Iterator[Patch | None]:
    """Yield what the fixer makes of the crops; it is called only when the first is asked for."""
    tasks, crops = zip(*waiting, strict=True)
    yield from tasks[0].fixer.fix(crops, [task.asked for task in tasks])
    raise BadCrop(f"the {tasks[0].asked.decision} step gave fewer pictures than there were faces")


def _lay(canvas: Canvas, patch: Patch | None, crop: Crop, task: Task) -> None:
    """Paste one fixed crop into the picture, where its mask shows."""
    mask, job = crop.mask, task.jobs[0]
    assert mask is not None
    if patch is None or not _is_picture(patch, crop.image.shape):
        raise BadCrop(f"the {job.decision} step gave no picture back, or one of NaN")
    with one_thread():
        shown = canvas.shown(crop)
        if job.treatment.match_colour:
            patch = match_colour(patch, shown.image, mask, RING * face_width(crop, job))
        canvas.lay(task.asked.number, patch, mask * np.float32(job.treatment.visibility), crop, shown)


def _is_picture(patch: Patch, shape: tuple[int, ...]) -> bool:
    """Return whether it is one of this shape; a float that is not a number is none."""
    return patch.shape == shape and patch.dtype in (np.uint8, np.float32) and bool(np.isfinite(patch).all())
