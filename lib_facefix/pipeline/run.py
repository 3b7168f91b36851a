"""The loop over rounds: cut, mask, fix, and paste the faces of any number of pictures."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from ..errors import BadCrop, FaceFixError, Stopped
from ..imaging.blend import match_colour, paste
from ..imaging.frames import width_and_height
from ..imaging.resample import warp
from ..planning.grouping import group_jobs
from ..planning.identity import IdentityCheck
from ..planning.plan import FaceJob, FixPlan, FixResult, Outcome
from ..protocols import Fixed, Parts, Progress
from ..types import Crop, Image, Mask, Patch
from .batching import Task, make_rounds, meetings
from .canvas import Canvas
from .face_masks import FAILURES, describe_mask, face_width, make_masks
from .guards import guard_patch, opacity_of
from .identity import Trial, make_milder, see_change, settle
from .reporting import NullProgress, Report
from .threads import one_thread

RING = 0.15
"""Width of the ring whose colour is matched, as a share of the face's width."""
KINDS = (np.uint8, np.float32)
"""Types of pixels that a fixer may return."""
EMPTY = "the mask of this face is empty"


def fix_faces(
    images: Sequence[Image],
    plans: Sequence[FixPlan],
    parts: Parts,
    progress: Progress | None = None,
    onto: Sequence[Image] | None = None,
    *,
    keep_masks: bool = False,
) -> list[FixResult]:
    """Carry out `plans`, one for each picture, of its size; `images` are never changed.

    images: RGB (H, W, 3). onto: the same pictures at the size of the results, each changed in place if it is not the
    very array in `images`; by default those. Faces are restored from the pixels of `images` and pasted onto these.
    keep_masks: whether each result is to hold the mask of its faces.
    A face that cannot be fixed stays as it was and is reported. When `progress` says stop, the current face is
    finished, with those that were re-diffused together with it. They are kept, and the others are reported as left.
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
    canvases = []
    for picture, (image, result) in enumerate(zip(images, onto or images, strict=True)):
        own = image.copy() if result is image and picture in changed else result
        enlarged = result.shape[1] / image.shape[1]
        canvases.append(Canvas(image, own, own if result is image else image, enlarged))
    shown = [np.zeros_like(image) for image in images] if keep_masks else []
    report = Report(progress or NullProgress(), outcomes, sum(len(task.jobs) for task in tasks))
    with suppress(Stopped):
        for tasks_now in make_rounds(tasks, met):
            waiting = cut_round(tasks_now, canvases, report)
            for cut in waiting if keep_masks else ():
                _draw_masks(shown[cut.task.picture], cut)
            paste_round(waiting, canvases, report, seen_again)
    results = [
        FixResult(canvas.image, tuple(outcomes[picture, job.number] for job in plan.jobs), plan.size)
        for picture, (canvas, plan) in enumerate(zip(canvases, plans, strict=True))
    ]
    if not keep_masks:
        return results
    return [replace(result, mask=_as_mask(drawn)) for result, drawn in zip(results, shown, strict=True)]


def masks_of(image: Image, plan: FixPlan, parts: Parts) -> Mask:
    """Return where carrying out the plan may change the picture, (H, W), 0..1; a face that has no mask is not in.

    image: RGB (H, W, 3), the one the plan is for.
    """
    shown, canvas = np.zeros_like(image), Canvas(image, image, image)
    for jobs in group_jobs(plan.jobs):
        made, _ = _cut(Task.make(0, jobs, parts), canvas)
        for cut in made:
            _draw_masks(shown, cut)
    return _as_mask(shown)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A task whose face is cut out and masked, ready for its fixer."""

    task: Task
    crop: Crop
    """The face in pixels of the fixer, with a mask of all that may change."""
    masks: dict[FaceJob, Mask]
    """Masks, (h, w), 0..1, of the faces that have one, in the order of the task's jobs."""
    asked: FaceJob
    """The job that the fixer is given: that of the task, or a milder one."""
    trials: tuple[Trial, ...] = ()
    """Earlier results for the crop, in which a face drifted."""

    @property
    def first(self) -> FaceJob:
        """The first of the faces that have a mask."""
        return next(iter(self.masks))

    @property
    def ring(self) -> float:
        """Width of the ring in which the colour is matched, in pixels; 0 where it is not."""
        return RING * face_width(self.first, self.crop.matrix) if self.first.treatment.match_colour else 0.0


def _draw_masks(shown: Image, cut: Cut) -> None:
    """Paste white through the masks of a crop; `shown` is changed."""
    for mask in cut.masks.values():
        paste(shown, np.full_like(cut.crop.image, 255), mask, cut.crop.matrix)


def _as_mask(shown: Image) -> Mask:
    return np.asarray(shown[..., 0] / np.float32(255), np.float32)


def cut_round(tasks: Iterable[Task], canvases: Sequence[Canvas], report: Report) -> list[Cut]:
    """Return the crops of a round; report the faces that have none, or an empty mask. Raises `Stopped`."""
    waiting = []
    for task in tasks:
        report.check_stop()
        made, outcomes = _cut(task, canvases[task.picture])
        waiting += made
        for outcome in outcomes:
            report.add(task.picture, outcome)
    return waiting


def paste_round(
    waiting: Sequence[Cut], canvases: Sequence[Canvas], report: Report, seen_again: Collection[Task]
) -> None:
    """Have the crops of a round fixed, paste them, and report their faces. Raises `Stopped`.

    Crops with a face that has drifted are fixed again, all together and milder, after the others.
    """
    started, again = time.perf_counter(), []
    for cut, fixed in _fix_cuts(waiting):
        canvas = canvases[cut.task.picture]
        found: dict[FaceJob, tuple[float, IdentityCheck]] = {}
        try:
            if isinstance(fixed, Exception):
                raise fixed
            with one_thread():
                patch = _accept(cut, fixed)
                size = canvas.source.shape[1], canvas.source.shape[0]
                patch = guard_patch(patch, cut.crop, cut.first, canvas.cut_region(cut.crop), size)
                trials = (*cut.trials, _judge(cut, patch, fixed.engine, canvas.enlarged))
                if milder := make_milder(cut.task.fixer, trials):
                    again.append(replace(cut, asked=milder, trials=trials))
                    continue
                best, found = settle(trials)
                shares = {job: found[job][0] if job in found else 1.0 for job in cut.masks}
                laid = [mask * np.float32(opacity_of(job) * shares[job]) for job, mask in cut.masks.items()]
                if any(shares.values()):
                    many = cut.task in seen_again
                    ring = 0.0 if best.matched else cut.ring
                    canvas.paste(best.patch, reduce(np.maximum, laid), cut.crop, ring=ring, seen_again=many)
        except FAILURES as error:
            outcome = Outcome(cut.first, "failed", _in_words(error), time.perf_counter() - started)
        else:
            outcome = Outcome(cut.first, "fixed", None, time.perf_counter() - started, best.engine)
        for job in cut.masks:
            report.add(cut.task.picture, _outcome_of(job, cut, outcome, *found.get(job, (1.0, None))))
        if isinstance(fixed, Exception) or not fixed.ready:
            report.check_stop()  # a fixer that is asked for nothing more fixes nothing more
        started = time.perf_counter()
    if again:
        paste_round(again, canvases, report, seen_again)


def _accept(cut: Cut, fixed: Fixed) -> Patch:
    """Return the fixed crop; raises `BadCrop` if there is none, or an unusable one."""
    patch = fixed.patch
    of_kind = patch is not None and patch.shape == cut.crop.image.shape and patch.dtype in KINDS
    if patch is None or not of_kind or not np.isfinite(patch).all():
        raise BadCrop(f"the {cut.first.decision} step returned no image, or one of NaN")
    return patch


def _judge(cut: Cut, patch: Patch, engine: str, enlarged: float) -> Trial:
    """Return a fixed crop with the findings of the judges of its faces, as it will show in the result."""
    crop, changes, matched = cut.crop, {}, patch
    if cut.task.judges and crop.mask is not None and not np.array_equal(patch, crop.image):
        if cut.ring:
            matched = match_colour(patch, crop.image, crop.mask, cut.ring)
        earlier = cut.trials[-1].changes if cut.trials else {}
        for job, judge in cut.task.judges.items():
            if job in cut.masks:
                shown = cut.masks[job] * np.float32(opacity_of(job))
                changes[job] = see_change(judge, crop, matched, shown, job, enlarged, earlier.get(job))
    distances = {job: one.measure() for job, one in changes.items() if not isinstance(one, str)}
    if changes and enlarged == 1:  # the result shows the crop, and its colours need not be matched again
        return Trial(cut.asked, matched, engine, changes, distances, matched=True)
    return Trial(cut.asked, patch, engine, changes, distances)


def _outcome_of(job: FaceJob, cut: Cut, outcome: Outcome, share: float, identity: IdentityCheck | None) -> Outcome:
    """Return the outcome of one face of a crop. share: part of its change that was pasted, 0..1."""
    if outcome.verdict != "fixed":
        return replace(outcome, job=job)
    told = identity.describe() if identity and (not share or identity.verdict == "backed off") else ""
    if not share:
        return replace(outcome, job=job, verdict="left", engine="", note=told, identity=identity)
    return replace(outcome, job=job, note="; ".join(filter(None, (_note(job, cut.masks), told))), identity=identity)


def _cut(task: Task, canvas: Canvas) -> tuple[list[Cut], list[Outcome]]:
    """Return the task cut out, nothing where none of its faces has a mask, and the outcomes of faces without one."""
    try:
        framing = task.fixer.framing(task.asked)
        with one_thread():
            matrix = framing.matrix(task.asked.face)
            crop = Crop(warp(canvas.source, matrix, width_and_height(framing.size)), matrix)
    except FAILURES as error:
        return [], [Outcome(job, "failed", _in_words(error)) for job in task.jobs]

    made, failed = make_masks(crop, task.maskers)
    masks = {job: mask for job, mask in made.items() if mask.any()}
    outcomes = [Outcome(job, "failed", _in_words(error)) for job, error in failed]
    outcomes += [Outcome(job, "left", note=EMPTY) for job in made if job not in masks]
    if not masks:
        return [], outcomes
    return [Cut(task, replace(crop, mask=reduce(np.maximum, masks.values())), masks, task.asked)], outcomes


def _note(job: FaceJob, together: Iterable[FaceJob]) -> str:
    """Return a sentence about replaced masks and the faces that were redrawn with this one."""
    others = ", ".join(str(other.number) for other in together if other is not job)
    return "; ".join(filter(None, (describe_mask(job), others and f"re-diffused together with {others}")))


def _in_words(error: Exception) -> FaceFixError:
    if isinstance(error, FaceFixError):
        return error
    return FaceFixError(f"out of memory, or an image that cannot be processed ({type(error).__name__}: {error})")


def _fix_cuts(waiting: Sequence[Cut]) -> Iterator[tuple[Cut, Fixed | Exception]]:
    """Yield each crop of a round with the fixer's result, or with the error that it failed with.

    After an error the fixer is called again with the crops behind that face. Raises `Stopped`.
    """
    while waiting:
        fixer, done = waiting[0].task.fixer, 0
        error: Exception = BadCrop(f"the {waiting[0].asked.decision} step returned fewer images than faces")
        try:
            fixed = fixer.fix([cut.crop for cut in waiting], [cut.asked for cut in waiting])
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
