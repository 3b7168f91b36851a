"""Where a fixed face shows: the masker's shape, moved, grown and softened as its treatment says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import DegenerateLandmarks
from ..imaging import masks
from ..imaging.align import inverse, scale_factor, transform_points
from ..imaging.boxes import bounding, grow
from ..imaging.frames import width_and_height
from ..planning.plan import FaceJob
from ..protocols import FaceFixer, Framing
from ..settings.mask_expression import keeps_to_face, mask_terms, parse_mask
from ..types import Box, Crop, Face, Mask

REACH = 0.12
"""How far an ellipse passes the box of its face, in sizes of the face; a hull ends with the mesh, or the outline."""
ROUNDED, PIXELS = 0.03, 2.0
"""What masks and pixels of the crop are rounded up by: in sizes of the face, and in pixels of the picture."""
AROUND = 0.1
"""How much of its sides is added to a face's box, on each, where its mask is inverted."""


def face_width(crop: Crop, job: FaceJob) -> float:
    """Return the width of the face in its crop, pixels."""
    return job.face.box.size * scale_factor(crop.matrix)


def move_mask(shape: Mask, job: FaceJob, width: float) -> Mask:
    """Return the shape of a face's mask, moved, its edge not yet soft; where it is inverted grown, for that stays.

    shape: what the masker made, (h, w). width: of the face in its crop, pixels.
    """
    treatment = job.treatment
    shape = masks.move(shape, treatment.mask_x * width, treatment.mask_y * width)
    return masks.soften(shape, treatment.mask_grow * width, 0.0) if treatment.mask_invert else shape


def soft_mask(crop: Crop, job: FaceJob, shapes: Mapping[FaceJob, Mask]) -> Mask:
    """Return where the fixed crop shows, (h, w), 0..1: the shape grown and softened, or what is around it.

    shapes: of all faces that the crop is fixed for; what is to stay of any stays in all that are inverted.
    """
    treatment, width = job.treatment, face_width(crop, job)
    if not treatment.mask_invert:
        return masks.soften(shapes[job], treatment.mask_grow * width, treatment.feather * width)
    region = _region(crop, job.face)
    for one, shape in shapes.items():
        if one.treatment.mask_invert:
            region = masks.subtract(region, shape)
    return masks.soften(region, 0.0, treatment.feather * width)


def affected_box(job: FaceJob, fixer: FaceFixer) -> Box:
    """Return what of the picture the fixed face may touch, at most; `fixer` is what will do the job."""
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
    """Return in words where the mask is not quite the one asked for; blank where it is."""
    lacking = {"hull": "the mesh is unsure of this face"} if job.face.mesh is None else {}
    if job.face.outline is None:
        lacking["segmentation"] = "this detector outlines nothing"
    names = dict.fromkeys(part.name for part in mask_terms(parse_mask(job.treatment.mask)))
    return "; ".join(f"an ellipse instead of {name}, as {lacking[name]}" for name in names if name in lacking)


def _frame(face: Face, framing: Framing) -> Box:
    """Return what of the picture a crop shows."""
    try:
        back = inverse(framing.matrix(face))
    except DegenerateLandmarks:  # it cannot be cut, and will be reported for that
        return face.box
    shown = bounding(transform_points(Box(0, 0, *width_and_height(framing.size)).corners, back))
    return Box(shown.left - PIXELS, shown.top - PIXELS, shown.right + PIXELS, shown.bottom + PIXELS)


def _region(crop: Crop, face: Face) -> Mask:
    """Return the part of the crop that an inverted mask fills around what it leaves out."""
    return masks.polygon(transform_points(grow(face.box, AROUND).corners, crop.matrix), crop.image.shape[:2])
