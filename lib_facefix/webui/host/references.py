"""The reference images of models that edit images; few hosts have such models.

On such a host, encoding an image for img2img also makes it a reference, which guides the next run and stays set.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from ...errors import BadCrop

INSTEAD = 'choose another checkpoint for faces under Sampling settings, or the method "restore"'
NO_EDIT_MODELS = f"the loaded model edits images by instruction and cannot re-diffuse a face; {INSTEAD}"
NO_ENLARGING_MODELS = f"the loaded model enlarges images and cannot re-diffuse a face; {INSTEAD}"
UNFIT = {"kontext": NO_EDIT_MODELS, "edit": NO_EDIT_MODELS, "pid": NO_ENLARGING_MODELS}
"""Reasons to refuse a model, by the host's mark: those that need the image as a reference, and one that decodes."""


def find_marks() -> Any:
    """Return the object on which the host marks the loaded model and its references; None if it has none."""
    if find_spec("backend") is None or find_spec("backend.args") is None:
        return None
    from backend import args

    marks = getattr(args, "dynamic_args", None)
    return marks if hasattr(marks, "ref_latents") else None


def check_model() -> None:
    """Raise `BadCrop` if the loaded model can only edit or enlarge images."""
    marks = find_marks()
    for name, reason in UNFIT.items():
        if getattr(marks, name, False):
            raise BadCrop(reason)


def drop_crops(model: Any) -> None:
    """Remove the encoded crops from the references, as the host does before its own hires fix.

    So that a model which both draws and edits does plain img2img. References that the user gave are kept.
    """
    marks = find_marks()
    if marks is not None:
        model.ini_latent = None
        marks.ref_latents = list(getattr(model, "ref_latents", ()))


@contextmanager
def references_kept(model: Any) -> Iterator[None]:
    """Restore the references of the image's own run, whose next batch may not set them again."""
    marks = find_marks()
    if marks is None:
        yield
        return
    of_run, of_image = list(marks.ref_latents), getattr(model, "ini_latent", None)
    try:
        yield
    finally:
        marks.ref_latents, model.ini_latent = of_run, of_image
