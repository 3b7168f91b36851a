"""The built-in restorer: a small net that takes blur, noise and JPEG blocks off a face (see training/README.md)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ..imaging.frames import Upright
from ..inference import load
from ..planning.plan import FaceJob
from ..protocols import Fixed
from ..types import Crop
from ..weights import asset
from .fidelity import strength


class Lite:
    """A `FaceFixer` that adds to a crop what its net says is missing.

    The net is trained to the least error, so its full answer is its best guess, and fidelity scales it: strength
    1 - fidelity^4. Deterministic; one face at a time, which on a CPU is as fast as a batch and keeps memory flat.
    """

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("lite.onnx"))
        self._framing = Upright(512)

    def framing(self, job: FaceJob) -> Upright:  # noqa: ARG002 the same for every job
        """Return the FFHQ frame of 512 px."""
        return self._framing

    def batch_key(self, job: FaceJob) -> Hashable:  # noqa: ARG002 jobs may differ in all but the net
        """Return the same for all: any faces may share a round."""
        return "lite"

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield each (512, 512, 3) crop restored."""
        engine = f"{self._net.engine} fp32"
        for crop, job in zip(crops, jobs, strict=True):
            share, restored = strength(job.treatment.fidelity), crop.image
            if share:
                blob = np.ascontiguousarray(crop.image.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
                [residual] = self._net(blob)
                change = residual[0].transpose(1, 2, 0) * np.float32(255 * share)
                restored = np.asarray(np.clip(np.rint(crop.image + change), 0, 255), np.uint8)
            yield Fixed(restored, engine)
