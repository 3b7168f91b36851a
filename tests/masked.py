"""The mask of a face that is fixed alone."""

from lib_facefix.pipeline.face_masks import face_width, moved, softened


def mask_of(crop, job, parts):
    """Return where the fixed crop shows, (h, w), 0..1."""
    shape = parts.masker(job).mask(crop, job.face)
    return softened(crop, job, {job: moved(shape, job, face_width(crop, job))})
