"""Who looks like whom: faces as points in a space where the same person lies close (dlib's net, CC0).

Nothing of it is kept: the points live as long as a picture is planned, and leave neither the process nor the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DegenerateLandmarks
from ..imaging.align import FFHQ_512, compose, fit_similarity
from ..imaging.resample import warp
from ..inference import check_outputs, load
from ..types import Face, Image
from ..weights import asset

CHIP = 150
"""Side of the net's input, pixels."""
CHIP_IN_FFHQ = (79.0, 127.0, 359.5)
"""Left, top and side of dlib's chip (padding 0.25) in a 512 px FFHQ crop, by the eyes of both."""

Embedding = NDArray[np.float64]
"""Of one face in that space, (128,)."""


class Embedder:
    """Places faces so that those of one person lie within about 0.5 of one another, and others further apart."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("identity.onnx"))

    def embed(self, image: Image, face: Face) -> Embedding | None:
        """Return where the face lies; None where it has no landmarks to align it by. image: RGB."""
        if face.landmarks is None:
            return None
        left, top, side = CHIP_IN_FFHQ
        scale = CHIP / side
        cut = np.array([(scale, 0.0, -left * scale), (0.0, scale, -top * scale)])
        try:
            chip = warp(image, compose(cut, fit_similarity(face.landmarks, FFHQ_512)), (CHIP, CHIP))
        except DegenerateLandmarks:
            return None
        [found] = check_outputs(self._net((chip / np.float32(255)).transpose(2, 0, 1)[None]))
        return found.reshape(-1).astype(np.float64)

    def distances(self, image: Image, faces: Sequence[Face], person: Embedding) -> list[float | None]:
        """Return how far each face lies from a person: 0 the same picture, 0.8 as a rule others; None: not known."""
        places = [self.embed(image, face) for face in faces]
        return [None if place is None else float(np.linalg.norm(place - person)) for place in places]
