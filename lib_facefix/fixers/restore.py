"""Restoring faces with a published net or the user's own: GFPGAN, CodeFormer, RestoreFormer, ESRGAN and others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Protocol

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


class NetSpec(Protocol):
    """Inputs and outputs of a net."""

    @property
    def low(self) -> float:
        """Value of black, in inputs and outputs."""

    @property
    def high(self) -> float:
        """Value of white, in inputs and outputs."""

    @property
    def size(self) -> int:
        """Side of the input, in pixels."""

    @property
    def side(self) -> int:
        """Side of the output, in pixels."""

    @property
    def fused(self) -> bool:
        """Whether the net takes CodeFormer's fidelity."""


class FaceNet(Protocol):
    """A net that restores faces, on any backend."""

    @property
    def spec(self) -> NetSpec:
        """Inputs and outputs."""

    def each(
        self, pictures: Sequence[Image], blob_of: Callable[[Image], Blob], w: float = 0.0
    ) -> Iterator[tuple[Blob, str]]:
        """Yield (3, side, side) for each image and the backend that made it, in as many passes as memory requires.

        blob_of: converts an image to the net's input, (3, size, size), just before its pass.
        w: CodeFormer's fidelity, 0..1; other nets ignore it. Raises `BadModel` if the net fails.
        """


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
    the face closer to the original. The crop has the size of the net's output, so a net of 1024 px keeps the detail of
    large faces. For nets that enlarge the crop is scaled down first. Results are rounded and deterministic.
    """

    def __init__(self, runner: FaceNet) -> None:
        self._runner = runner
        self._framing = Upright(runner.spec.side)

    def framing(self, job: FaceJob) -> Upright:  # noqa: ARG002 the same for every job
        """Return the FFHQ frame of the net's size."""
        return self._framing

    def batch_key(self, job: FaceJob) -> Hashable:
        """Return the value that the faces of a pass must share: CodeFormer's fidelity, else None."""
        return job.treatment.fidelity if self._runner.spec.fused else None

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield each (side, side, 3) crop restored; raises `BadCrop` for an invalid output."""
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
        """Return the net's input, (3, size, size) in its range, for a (side, side, 3) crop."""
        spec = self._runner.spec
        if spec.size != spec.side:
            image = np.asarray(cv2.resize(image, (spec.size, spec.size), interpolation=cv2.INTER_AREA), np.uint8)
        scaled = image.transpose(2, 0, 1) * np.float32((spec.high - spec.low) / 255) + np.float32(spec.low)
        return np.ascontiguousarray(scaled, np.float32)

    def _picture(self, answer: Blob, engine: str) -> NDArray[np.float32]:
        """Return the output as (side, side, 3), 0..255, not yet rounded."""
        spec = self._runner.spec
        if answer.shape != (3, spec.side, spec.side) or not np.isfinite(answer).all():
            raise BadCrop(f"The net returned no image on {engine}. Try the precision 'exact', or the engine 'torch'.")
        scaled = (answer.transpose(1, 2, 0) - np.float32(spec.low)) * np.float32(255 / (spec.high - spec.low))
        return np.asarray(np.clip(scaled, 0, 255), np.float32)
