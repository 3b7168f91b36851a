"""Face embeddings: vectors that are close to each other for the same person (dlib's network, CC0).

For privacy, embeddings exist only in memory. FaceFix never writes or sends them.
"""

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
"""Side of the network's input (dlib's face chip), in pixels."""
CHIP_IN_FFHQ = (79.0, 127.0, 359.5)
"""Left, top and side of dlib's chip (padding 0.25) in a 512 px FFHQ crop, in pixels, aligned by the eyes."""

Embedding = NDArray[np.float64]
"""Embedding vector of one face, (128,)."""


class Embedder:
    """Computes embeddings. Faces of one person are within about 0.5 of each other; other faces are further apart."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("identity.onnx"))

    def embed(self, image: Image, face: Face) -> Embedding | None:
        """Return the embedding of a face, or None if it has no usable landmarks. image: RGB (H, W, 3), uint8."""
        chip = cut_chip(image, face)
        return None if chip is None else self.embed_chip(chip)

    def embed_chip(self, chip: Image) -> Embedding:
        """Return the embedding of an aligned face. chip: RGB (`CHIP`, `CHIP`, 3), uint8, of `cut_chip`."""
        [found] = check_outputs(self._net((chip / np.float32(255)).transpose(2, 0, 1)[None]))
        return found.reshape(-1).astype(np.float64)

    def distances(self, image: Image, faces: Sequence[Face], person: Embedding) -> list[float | None]:
        """Return the distance of each face to a person: 0 for the same image, about 0.8 for others, None if unknown."""
        embeddings = [self.embed(image, face) for face in faces]
        return [None if found is None else float(np.linalg.norm(found - person)) for found in embeddings]


def cut_chip(image: Image, face: Face) -> Image | None:
    """Return the aligned face, RGB (`CHIP`, `CHIP`, 3), uint8, or None if it has no usable landmarks.

    image: RGB (H, W, 3), uint8.
    """
    if face.landmarks is None:
        return None
    left, top, side = CHIP_IN_FFHQ
    scale = CHIP / side
    cut = np.array([(scale, 0.0, -left * scale), (0.0, scale, -top * scale)])
    try:
        return warp(image, compose(cut, fit_similarity(face.landmarks, FFHQ_512)), (CHIP, CHIP))
    except DegenerateLandmarks:
        return None
