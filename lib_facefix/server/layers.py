"""Shows results of each face as layers over the photo, so that a client can blend by itself."""

import base64
import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image as Pil

from ..facefix import FaceFix
from ..planning.identity import IdentityCheck
from ..planning.plan import FaceJob, FixPlan, LoneFace
from ..protocols import Blend, Blender, Progress
from ..registry import RESTORERS
from ..types import Image


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The fixed pixels of one face, to be blended over the photo."""

    number: int
    """Number of the face."""
    box: tuple[int, int, int, int]
    """Left, top, right and bottom in pixels of the photo; all 0 if no pixel changes."""
    pixels: Image
    """The face at full visibility, RGBA (h, w, 4). Unchanged pixels are transparent."""
    shares: tuple[tuple[float, float], ...] | None
    """Fidelities in rising order, and this layer's share of the result at each (see `Blend`). None: only at its own."""
    error: str = ""
    """Reason for a failure."""
    identity: IdentityCheck | None = None
    """What the identity guard found out about the face at full visibility; None if it is off."""

    def to_json(self, icc: bytes) -> dict[str, Any]:
        """Return the layer as JSON data, its pixels as a base64-encoded PNG. icc: colour profile of the photo.

        Its member `held` is the part of the change that the pixels hold: less than 1 if the identity guard reduced it.
        """
        file = io.BytesIO()
        if self.pixels.size:
            Pil.fromarray(self.pixels).save(file, "PNG", compress_level=1, icc_profile=icc or None)
        return {
            "number": self.number,
            "box": list(self.box),
            "shares": self.shares and [list(share) for share in self.shares],
            "held": self.identity.share if self.identity else 1.0,
            "identity": self.identity and self.identity.to_json(),
            "error": self.error or None,
            "image": base64.b64encode(file.getvalue()).decode("ascii"),
        }


def make_layers(engine: FaceFix, image: Image, plan: FixPlan, progress: Progress) -> list[Layer]:
    """Return the layers of each face of the plan that is not skipped: one, or two that fidelity mixes.

    Each face is fixed by itself, at its original size. image: RGB (H, W, 3), the one that the plan is for. Raises
    `BadPlan` for a plan of another size.
    """
    jobs: list[FaceJob] = []
    shares: list[tuple[tuple[float, float], ...] | None] = []
    for job in plan.jobs:
        if job.decision != "leave":
            treatment = job.treatment.but({"visibility": 1.0})
            blends = _list_blends(engine, job) or (Blend(treatment.fidelity, ()),)
            jobs += [replace(job, treatment=treatment.but({"fidelity": blend.fidelity})) for blend in blends]
            shares += [blend.shares or None for blend in blends]
    fixed = engine.fix_apart(image, replace(plan, jobs=tuple(jobs), upscaled=None), progress)
    return [_make_layer(image, *one) for one in zip(fixed, shares, strict=True)]


def _make_layer(image: Image, face: LoneFace, shares: tuple[tuple[float, float], ...] | None) -> Layer:
    number, (height, width) = face.outcome.job.number, face.pixels.shape[:2]
    if not face.pixels.size:
        reason = str(face.outcome.error or face.outcome.note)
        return Layer(number, (0, 0, 0, 0), np.zeros((0, 0, 4), np.uint8), shares, reason, face.outcome.identity)
    right, bottom = face.left + width, face.top + height
    changed = (face.pixels != image[face.top : bottom, face.left : right]).any(2)
    alpha = np.where(changed, np.uint8(255), np.uint8(0))[..., None]
    box = (face.left, face.top, right, bottom)
    pixels = np.ascontiguousarray(np.concatenate([face.pixels, alpha], 2))
    return Layer(number, box, pixels, shares, identity=face.outcome.identity)


def _list_blends(engine: FaceFix, job: FaceJob) -> tuple[Blend, ...]:
    """Return the results that fidelity blends for this face; none if it changes the pixels in another way."""
    if job.decision != "restore":
        return ()
    fixer = engine.models.load(RESTORERS, job.treatment.restorer)
    return fixer.list_blends() if isinstance(fixer, Blender) else ()
