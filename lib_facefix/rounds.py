"""What is fixed as one, and what may be done in one round: the order of the work, without any of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from .faces import Box
from .imaging.boxes import overlap
from .jobs import FaceJob
from .masking import reach_of
from .merging import around, standing_for
from .protocols import FaceFixer, Parts


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The jobs that are cut, fixed and pasted as one, with their picture and the fixer that will do them."""

    picture: int
    jobs: tuple[FaceJob, ...]
    """One as a rule; several where they are merged."""
    asked: FaceJob
    """What the fixer is asked for: the one job, or the first of several, its face standing for all of them."""
    fixer: FaceFixer
    key: Hashable
    """Tasks of equal key may share one pass."""
    reach: Box
    """What of the picture the fixed faces may touch, at most."""

    @classmethod
    def of(cls, picture: int, jobs: tuple[FaceJob, ...], parts: Parts) -> Task:
        """Return the task of these jobs; raises a `FaceFixError` where there is nothing that does it."""
        asked = standing_for(jobs)
        fixer = parts.fixer(asked)
        reach = around(_reaches(jobs, asked, fixer))
        return cls(picture, jobs, asked, fixer, (id(fixer), fixer.batch_key(asked)), reach)

    def meets(self, other: Task) -> bool:
        """Return True if one's result may cover part of the other's; what a crop shows around its face is not meant."""
        return self.picture == other.picture and overlap(self.reach, other.reach) > 0


def rounds(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Yield groups of tasks that can be done together: of one key, no two meeting in a picture.

    A task never overtakes an earlier one that it meets: the later face sees the earlier one's result.
    """
    waiting = list(tasks)
    while waiting:
        now: list[Task] = []
        later: list[Task] = []
        for task in waiting:
            free = not any(task.meets(earlier) for earlier in now + later)
            (now if free and task.key == waiting[0].key else later).append(task)
        yield now
        waiting = later


def seen_again(tasks: Sequence[Task], picture: int) -> frozenset[int]:
    """Return the numbers of the faces asked for whose result a later one of the picture may see."""
    own = [task for task in tasks if task.picture == picture]
    return frozenset(task.asked.number for i, task in enumerate(own) if any(map(task.meets, own[i + 1 :])))


def _reaches(jobs: Sequence[FaceJob], asked: FaceJob, fixer: FaceFixer) -> Iterator[Box]:
    """Yield what each face's mask may touch: alone, and of several also in the crop that they have in common."""
    for job in jobs:
        yield reach_of(job, fixer)
        if job is not asked:
            yield reach_of(replace(asked, treatment=asked.treatment.but({"mask": job.treatment.mask})), fixer)
