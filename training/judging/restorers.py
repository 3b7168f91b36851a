"""What is judged: an ONNX file at the ends of its fidelity, and what needs no network."""

from __future__ import annotations

import hashlib
import resource
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from lib_facefix.types import Image
from training.judging.measures import Residual, add_residual, mix

DEFAULT_FIDELITY = 0.6
"""The library's default."""
OLD_SHARE = 1 - DEFAULT_FIDELITY**4
"""How much of its only residual a net of the first kind adds at the default fidelity."""
FAITHFUL, DEFAULT, VIVID = "faithful", "default", "vivid"
OUTPUTS = (FAITHFUL, VIVID, "residual")


class Restorer(Protocol):
    """Something that restores aligned crops in one or more ways."""

    name: str
    """For tables."""
    key: str
    """Identifies what was measured, so that figures can be kept."""
    ends: tuple[str, ...]
    """The ways, best error first."""

    def restore(self, crop: Image) -> dict[str, Image]:
        """Return the crop, (512, 512, 3), restored in each way."""


class Untouched:
    """The degraded crop itself."""

    name, key = "input", "input-1"
    ends: tuple[str, ...] = ("input",)

    def restore(self, crop: Image) -> dict[str, Image]:
        """Return the crop as it is."""
        return {"input": crop}


class UnsharpMask:
    """A plain unsharp mask: radius 2.5, amount 100 %."""

    name, key = "unsharp mask", "usm-1"
    ends: tuple[str, ...] = ("unsharp mask",)

    def restore(self, crop: Image) -> dict[str, Image]:
        """Return the sharpened crop."""
        soft = cv2.GaussianBlur(crop, (0, 0), 2.5)
        return {"unsharp mask": np.asarray(cv2.addWeighted(crop, 2.0, soft, -1.0, 0), np.uint8)}


class OnnxRestorer:
    """A net with the outputs `faithful` and `vivid`, or with a single `residual`, on the library's backend, OpenCV."""

    def __init__(self, path: Path) -> None:
        classic = getattr(cv2.dnn, "ENGINE_CLASSIC", None)  # OpenCV 5 has another engine, which is slower
        self._net = cv2.dnn.readNetFromONNX(str(path), *(() if classic is None else (classic,)))
        found = self._net.getUnconnectedOutLayersNames()
        self._outputs = [name for name in OUTPUTS if name in found]
        if len(self._outputs) != len(found):
            raise ValueError(f"{path} has the outputs {', '.join(found)}, not {' or '.join(OUTPUTS)}")
        self.name = path.stem
        self.key = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        self.seconds: list[float] = []
        """CPU seconds of each run of the network."""
        self.ends: tuple[str, ...] = (FAITHFUL, DEFAULT, VIVID) if len(self._outputs) == 2 else (FAITHFUL, DEFAULT)

    def residuals(self, crop: Image) -> dict[str, Residual]:
        """Return the outputs by name, each (512, 512, 3)."""
        blob = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        before = resource.getrusage(resource.RUSAGE_SELF)
        self._net.setInput(blob)
        outputs = self._net.forward(self._outputs)
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        planes = (output[0].transpose(1, 2, 0) for output in outputs)
        return dict(zip(self._outputs, planes, strict=True))

    def restore(self, crop: Image) -> dict[str, Image]:
        """Return the faithful end, the default fidelity, and, if the net has one, the vivid end."""
        found = self.residuals(crop)
        if len(found) == 1:
            [only] = found.values()
            return {FAITHFUL: add_residual(crop, only), DEFAULT: add_residual(crop, only * np.float32(OLD_SHARE))}
        faithful, vivid = found["faithful"], found["vivid"]
        return {
            FAITHFUL: add_residual(crop, faithful),
            DEFAULT: add_residual(crop, mix(faithful, vivid, DEFAULT_FIDELITY)),
            VIVID: add_residual(crop, mix(faithful, vivid, 0.0)),
        }
