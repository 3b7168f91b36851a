"""The mask of a face that is fixed alone."""

from lib_facefix.pipeline.face_masks import make_masks


def mask_of(crop, job, parts):
    """Return where the fixed crop shows, (h, w), 0..1."""
    made, failed = make_masks(crop, {job: parts.masker(job)})
    for _, error in failed:
        raise error
    return made[job]
