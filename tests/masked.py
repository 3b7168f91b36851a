"""The mask of a face that is fixed alone."""

from lib_facefix.pipeline.face_masks import face_width, move_mask, soft_mask


def mask_of(crop, job, parts):
    """Return where the fixed crop shows, (h, w), 0..1."""
    shape = parts.masker(job).mask(crop, job.face)
    return soft_mask(crop, job, {job: move_mask(shape, job, face_width(crop, job))})
