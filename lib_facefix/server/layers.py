"""Shows each face at full strength as a layer over the photo, so that a client can blend by itself."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image as Pil

from ..errors import BadPlan
from ..facefix import FaceFix
from ..planning.plan import FaceJob, FixPlan
from ..protocols import Progress
from ..registry import RESTORERS
from ..settings.treatment import FIDELITY_EXPONENT
from ..types import Box, Image

REACH = 2.0
"""Distance from a face that fixing it may change, in sizes of its box; a restorer's crop reaches one size at most."""


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


def make_layers(engine: FaceFix, image: Image, plan: FixPlan, progress: Progress) -> Iterator[Layer]:
    """Yield a layer for each face of the plan that is not skipped, one after another.

    image: RGB (H, W, 3), the one that the plan is for. Each face is fixed by itself, at its original size.
    """
    if (image.shape[1], image.shape[0]) != plan.size:
        height, width = image.shape[:2]
        planned = f"{plan.size[0]}x{plan.size[1]} px"
        raise BadPlan(f"the plan is for an image of {planned}, but this one has {width}x{height} px")
    for job in plan.jobs:
        if progress.should_stop():
            return
        if job.decision != "leave":
            yield _make_layer(engine, image, replace(plan, upscaled=None), job)


def _make_layer(engine: FaceFix, image: Image, plan: FixPlan, job: FaceJob) -> Layer:
    exponent = FIDELITY_EXPONENT if _blends(engine, job) else None
    full = {"visibility": 1.0, **({} if exponent is None else {"fidelity": 0.0})}
    [result] = engine.run([image], [replace(plan, jobs=(replace(job, treatment=job.treatment.but(full)),))])
    [outcome] = result.outcomes
    rows, columns = _reach(job.face.box, image)
    before, after = image[rows, columns], result.image[rows, columns]
    changed = (after != before).any(2)
    if not changed.any():
        blank = np.zeros((0, 0, 4), np.uint8)
        return Layer(job.number, (0, 0, 0, 0), blank, exponent, str(outcome.error or outcome.note))
    (top, bottom), (left, right) = (np.flatnonzero(changed.any(axis))[[0, -1]] + (0, 1) for axis in (1, 0))
    part = slice(top, bottom), slice(left, right)
    alpha = np.where(changed[part], np.uint8(255), np.uint8(0))[..., None]
    x, y = columns.start + int(left), rows.start + int(top)
    box = (x, y, x + int(right - left), y + int(bottom - top))
    return Layer(job.number, box, np.ascontiguousarray(np.concatenate([after[part], alpha], 2)), exponent)


def _blends(engine: FaceFix, job: FaceJob) -> bool:
    """Return whether fidelity is an opacity for this face. A net that reads it batches faces of one fidelity."""
    if job.decision != "restore":
        return False
    fixer = engine.models.load(RESTORERS, job.treatment.restorer)
    keys = {fixer.batch_key(replace(job, treatment=job.treatment.but({"fidelity": each}))) for each in (0.0, 1.0)}
    return len(keys) == 1


def _reach(box: Box, image: Image) -> tuple[slice, slice]:
    """Return the rows and columns that fixing a face may change."""
    margin, (height, width) = REACH * box.size, image.shape[:2]
    top, bottom = (int(np.clip(edge, 0, height)) for edge in (box.top - margin, box.bottom + margin + 1))
    left, right = (int(np.clip(edge, 0, width)) for edge in (box.left - margin, box.right + margin + 1))
    return slice(top, bottom), slice(left, right)
