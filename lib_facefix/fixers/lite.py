"""The built-in restorer: a small net that removes blur, noise and JPEG blocks from a face (see training/README.md)."""

from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ..imaging.frames import Upright
from ..inference import load
from ..planning.plan import FaceJob
from ..protocols import Fixed
from ..types import Crop
from ..weights import asset
from .restore import strength


class Lite:
    """A `FaceFixer` that adds the net's correction to a crop.

    The net is trained for the least error, so its full output is its best guess; fidelity scales it with the strength
    1 - fidelity^4. Deterministic. Faces are processed singly, which on a CPU is as fast as a batch and saves memory.
    """

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("lite.onnx"))
        self._framing = Upright(512)

    def framing(self, job: FaceJob) -> Upright:  # noqa: ARG002 the same for every job
        """Return the FFHQ frame of 512 px."""
        return self._framing

    def batch_key(self, job: FaceJob) -> Hashable:  # noqa: ARG002 the same for every job
        """Return the same key for all, since any faces may share a batch."""
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
