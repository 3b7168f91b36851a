"""The one loop: rounds of cut -> fix -> mask -> paste, over any number of pictures."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from ..errors import BadCrop, FaceFixError, Stopped
from ..imaging.blend import paste
from ..imaging.tone import keep_tone
from ..planning.grouping import group_jobs
from ..planning.plan import FaceJob, FixPlan, FixResult, Outcome
from ..protocols import Fixed, Parts, Progress
from ..types import Crop, Image, Mask, Patch
from .batching import FAILURES, Task, make_rounds, meetings
from .canvas import Canvas
from .face_masks import describe_mask, face_width, move_mask, soft_mask
from .threads import one_thread

RING = 0.15
"""Width of the ring whose colour is matched, as a share of the face's width."""
EMPTY = "nothing of this face is in the mask"


class NullProgress:
    """A `Progress` that says nothing and never stops."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Say nothing."""

    def should_stop(self) -> bool:
        """Return False."""
        return False


@dataclass(slots=True)
class Report:
    """What has become of each face so far."""

    progress: Progress
    outcomes: dict[tuple[int, int], Outcome]
    """By the place of the picture and the number of the face."""
    total: int
    """How many faces are to be done."""
    done: int = 0

    def add(self, picture: int, outcome: Outcome) -> None:
        """Keep what has become of one more face, and say so."""
        self.outcomes[picture, outcome.job.number] = outcome
        self.done += 1
        self.progress.step(self.done, self.total, f"face {outcome.job.number} {outcome.verdict}")


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """A `Progress` for what is done before the first face: it passes on what that is, and that none is through."""

    progress: Progress
    faces: int

    def step(self, done: int, total: int, doing: str) -> None:  # noqa: ARG002 parts of another work than faces
        """Say what is being done."""
        self.progress.step(0, self.faces, doing)

    def should_stop(self) -> bool:
        """Return what the person wants."""
        return self.progress.should_stop()


def fix_faces(
    images: Sequence[Image],
    plans: Sequence[FixPlan],
    parts: Parts,
    progress: Progress | None = None,
    onto: Sequence[Image] | None = None,
) -> list[FixResult]:
    """Carry out `plans`, one for each picture, of its size; `images` are never changed.

    images: RGB (H, W, 3). onto: the same pictures at the size of the results, each changed in place if it is not the
    very array in `images`; by default those. Faces are restored from the pixels of `images` and pasted onto these.
    A face that cannot be fixed stays as it was and is reported. When `progress` says stop, the round at hand is
    finished, what is done is kept, and the rest is reported as left.
    """
    outcomes = {(i, job.number): Outcome(job, "left") for i, plan in enumerate(plans) for job in plan.jobs}
    tasks = []
    for picture, plan in enumerate(plans):
        for jobs in group_jobs(plan.jobs):
            try:
                tasks.append(Task.make(picture, jobs, parts))
            except FaceFixError as error:
                outcomes.update({(picture, job.number): Outcome(job, "failed", error) for job in jobs})

    changed, met = {task.picture for task in tasks}, meetings(tasks)
    seen_again = {earlier for others in met.values() for earlier in others}
    canvases = [Canvas(*both, i in changed) for i, both in enumerate(zip(images, onto or images, strict=True))]
    report = Report(progress or NullProgress(), outcomes, sum(len(task.jobs) for task in tasks))
    with suppress(Stopped):
        for tasks_now in make_rounds(tasks, met):
            if report.progress.should_stop():
                break
            _paste_round(_cut_round(tasks_now, canvases, report), canvases, report, seen_again)
    return [
        FixResult(canvas.image, tuple(outcomes[picture, job.number] for job in plan.jobs), plan.size)
        for picture, (canvas, plan) in enumerate(zip(canvases, plans, strict=True))
    ]


def masks_of(image: Image, plan: FixPlan, parts: Parts) -> Mask:
    """Return where carrying out the plan may change the picture, (H, W), 0..1; a face that has no mask is not in.

    image: RGB (H, W, 3), the one the plan is for.
    """
    shown, canvas = np.zeros_like(image), Canvas(image, image, fixed=False)
    for jobs in group_jobs(plan.jobs):
        made, _ = _cut(Task.make(0, jobs, parts), canvas)
        for cut in made:
            for mask in cut.masks.values():
                paste(shown, np.full_like(cut.crop.image, 255), mask, cut.crop.matrix)
    return np.asarray(shown[..., 0] / np.float32(255), np.float32)


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


def _cut_round(tasks: Iterable[Task], canvases: Sequence[Canvas], report: Report) -> list[Cut]:
    """Return what of a round is cut out, for the fixer; report the faces of which nothing is."""
    waiting = []
    for task in tasks:
        made, outcomes = _cut(task, canvases[task.picture])
        waiting += made
        for outcome in outcomes:
            report.add(task.picture, outcome)
    return waiting


def _paste_round(
    waiting: Sequence[Cut], canvases: Sequence[Canvas], report: Report, seen_again: Collection[Task]
) -> None:
    """Have the crops of a round fixed, paste them, and report their faces. Raises `Stopped`."""
    started = time.perf_counter()
    for cut, fixed in _fix_cuts(waiting):
        task, first = cut.task, next(iter(cut.masks))
        try:
            patch, engine = _check_patch(fixed, cut.crop, first)
            ring = RING * face_width(cut.crop, first) if first.treatment.match_colour else 0.0
            with one_thread():
                patch = keep_tone(patch, cut.crop.image)
                canvases[task.picture].paste(patch, cut.shown, cut.crop, ring=ring, seen_again=task in seen_again)
        except FAILURES as error:
            outcome = Outcome(first, "failed", _in_words(error), time.perf_counter() - started)
        else:
            outcome = Outcome(first, "fixed", None, time.perf_counter() - started, engine)
        for job in cut.masks:
            note = _note(job, cut.masks) if outcome.verdict == "fixed" else ""
            report.add(task.picture, replace(outcome, job=job, note=note))
        started = time.perf_counter()


def _check_patch(fixed: Fixed | Exception, crop: Crop, job: FaceJob) -> tuple[Patch, str]:
    """Return the patch and what made it; raises what the fixer failed with, or `BadCrop` where there is no picture."""
    if isinstance(fixed, Exception):
        raise fixed
    patch, engine = fixed
    kinds = (np.uint8, np.float32)
    if patch is None or patch.shape != crop.image.shape or patch.dtype not in kinds or not np.isfinite(patch).all():
        raise BadCrop(f"the {job.decision} step gave no picture back, or one of NaN")
    return patch, engine


def _cut(task: Task, canvas: Canvas) -> tuple[list[Cut], list[Outcome]]:
    """Return the task cut out, unless none of its faces shows, and what became of those that do not."""
    try:
        framing = task.fixer.framing(task.asked)
        with one_thread():
            crop = canvas.cut(framing.matrix(task.asked.face), framing.size)
    except FAILURES as error:
        return [], [Outcome(job, "failed", _in_words(error)) for job in task.jobs]

    shapes, masks, outcomes = {}, {}, []
    for job in task.jobs:
        try:
            with one_thread():
                shapes[job] = move_mask(task.maskers[job].mask(crop, job.face), job, face_width(crop, job))
        except FAILURES as error:
            outcomes.append(Outcome(job, "failed", _in_words(error)))
    for job in shapes:  # when all shapes are known: a mask that is inverted leaves out those of the others, too
        try:
            with one_thread():
                mask = soft_mask(crop, job, shapes)
        except FAILURES as error:
            outcomes.append(Outcome(job, "failed", _in_words(error)))
        else:
            if mask.any():
                masks[job] = mask
            else:
                outcomes.append(Outcome(job, "left", note=EMPTY))
    made = [Cut(task, replace(crop, mask=reduce(np.maximum, masks.values())), masks)] if masks else []
    return made, outcomes


def _note(job: FaceJob, together: Iterable[FaceJob]) -> str:
    """Return in words what was done otherwise than for a face alone."""
    others = ", ".join(str(other.number) for other in together if other is not job)
    return "; ".join(filter(None, (describe_mask(job), others and f"redrawn as one with {others}")))


def _in_words(error: Exception) -> FaceFixError:
    if isinstance(error, FaceFixError):
        return error
    return FaceFixError(f"out of memory, or a picture that cannot be worked on ({type(error).__name__}: {error})")


def _fix_cuts(waiting: Sequence[Cut]) -> Iterator[tuple[Cut, Fixed | Exception]]:
    """Yield what the fixer makes of each crop of a round, or what it failed with.

    Where it fails at a face, it is asked again about those behind it. Raises `Stopped`.
    """
    while waiting:
        task, done = waiting[0].task, 0
        error: Exception = BadCrop(f"the {task.asked.decision} step gave fewer pictures than there were faces")
        try:
            fixed = task.fixer.fix([cut.crop for cut in waiting], [cut.task.asked for cut in waiting])
            for cut, one in zip(waiting, fixed, strict=False):
                done += 1
                yield cut, one
        except Stopped:
            raise
        except FAILURES as failure:
            error = failure
        if done < len(waiting):
            yield waiting[done], error
        waiting = waiting[done + 1 :]
