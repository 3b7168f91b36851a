"""What lies in front of a face: hands, hair, glasses, a microphone."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel
from ..inference import load
from ..types import Crop, Face, Image, Mask
from .aligned import Aligned

SHOWS = 0.5
"""XSeg score, 0..1, above which a pixel counts as face."""


class Occluder(Protocol):
    """Tells a face from what covers it."""

    @property
    def side(self) -> int:
        """Of the aligned face that it takes, pixels."""
        ...

    def find_hidden(self, image: Image) -> NDArray[np.bool_]:
        """Return where an aligned face is covered, or ends."""
        ...


class OccludersMasker:
    """What is in front of the face, and what is beside it: all but the face that shows."""

    def __init__(self, occluder: Occluder) -> None:
        self._occluder = occluder

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 where no face shows; raises a `FaceFixError`."""
        aligned = Aligned.of(crop, face, self._occluder.side)
        return 1 - aligned.back(~self._occluder.find_hidden(aligned.image), crop, face)


class XSeg:
    """DeepFaceLab's XSeg as facefusion has it: (1, 256, 256, 3), BGR, 0..1, to (1, 256, 256, 1), 1 on the face."""

    side = 256

    def __init__(self, path: Path, device: str = "cpu") -> None:  # noqa: ARG002 an .onnx runs on the processor
        self._net, self._path = load(path), path

    def find_hidden(self, image: Image) -> NDArray[np.bool_]:
        """Return where an aligned face, (256, 256, 3), does not show; raises `BadModel`."""
        bgr = np.ascontiguousarray(image[None, ..., ::-1], np.float32) / np.float32(255)
        shows = self._net(bgr)[0]
        if shows.size != self.side**2:
            raise BadModel(f"{self._path} is no XSeg: it answered with {shows.shape}; choose another file")
        return shows.reshape(self.side, self.side) < SHOWS
