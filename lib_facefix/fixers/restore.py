"""Restoring by a published net or one of the user's own: GFPGAN, CodeFormer, RestoreFormer, ESRGAN and their like."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BadCrop
from ..imaging.frames import Upright
from ..planning.plan import FaceJob
from ..protocols import Fixed
from ..types import Crop, Image
from .fidelity import blend, strength

SIDE = 512
"""Side of the crops, in pixels; the face restorers were trained on this size."""

Blob = NDArray[np.float32]


class Spec(Protocol):
    """What a net takes and gives."""

    @property
    def low(self) -> float:
        """The value of black."""
        ...

    @property
    def high(self) -> float:
        """The value of white."""
        ...

    @property
    def size(self) -> int:
        """Side of the input that it answers with 512 px, pixels."""
        ...

    @property
    def fused(self) -> bool:
        """Whether it has CodeFormer's own fidelity, w."""
        ...


class Runner(Protocol):
    """A loaded net."""

    @property
    def spec(self) -> Spec:
        """What it takes and gives."""
        ...

    def each(self, crops: Sequence[Image], blob_of: Callable[[Image], Blob], w: float) -> Iterator[tuple[Blob, str]]:
        """Yield the (3, 512, 512) answer for each crop and what ran it, in as few passes as memory allows."""
        ...


class Restorer:
    """A `FaceFixer` on a net.

    Fidelity is the net's own where it has one: CodeFormer's w, which lets the features of the crop into its picture.
    The others know but one picture; it is laid over the crop with strength 1 - fidelity^4 (see `fidelity`), so that
    every step of the slider brings the face closer to the original, all the way to it. Nets that enlarge 2 or 4 times
    are given the crop made 2 or 4 times smaller. Answers are rounded, and the same face always gets the same bytes.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._framing = Upright(SIDE)

    def framing(self, job: FaceJob) -> Upright:  # noqa: ARG002 the same for every job
        """Return the FFHQ frame of 512 px."""
        return self._framing

    def batch_key(self, job: FaceJob) -> Hashable:
        """Return what a pass must share: with CodeFormer the fidelity."""
        return job.treatment.fidelity if self._runner.spec.fused else None

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield each (512, 512, 3) crop restored; raises `BadCrop` for an answer that is no picture."""
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

    def _blob(self, image: Image) -> Blob:
        """Return (3, S, S) in the net's range for a (512, 512, 3) crop."""
        spec = self._runner.spec
        if spec.size != SIDE:
            image = np.asarray(cv2.resize(image, (spec.size, spec.size), interpolation=cv2.INTER_AREA), np.uint8)
        scaled = image.transpose(2, 0, 1) * np.float32((spec.high - spec.low) / 255) + np.float32(spec.low)
        return np.ascontiguousarray(scaled, np.float32)

    def _picture(self, answer: Blob, engine: str) -> NDArray[np.float32]:
        """Return (512, 512, 3), 0..255, not yet rounded."""
        spec = self._runner.spec
        if answer.shape != (3, SIDE, SIDE) or not np.isfinite(answer).all():
            raise BadCrop(f"the net gave no picture on {engine}; try the precision 'exact', or the engine 'torch'")
        scaled = (answer.transpose(1, 2, 0) - np.float32(spec.low)) * np.float32(255 / (spec.high - spec.low))
        return np.asarray(np.clip(scaled, 0, 255), np.float32)
