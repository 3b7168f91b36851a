"""The mask of a face that is fixed alone."""

from lib_facefix.masking import shape_of, softened


def mask_of(crop, job, parts):
    """Return where the fixed crop shows, (h, w), 0..1."""
    return softened(crop, job, {job: shape_of(crop, job, parts)})
