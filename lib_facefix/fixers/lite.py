"""The built-in restorer: a small net that brings back what blur, noise and JPEG took (see training/README.md)."""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..imaging.frames import Upright
from ..inference import load
from ..planning.plan import FaceJob
from ..protocols import Blend, Fixed
from ..settings.devices import CPU, Device
from ..types import Crop, Image
from ..weights import asset

MIXTURE = (
    Blend(0.8, ((0.0, 0.0), (0.6, 0.4), (0.8, 1.0), (1.0, 0.0))),
    Blend(0.0, ((0.0, 1.0), (0.6, 0.6), (0.8, 0.0), (1.0, 0.0))),
)
"""The faithful and the vivid result, of which all others are mixtures."""
KEPT = 8
"""Faces whose changes are kept, so that a slider need not run the net again: 3 MB each."""

Heads = tuple[NDArray[np.float16], NDArray[np.float16]]
"""What the faithful and the vivid head would add to a crop, each (3, 512, 512), where white is 1."""


def find_shares(fidelity: float) -> tuple[float, float]:
    """Return the shares of the faithful and of the vivid change, 0..1 each, at a fidelity of 0..1."""
    (points, faithful), (_, vivid) = (zip(*blend.shares, strict=True) for blend in MIXTURE)
    return float(np.interp(fidelity, points, faithful)), float(np.interp(fidelity, points, vivid))


def mix_heads(heads: Heads, fidelity: float) -> NDArray[np.float32]:
    """Return what is added to a crop at this fidelity, (512, 512, 3), in levels of 0..255.

    fidelity: 1 adds nothing, 0.8 what the faithful head says (least error), 0 what the vivid head says (most detail).
    """
    faithful, vivid = (np.float32(255 * share) for share in find_shares(fidelity))
    return np.asarray((heads[0] * faithful + heads[1] * vivid).transpose(1, 2, 0))


class Lite:
    """A `FaceFixer` that adds the net's correction to a crop.

    The net has two heads: one is trained for the least error, one to look like a sharp photo. Fidelity says how much
    of each is added (see `mix_heads`). Deterministic. Faces are processed singly, which on a CPU is as fast as a batch
    and saves memory.
    """

    def __init__(self, weights: Path | None = None, device: Device = CPU) -> None:
        self._net = load(weights or asset("lite.onnx"), device)
        self._framing = Upright(512)
        self._kept: OrderedDict[bytes, Heads] = OrderedDict()
        self._lock = Lock()

    def framing(self, job: FaceJob) -> Upright:  # noqa: ARG002 the same for every job
        """Return the FFHQ frame of 512 px."""
        return self._framing

    def batch_key(self, job: FaceJob) -> Hashable:
        """Return a key that differs by fidelity: another fidelity is another mixture, not only a weaker change."""
        return "lite", job.treatment.fidelity

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield each (512, 512, 3) crop restored."""
        engine = f"{self._net.engine} fp32"
        for crop, job in zip(crops, jobs, strict=True):
            restored = crop.image
            if job.treatment.fidelity < 1:
                change = mix_heads(self._find_heads(crop.image), job.treatment.fidelity)
                restored = np.asarray(np.clip(np.rint(crop.image + change), 0, 255), np.uint8)
            yield Fixed(restored, engine)

    def list_blends(self) -> tuple[Blend, ...]:
        """Return the faithful and the vivid result."""
        return MIXTURE

    def _find_heads(self, crop: Image) -> Heads:
        """Return what both heads say about the crop, by the net, or as it said before."""
        key = hashlib.blake2b(crop.tobytes(), digest_size=16).digest()
        with self._lock:
            heads = self._kept.pop(key, None)
        if heads is None:
            blob = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
            faithful, vivid = (found[0].astype(np.float16) for found in self._net(blob))
            heads = faithful, vivid
        with self._lock:
            self._kept[key] = heads
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return heads
