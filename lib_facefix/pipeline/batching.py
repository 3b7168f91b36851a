"""Tasks and rounds: which jobs are fixed as one, and in which order the tasks of several pictures are done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..planning.grouping import enclose_boxes, merge_jobs
from ..planning.plan import FaceJob
from ..protocols import FaceFixer, Judge, Masker, Parts
from ..types import Box, Crop, Face, Mask
from .face_masks import FAILURES, affected_box


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Jobs of one picture that are cut, fixed, and pasted as one, with the fixer and maskers that do them."""

    picture: int
    """Index of the picture among those of the run."""
    jobs: tuple[FaceJob, ...]
    """The one job, or the several jobs that are merged."""
    asked: FaceJob
    """The job that the fixer is given: the one, or the first of several with a face around all of theirs."""
    fixer: FaceFixer
    """The model, or the sampler, that does the job."""
    maskers: Mapping[FaceJob, Masker]
    """The masker of each job."""
    judges: Mapping[FaceJob, Judge]
    """The judge of each job whose identity is guarded."""
    key: Hashable
    """Key that tasks have in common that may share one pass of their fixer."""
    reach: Box
    """Box in pixels of the picture outside of which the task changes nothing."""

    @classmethod
    def make(cls, picture: int, jobs: tuple[FaceJob, ...], parts: Parts) -> Task:
        """Return the task of these jobs; raises a `FaceFixError` where their fixer or a judge cannot be loaded.

        A masker that cannot be loaded fails its own job alone, when the mask of that job is made.
        """
        asked = merge_jobs(jobs)
        fixer = parts.fixer(asked)
        reach = enclose_boxes(_reaches(jobs, asked, fixer))
        maskers: dict[FaceJob, Masker] = {}
        for job in jobs:
            try:
                maskers[job] = parts.masker(job)
            except FAILURES as error:
                maskers[job] = NoMasker(error)
        judges = {job: judge for job, judge in ((job, parts.judge(job)) for job in jobs) if judge}
        return cls(picture, jobs, asked, fixer, maskers, judges, (id(fixer), fixer.batch_key(asked)), reach)


@dataclass(frozen=True, slots=True)
class NoMasker:
    """A `Masker` in place of one that cannot be loaded."""

    error: Exception
    """Error that loading the masker ended with."""

    def mask(self, crop: Crop, face: Face) -> Mask:  # noqa: ARG002 there is no mask of any face
        """Raise the error."""
        raise self.error


def make_rounds(tasks: Sequence[Task], met: Mapping[Task, Sequence[Task]] | None = None) -> Iterator[list[Task]]:
    """Yield groups of tasks that can be done together: of one key, no two meeting in a picture.

    A task never overtakes an earlier one that it meets: the later face is cut from the earlier one's result.
    met: the `meetings` of the tasks; None: they are found here.
    """
    met = meetings(tasks) if met is None else met
    waiting = dict.fromkeys(tasks)
    while waiting:
        key = next(iter(waiting)).key
        now = [task for task in waiting if task.key == key and not any(earlier in waiting for earlier in met[task])]
        yield now
        for task in now:
            del waiting[task]


def meetings(tasks: Sequence[Task]) -> dict[Task, list[Task]]:
    """Return for each task the earlier tasks that it meets, those of its picture whose `reach` overlaps its own."""
    by_picture = defaultdict(list)
    for task in tasks:
        by_picture[task.picture].append(task)
    met = {}
    for own in by_picture.values():
        reaches = np.array(
            [(reach.left, reach.top, reach.right, reach.bottom) for reach in (task.reach for task in own)]
        )
        for number, task in enumerate(own):
            earlier, (left, top, right, bottom) = reaches[:number].T, reaches[number]
            meets = (earlier[0] < right) & (earlier[2] > left) & (earlier[1] < bottom) & (earlier[3] > top)
            met[task] = [own[place] for place in np.flatnonzero(meets)]
    return met


def _reaches(jobs: Sequence[FaceJob], asked: FaceJob, fixer: FaceFixer) -> Iterator[Box]:
    """Yield the box that each face's mask may touch: alone, and of merged faces also in their common crop."""
    for job in jobs:
        yield affected_box(job, fixer)
        if job is not asked:
            yield affected_box(replace(asked, treatment=asked.treatment.but({"mask": job.treatment.mask})), fixer)
