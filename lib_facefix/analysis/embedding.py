"""Face embeddings: vectors that are close to each other for the same person, by dlib's network (CC0) or ArcFace.

For privacy, embeddings exist only in memory. FaceFix never writes or sends them.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel, DegenerateLandmarks
from ..imaging.align import FFHQ_512, fit_similarity
from ..imaging.resample import warp
from ..inference import check_outputs, load, load_as_made
from ..settings.devices import CPU, Device
from ..types import Face, Image, Matrix, Points
from ..weights import asset

CHIP = 150
"""Side of the network's input (dlib's face chip), in pixels."""
CHIP_IN_FFHQ = (79.0, 127.0, 359.5)
"""Left, top and side of dlib's chip (padding 0.25) in a 512 px FFHQ crop, in pixels, aligned by the eyes."""

ARCFACE_112: Points = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""Five landmarks of ArcFace's 112 px input, in pixels: insightface's template."""
ARCFACE_NUMBERS = 512
"""Size of ArcFace's output."""

Embedding = NDArray[np.float64]
"""Embedding vector of one face, (128,), or (512,) by ArcFace."""


class Embedder:
    """Computes embeddings. Faces of one person are within about 0.5 of each other; other faces are further apart."""

    side = CHIP
    """Side of a chip, the aligned face that the network sees, in pixels."""
    template = (FFHQ_512 - CHIP_IN_FFHQ[:2]) * (CHIP / CHIP_IN_FFHQ[2])
    """Five landmarks of a chip, in pixels."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("identity.onnx"))

    def embed(self, image: Image, face: Face) -> Embedding | None:
        """Return the embedding of a face, or None if it has no usable landmarks. image: RGB (H, W, 3), uint8."""
        chip = cut_chip(image, face, self)
        return None if chip is None else self.embed_chip(chip)

    def chip_matrix(self, face: Face) -> Matrix | None:
        """Return the affine map from the image to the chip of a face, or None if it has no usable landmarks."""
        with suppress(DegenerateLandmarks):
            return None if face.landmarks is None else fit_similarity(face.landmarks, self.template)
        return None

    def embed_chip(self, chip: Image) -> Embedding:
        """Return the embedding of an aligned face. chip: RGB (`CHIP`, `CHIP`, 3), uint8, of `cut_chip`."""
        [found] = check_outputs(self._net((chip / np.float32(255)).transpose(2, 0, 1)[None]))
        return found.reshape(-1).astype(np.float64)

    def distances(self, image: Image, faces: Sequence[Face], person: Embedding) -> list[float | None]:
        """Return the distance of each face to a person: 0 for the same image, about 0.8 for others, None if unknown."""
        embeddings = [self.embed(image, face) for face in faces]
        return [None if found is None else float(np.linalg.norm(found - person)) for found in embeddings]


class ArcFace(Embedder):
    """Computes embeddings with a network of insightface. They have the length 1, so distances are up to 2."""

    side = 112
    template = ARCFACE_112

    def __init__(self, weights: Path, device: Device = CPU) -> None:
        self._net, self._file = load_as_made(weights, device=device), weights.name

    def embed_chip(self, chip: Image) -> Embedding:
        """Return the embedding of an aligned face. chip: RGB (112, 112, 3), uint8. Raises `BadModel`."""
        blob = (chip - np.float32(127.5)) / np.float32(127.5)
        found = check_outputs(self._net(np.ascontiguousarray(blob.transpose(2, 0, 1)[None])))
        if len(found) != 1 or found[0].size != ARCFACE_NUMBERS or not found[0].any():
            raise BadModel(f"{self._file} is another model: it does not return {ARCFACE_NUMBERS} numbers.")
        vector = found[0].reshape(-1).astype(np.float64)
        return np.asarray(vector / np.linalg.norm(vector))


def cut_chip(image: Image, face: Face, embedder: Embedder) -> Image | None:
    """Return the aligned face, RGB (side, side, 3), uint8, or None if it has no usable landmarks.

    image: RGB (H, W, 3), uint8.
    """
    matrix = embedder.chip_matrix(face)
    return None if matrix is None else warp(image, matrix, (embedder.side, embedder.side))
