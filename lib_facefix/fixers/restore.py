"""Restoring faces with a published net or the user's own: GFPGAN, CodeFormer, RestoreFormer, ESRGAN and others."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BadCrop
from ..imaging.frames import Upright
from ..inference import Blob
from ..planning.plan import FaceJob
from ..protocols import Blend, Fixed
from ..settings.treatment import FIDELITY_EXPONENT
from ..types import Crop, Image

if TYPE_CHECKING:
    from ..engines import Runner

SIDE = 512
"""Side of the crops, in pixels; the face restorers were trained on this size."""


def strength(fidelity: float) -> float:
    """Return 1 - fidelity^4: 1 at fidelity 0, 0.87 at the default 0.6, 0 at 1; it falls at every step between."""
    return 1 - fidelity**FIDELITY_EXPONENT


STRENGTHS = tuple((step / 50, strength(step / 50)) for step in range(51))
"""The strengths at close steps of fidelity."""


def blend(crop: Image, restored: NDArray[np.float32], share: float) -> Image:
    """Return crop + share (restored - crop), rounded.

    crop: (H, W, 3), 0..255; restored: the same as floats; share: 0..1.
    """
    mixed = restored if share == 1 else crop + np.float32(share) * (restored - crop)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


class Restorer:
    """A `FaceFixer` that uses a net.

    CodeFormer has its own fidelity, w, which adds features of the crop to the result. The result of other nets is
    blended over the crop with the strength 1 - fidelity^4 (see `strength`), so that every step of the slider brings
    the face closer to the original. For nets that enlarge 2 or 4 times the crop is scaled down first. Results are
    rounded and deterministic.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._framing = Upright(SIDE)

    def framing(self, job: FaceJob) -> Upright:  # noqa: ARG002 the same for every job
        """Return the FFHQ frame of 512 px."""
        return self._framing

    def batch_key(self, job: FaceJob) -> Hashable:
        """Return the value that the faces of a pass must share: CodeFormer's fidelity, else None."""
        return job.treatment.fidelity if self._runner.spec.fused else None

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield each (512, 512, 3) crop restored; raises `BadCrop` for an invalid output."""
        fused = self._runner.spec.fused
        strengths = [1.0 if fused else strength(job.treatment.fidelity) for job in jobs]
        asked = [crop.image for crop, share in zip(crops, strengths, strict=True) if share]
        answers = self._runner.each(asked, self._blob, jobs[0].treatment.fidelity if fused else 0.0)
        for crop, share in zip(crops, strengths, strict=True):
            if share:
                answer, engine = next(answers)
                yield Fixed(blend(crop.image, self._picture(answer, engine), share), engine)
            else:
                yield Fixed(crop.image, "")

    def list_blends(self) -> tuple[Blend, ...]:
        """Return the result at fidelity 0, or none for a net that reads the fidelity."""
        return () if self._runner.spec.fused else (Blend(0.0, STRENGTHS),)

    def _blob(self, image: Image) -> Blob:
        """Return the net's input, (3, S, S) in its range, for a (512, 512, 3) crop."""
        spec = self._runner.spec
        if spec.size != SIDE:
            image = np.asarray(cv2.resize(image, (spec.size, spec.size), interpolation=cv2.INTER_AREA), np.uint8)
        scaled = image.transpose(2, 0, 1) * np.float32((spec.high - spec.low) / 255) + np.float32(spec.low)
        return np.ascontiguousarray(scaled, np.float32)

    def _picture(self, answer: Blob, engine: str) -> NDArray[np.float32]:
        """Return the output as (512, 512, 3), 0..255, not yet rounded."""
        spec = self._runner.spec
        if answer.shape != (3, SIDE, SIDE) or not np.isfinite(answer).all():
            raise BadCrop(f"The net returned no image on {engine}. Try the precision 'exact', or the engine 'torch'.")
        scaled = (answer.transpose(1, 2, 0) - np.float32(spec.low)) * np.float32(255 / (spec.high - spec.low))
        return np.asarray(np.clip(scaled, 0, 255), np.float32)
