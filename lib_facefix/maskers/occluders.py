"""Masks of objects that cover a face: hands, hair, glasses, a microphone."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel
from ..inference import load
from ..settings.devices import CPU, Device
from ..types import Crop, Face, Image, Mask
from .aligned import Aligned

FACE_SCORE = 0.5
"""XSeg score, 0..1, above which a pixel counts as face."""


class Occluder(Protocol):
    """A model that finds the covered parts of a face."""

    @property
    def side(self) -> int:
        """Side of the aligned face, in pixels."""

    def find_hidden(self, image: Image) -> NDArray[np.bool_]:
        """Return True for pixels of an aligned face that show something else."""


class OccludersMasker:
    """Mask of everything except the visible face: objects in front of the face, and its surroundings."""

    def __init__(self, occluder: Occluder) -> None:
        self._occluder = occluder

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 outside the visible face; raises a `FaceFixError`."""
        aligned = Aligned.of(crop, face, self._occluder.side)
        return 1 - aligned.back(~self._occluder.find_hidden(aligned.image), crop, face)


class XSeg:
    """DeepFaceLab's XSeg as exported by facefusion: BGR (1, 256, 256, 3), 0..1, to (1, 256, 256, 1), 1 on the face."""

    side = 256

    def __init__(self, path: Path, device: Device = CPU) -> None:
        self._net, self._path = load(path, device), path

    def find_hidden(self, image: Image) -> NDArray[np.bool_]:
        """Return True for pixels of an aligned face, (256, 256, 3), that show something else; raises `BadModel`."""
        bgr = np.ascontiguousarray(image[None, ..., ::-1], np.float32) / np.float32(255)
        scores = self._net(bgr)[0]
        if scores.size != self.side**2:
            raise BadModel(f"{self._path} is not an XSeg model: its output is {scores.shape}. Choose another file.")
        return scores.reshape(self.side, self.side) < FACE_SCORE
