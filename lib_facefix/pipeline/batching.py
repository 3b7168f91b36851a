"""What is fixed as one, and what may be done in one round: the order of the work, without any of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..planning.grouping import enclose_boxes, merge_jobs
from ..planning.plan import FaceJob
from ..protocols import FaceFixer, Masker, Parts
from ..types import Box, Crop, Face, Mask
from .face_masks import FAILURES, affected_box


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The jobs that are cut, fixed and pasted as one, with their picture and all that is needed to do them."""

    picture: int
    jobs: tuple[FaceJob, ...]
    """One as a rule; several where they are merged."""
    asked: FaceJob
    """What the fixer is asked for: the one job, or the first of several, its face standing for all of them."""
    fixer: FaceFixer
    maskers: Mapping[FaceJob, Masker]
    """Of each job."""
    key: Hashable
    """Tasks of equal key may share one pass."""
    reach: Box
    """What of the picture the fixed faces may touch, at most."""

    @classmethod
    def make(cls, picture: int, jobs: tuple[FaceJob, ...], parts: Parts) -> Task:
        """Return the task of these jobs; raises a `FaceFixError` where there is nothing that does it.

        A masker that cannot be had fails its own job alone, and when its turn comes.
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
        return cls(picture, jobs, asked, fixer, maskers, (id(fixer), fixer.batch_key(asked)), reach)


@dataclass(frozen=True, slots=True)
class NoMasker:
    """A `Masker` in place of one that cannot be had."""

    error: Exception

    def mask(self, crop: Crop, face: Face) -> Mask:  # noqa: ARG002 there is no mask of any face
        """Raise what getting it failed with."""
        raise self.error


def make_rounds(tasks: Sequence[Task], met: Mapping[Task, Sequence[Task]] | None = None) -> Iterator[list[Task]]:
    """Yield groups of tasks that can be done together: of one key, no two meeting in a picture.

    A task never overtakes an earlier one that it meets: the later face sees the earlier one's result.
    met: the `meetings` of the tasks, where they are known.
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
    """Return for each task the earlier ones that it meets: whose result may cover part of its own, in one picture.

    What a crop shows around its face is not meant.
    """
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
    """Yield what each face's mask may touch: alone, and of several also in the crop that they have in common."""
    for job in jobs:
        yield affected_box(job, fixer)
        if job is not asked:
            yield affected_box(replace(asked, treatment=asked.treatment.but({"mask": job.treatment.mask})), fixer)
