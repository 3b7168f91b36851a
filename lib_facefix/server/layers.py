"""Shows each face at full strength as a layer over the photo, so that a client can blend by itself."""

import base64
import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image as Pil

from ..facefix import FaceFix
from ..planning.plan import FaceJob, FixPlan, LoneFace
from ..protocols import Progress
from ..registry import RESTORERS
from ..settings.treatment import FIDELITY_EXPONENT
from ..types import Image


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The fixed pixels of one face, to be blended over the photo."""

    number: int
    """Number of the face."""
    box: tuple[int, int, int, int]
    """Left, top, right and bottom in pixels of the photo; all 0 if no pixel changes."""
    pixels: Image
    """The face at full strength, RGBA (h, w, 4). Unchanged pixels are transparent."""
    exponent: int | None
    """Exponent e of the opacity (1 - fidelity^e) x visibility. None: fidelity changes the pixels, not the opacity."""
    error: str = ""
    """Reason for a failure."""

    def to_json(self, icc: bytes) -> dict[str, Any]:
        """Return the layer as JSON data, its pixels as a base64-encoded PNG. icc: colour profile of the photo."""
        file = io.BytesIO()
        if self.pixels.size:
            Pil.fromarray(self.pixels).save(file, "PNG", compress_level=1, icc_profile=icc or None)
        return {
            "number": self.number,
            "box": list(self.box),
            "exponent": self.exponent,
            "error": self.error or None,
            "image": base64.b64encode(file.getvalue()).decode("ascii"),
        }


def make_layers(engine: FaceFix, image: Image, plan: FixPlan, progress: Progress) -> list[Layer]:
    """Return a layer for each face of the plan that is not skipped. Each is fixed by itself, at its original size.

    image: RGB (H, W, 3), the one that the plan is for. Raises `BadPlan` for a plan of another size.
    """
    exponents, jobs = [], []
    for job in plan.jobs:
        if job.decision != "leave":
            exponents.append(FIDELITY_EXPONENT if _blends(engine, job) else None)
            full = {"visibility": 1.0, **({} if exponents[-1] is None else {"fidelity": 0.0})}
            jobs.append(replace(job, treatment=job.treatment.but(full)))
    fixed = engine.fix_apart(image, replace(plan, jobs=tuple(jobs), upscaled=None), progress)
    return [_make_layer(image, face, exponent) for face, exponent in zip(fixed, exponents, strict=True)]


def _make_layer(image: Image, face: LoneFace, exponent: int | None) -> Layer:
    number, (height, width) = face.outcome.job.number, face.pixels.shape[:2]
    if not face.pixels.size:
        reason = str(face.outcome.error or face.outcome.note)
        return Layer(number, (0, 0, 0, 0), np.zeros((0, 0, 4), np.uint8), exponent, reason)
    right, bottom = face.left + width, face.top + height
    changed = (face.pixels != image[face.top : bottom, face.left : right]).any(2)
    alpha = np.where(changed, np.uint8(255), np.uint8(0))[..., None]
    box = (face.left, face.top, right, bottom)
    return Layer(number, box, np.ascontiguousarray(np.concatenate([face.pixels, alpha], 2)), exponent)


def _blends(engine: FaceFix, job: FaceJob) -> bool:
    """Return whether fidelity is an opacity for this face. A net that reads it batches faces of one fidelity."""
    if job.decision != "restore":
        return False
    fixer = engine.models.load(RESTORERS, job.treatment.restorer)
    keys = {fixer.batch_key(replace(job, treatment=job.treatment.but({"fidelity": each}))) for each in (0.0, 1.0)}
    return len(keys) == 1
