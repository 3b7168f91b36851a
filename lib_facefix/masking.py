"""Where a fixed face shows: the masker's shape, moved, grown and softened as its treatment says."""

from __future__ import annotations

import numpy as np

from .errors import DegenerateLandmarks
from .faces import Crop, Image, Mask
from .imaging import masks
from .imaging.align import scale_of
from .imaging.blending import paste
from .imaging.framing import cut
from .jobs import FaceJob, FixPlan
from .protocols import Parts


def face_width(crop: Crop, job: FaceJob) -> float:
    """Return the width of the face in its crop, pixels."""
    return job.face.box.size * scale_of(crop.matrix)


def mask_of(crop: Crop, job: FaceJob, parts: Parts) -> Mask:
    """Return where the fixed crop shows, (h, w), 0..1."""
    treatment, width = job.treatment, face_width(crop, job)
    shape = parts.masker(job).mask(crop, job.face)
    moved = masks.move(shape, treatment.mask_x * width, treatment.mask_y * width)
    return masks.soften(moved, treatment.mask_grow * width, treatment.feather * width)


def masks_of(image: Image, plan: FixPlan, parts: Parts) -> Mask:
    """Return where carrying out the plan may change the picture, (H, W), 0..1; faces that cannot be framed are not in.

    image: RGB (H, W, 3), the one the plan is for.
    """
    shown = np.zeros_like(image)
    for job in plan.jobs:
        if job.decision == "leave":
            continue
        framing = parts.fixer(job).framing(job)
        try:
            crop = cut(image, framing.matrix(job.face), framing.size)
        except DegenerateLandmarks:
            continue
        paste(shown, np.full_like(crop.image, 255), mask_of(crop, job, parts), crop.matrix)
    return np.asarray(shown[..., 0] / np.float32(255), np.float32)
