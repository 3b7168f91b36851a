"""Merging faces: the faces of an image that are re-diffused together in one crop."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace

import numpy as np

from ..imaging.boxes import bounding
from ..settings.sampling import Sampling
from ..types import Box, Face, Pose
from .plan import FaceJob


def group_jobs(jobs: Sequence[FaceJob]) -> Iterator[tuple[FaceJob, ...]]:
    """Yield groups of jobs that share one crop, without skipped faces; merged faces take the place of the first."""
    merged = tuple(job for job in jobs if _is_merged(job))
    for job in jobs:
        if not _is_merged(job) and job.decision != "leave":
            yield (job,)
        elif merged and job is merged[0]:
            yield merged


def merge_jobs(jobs: Sequence[FaceJob]) -> FaceJob:
    """Return one job for a group: the first, with an upright face around all faces and without landmarks."""
    if len(jobs) == 1:
        return jobs[0]
    box, score = enclose_boxes(job.face.box for job in jobs), min(job.face.score for job in jobs)
    return replace(jobs[0], face=Face(box, score), pose=Pose(0.0, 0.0, 0.0))


def share_sampling(jobs: Sequence[FaceJob], first: FaceJob) -> list[FaceJob]:
    """Return the jobs, with the sampling settings of `first` in all merged jobs."""
    sampling = {field.name: getattr(first.treatment, field.name) for field in fields(Sampling)}
    return [replace(job, treatment=job.treatment.but(sampling)) if _is_merged(job) else job for job in jobs]


def enclose_boxes(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around all boxes."""
    return bounding(np.concatenate([box.corners for box in boxes]))


def _is_merged(job: FaceJob) -> bool:
    return job.decision == "re-diffuse" and job.treatment.mask_merge
