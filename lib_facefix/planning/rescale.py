"""Adapting a plan to another size of the same image."""

from dataclasses import replace

import numpy as np

from ..imaging.align import scale_factor, transform_points
from ..imaging.boxes import bounding
from ..types import Box, Face, Matrix
from .plan import FaceJob, FixPlan

MAX_ROUNDING = 8
"""Pixels by which upscalers may round a side down."""
CROPPED = "outside the cropped image"
"""Reason for skipping a face whose centre was cropped off."""


def rescale_plan(plan: FixPlan, size: tuple[int, int]) -> FixPlan:
    """Return the plan for the image scaled to `size` = (width, height), in pixels.

    If the aspect ratio differs, the image was scaled to cover `size` and cropped equally on both sides. Decisions and
    settings stay the same, except that a face whose centre was cropped off is skipped.
    """
    if size == plan.size:
        return plan
    there = _scaling(plan.size, size)
    return replace(plan, size=size, jobs=tuple(_rescale_job(job, there, size) for job in plan.jobs))


def _scaling(was: tuple[int, int], now: tuple[int, int]) -> Matrix:
    """Return the affine map from the original image to the scaled and cropped one."""
    scale = max(now[0] / was[0], now[1] / was[1])
    over = scale * was[0] - now[0], scale * was[1] - now[1]
    if max(over) < MAX_ROUNDING:
        return np.array([(now[0] / was[0], 0.0, 0.0), (0.0, now[1] / was[1], 0.0)])
    return np.array([(scale, 0.0, -over[0] / 2), (0.0, scale, -over[1] / 2)])


def _rescale_job(job: FaceJob, there: Matrix, size: tuple[int, int]) -> FaceJob:
    face = _moved_face(job.face, there)
    (x, y), (width, height) = face.box.centre, size
    if 0 <= x <= width and 0 <= y <= height:
        return replace(job, face=face)
    return replace(job, face=face, decision="leave", reason=CROPPED)


def _moved_face(face: Face, there: Matrix) -> Face:
    box: Box = bounding(transform_points(face.box.corners, there))
    landmarks = None if face.landmarks is None else transform_points(face.landmarks, there)
    if face.mesh is None:
        return replace(face, box=box, landmarks=landmarks)
    points = np.column_stack(
        [transform_points(face.mesh.points[:, :2], there), face.mesh.points[:, 2] * scale_factor(there)]
    )
    return replace(face, box=box, landmarks=landmarks, mesh=replace(face.mesh, points=points))
