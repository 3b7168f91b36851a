"""What the change by any restorer is held to, before it is pasted: light, detail, and grain of the original."""

import numpy as np

from ..imaging.align import scale_factor
from ..imaging.blocks import measure_blocks
from ..imaging.detail import keep_detail
from ..imaging.fade import strength_at
from ..imaging.grain import keep_grain, measure_grain
from ..imaging.lighting import keep_light
from ..planning.plan import FaceJob
from ..types import Crop, Image, Patch
from .face_masks import face_width

BLOCKS = 2.0
"""Noise that JPEG leaves in the finest octave, in steps at the edges of its blocks; 1.3 in half of a face, 2.5 in 90 %
of it."""


def guard_patch(patch: Patch, crop: Crop, job: FaceJob, region: Image, size: tuple[int, int]) -> Patch:
    """Return a restored crop that keeps light, fine detail, and grain of the original; any other one is returned as is.

    patch: (h, w, 3), made from `crop`, which has a mask; region: the part of the image that it shows, (H, W, 3);
    size: width and height of the image in pixels. Light is kept if the treatment matches colour, and grain as its
    setting says. Noise and JPEG blocks do not count as detail. A re-diffused crop is redrawn on purpose.
    """
    if job.decision != "restore" or crop.mask is None or np.array_equal(patch, crop.image):
        return patch
    treatment, scale = job.treatment, scale_factor(crop.matrix)
    blocks = measure_blocks(region)
    grain = measure_grain(crop.image, crop.mask, crop.matrix, size, blocks)
    noise = max(grain.finest, BLOCKS * blocks)
    if treatment.match_colour:
        patch = keep_light(patch, crop.image, face_width(job, crop.matrix))
    patch = keep_detail(patch, crop.image, scale, noise)
    return keep_grain(patch, crop.image, grain, scale, treatment.grain)


def opacity_of(job: FaceJob) -> float:
    """Return the opacity of the fixed face, 0..1: its visibility, less for a restored face that is small."""
    strength = strength_at(job.face.box.size) if job.decision == "restore" else 1.0
    return job.treatment.visibility * strength
