"""Where a fixed face shows: the masker's shape, moved, grown and softened as its treatment says."""

from collections.abc import Mapping
from functools import reduce

import cv2
import numpy as np

from ..errors import DegenerateLandmarks, FaceFixError
from ..imaging import masks
from ..imaging.align import inverse, scale_factor, transform_points
from ..imaging.boxes import bounding, grow
from ..imaging.frames import width_and_height
from ..planning.plan import FaceJob
from ..protocols import FaceFixer, Framing, Masker
from ..settings.mask_expression import keeps_to_face, mask_terms, parse_mask
from ..types import Box, Crop, Face, Mask, Matrix
from .threads import one_thread

FAILURES = (FaceFixError, MemoryError, cv2.error)
"""Errors that fail one face and let the others go on."""
REACH = 0.12
"""Distance that an ellipse passes the box of its face, in sizes of the face; a hull ends with mesh or outline."""
ROUNDED, PIXELS = 0.03, 2.0
"""Margins for the rounding of masks, in sizes of the face, and of the crop's pixels, in pixels of the picture."""
AROUND = 0.1
"""Share of its sides that a face's box grows by on each side, where its mask is inverted."""


def make_masks(
    crop: Crop, maskers: Mapping[FaceJob, Masker]
) -> tuple[dict[FaceJob, Mask], list[tuple[FaceJob, Exception]]]:
    """Return for each face where the fixed crop shows, (h, w), 0..1; and the faces without a mask, with the reason.

    maskers: what makes the mask of each face that the crop is fixed for. A mask that is not inverted is the masker's
    shape, moved, grown and softened. One that is inverted is the region around the face without the shapes of all
    faces whose masks are inverted: what stays of one face stays in all of these masks.
    """
    widths = {job: face_width(job, crop.matrix) for job in maskers}
    shapes, made = {}, {}
    failed: list[tuple[FaceJob, Exception]] = []
    for job, masker in maskers.items():
        treatment, width = job.treatment, widths[job]
        try:
            with one_thread():
                shape = masker.mask(crop, job.face)
                if treatment.mask_x or treatment.mask_y:
                    shape = masks.move(shape, treatment.mask_x * width, treatment.mask_y * width)
                if treatment.mask_invert:  # grown now, as what stays grows, not the region around it
                    shape = masks.soften(shape, treatment.mask_grow * width, 0.0)
                shapes[job] = shape
        except FAILURES as error:
            failed.append((job, error))
    for job, shape in shapes.items():
        treatment, width = job.treatment, widths[job]
        try:
            with one_thread():
                grow = treatment.mask_grow * width
                if treatment.mask_invert:
                    staying = (shapes[one] for one in shapes if one.treatment.mask_invert)
                    shape, grow = reduce(masks.subtract, staying, _region(crop, job.face)), 0.0
                made[job] = masks.soften(shape, grow, treatment.feather * width)
        except FAILURES as error:
            failed.append((job, error))
    return made, failed


def face_width(job: FaceJob, matrix: Matrix) -> float:
    """Return the width of the face in the crop that `matrix` maps the picture to, pixels."""
    return job.face.box.size * scale_factor(matrix)


def affected_box(job: FaceJob, fixer: FaceFixer) -> Box:
    """Return the box in pixels of the picture outside of which the job, done by `fixer`, changes nothing."""
    treatment, face = job.treatment, job.face
    if not keeps_to_face(parse_mask(treatment.mask)):
        return _frame(face, fixer.framing(job))
    (x, y), half = face.box.centre, (0.5 + REACH) * face.box.size
    corners = np.array([(x - half, y - half), (x + half, y + half)])
    drawn = [face.mesh.points[:, :2]] if face.mesh is not None else []
    drawn += [face.outline] if face.outline is not None else []
    around = bounding(np.concatenate([corners, *drawn]))
    offset = max(abs(treatment.mask_x), abs(treatment.mask_y))
    more = (max(0.0, treatment.mask_grow) + treatment.feather + offset + ROUNDED) * face.box.size + PIXELS
    return Box(around.left - more, around.top - more, around.right + more, around.bottom + more)


def describe_mask(job: FaceJob) -> str:
    """Return a sentence about masks that had to be replaced by an ellipse; blank where none was."""
    lacking = {"hull": "the mesh is unsure of this face"} if job.face.mesh is None else {}
    if job.face.outline is None:
        lacking["segmentation"] = "this detector gives no outlines"
    names = dict.fromkeys(part.name for part in mask_terms(parse_mask(job.treatment.mask)))
    return "; ".join(f"an ellipse instead of {name}, as {lacking[name]}" for name in names if name in lacking)


def _frame(face: Face, framing: Framing) -> Box:
    """Return the box in pixels of the picture around what a crop shows."""
    try:
        back = inverse(framing.matrix(face))
    except DegenerateLandmarks:  # it cannot be cut, and will be reported for that
        return face.box
    shown = bounding(transform_points(Box(0, 0, *width_and_height(framing.size)).corners, back))
    return Box(shown.left - PIXELS, shown.top - PIXELS, shown.right + PIXELS, shown.bottom + PIXELS)


def _region(crop: Crop, face: Face) -> Mask:
    """Return the part of the crop that an inverted mask fills around what it leaves out."""
    return masks.polygon(transform_points(grow(face.box, AROUND).corners, crop.matrix), crop.image.shape[:2])
