"""A plan for the same picture at another size: every face stays where it is in what the picture shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..imaging.align import scale_factor, transform_points
from ..imaging.boxes import bounding
from ..types import Box, Face, Matrix
from .plan import FaceJob, FixPlan

ROUNDED = 8
"""Pixels by which programs that enlarge pictures may round their sides down."""
GONE = "outside the part that is left of the picture"
"""Why a face is left whose middle was cut off."""


def rescale_plan(plan: FixPlan, size: tuple[int, int]) -> FixPlan:
    """Return the plan for the picture after it was scaled to `size` (width, height), pixels.

    A picture of another shape than before was scaled until it covers `size`, and what then stood out was cut off on
    both sides alike. Decisions and settings stay; only a face whose middle is no longer there is left.
    """
    if size == plan.size:
        return plan
    there = _way(plan.size, size)
    return replace(plan, size=size, jobs=tuple(_rescale_job(job, there, size) for job in plan.jobs))


def _way(was: tuple[int, int], now: tuple[int, int]) -> Matrix:
    """Return the map from the picture as it was to the one that it has become."""
    scale = max(now[0] / was[0], now[1] / was[1])
    over = scale * was[0] - now[0], scale * was[1] - now[1]
    if max(over) < ROUNDED:
        return np.array([(now[0] / was[0], 0.0, 0.0), (0.0, now[1] / was[1], 0.0)])
    return np.array([(scale, 0.0, -over[0] / 2), (0.0, scale, -over[1] / 2)])


def _rescale_job(job: FaceJob, there: Matrix, size: tuple[int, int]) -> FaceJob:
    face = _moved_face(job.face, there)
    (x, y), (width, height) = face.box.centre, size
    if 0 <= x <= width and 0 <= y <= height:
        return replace(job, face=face)
    return replace(job, face=face, decision="leave", reason=GONE)


def _moved_face(face: Face, there: Matrix) -> Face:
    box: Box = bounding(transform_points(face.box.corners, there))
    landmarks = None if face.landmarks is None else transform_points(face.landmarks, there)
    if face.mesh is None:
        return replace(face, box=box, landmarks=landmarks)
    points = np.column_stack(
        [transform_points(face.mesh.points[:, :2], there), face.mesh.points[:, 2] * scale_factor(there)]
    )
    return replace(face, box=box, landmarks=landmarks, mesh=replace(face.mesh, points=points))
