"""How far a fixed face may be from the face before, and how far it is. Embeddings never leave this file.

The limits are data, `identity_limits.json`. `python -m benchmarks.identity_guard` measured them; docs/identity.md has
the figures and what they mean.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from ..planning.plan import FaceJob
from ..types import Face, Image, Matrix
from .embedding import Embedder, Embedding
from .likeness import TOO_BLURRED, blur_chip, find_obstacle

KNOTS = ("detail", "by_detail", "size", "by_size", "sharp_detail", "fade")
"""Fields of `Limits` that are lists in the file."""
LIMITS = Path(__file__).with_name("identity_limits.json")
"""Limits by model."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest allowed distance for a face, by the detail and the size that it has before it is fixed.

    A blurred face has an uncertain embedding, and fixing it must change it, so that its limit is higher. Swaps in
    small, sharp faces come out closer, as most of what tells people apart is not visible in them: their limit is lower.
    """

    least_detail: float
    """Detail (see `likeness.blur_chip`) below which a face cannot be measured."""
    detail: tuple[float, ...]
    """Ascending values of detail."""
    by_detail: tuple[float, ...]
    """The limit of a blurred face at each of them; between them, on lines."""
    size: tuple[float, ...]
    """Ascending sizes of the face, in pixels."""
    by_size: tuple[float, ...]
    """The limit of a sharp face at each of them; between them, on lines. It is never above that of a blurred one."""
    sharp_detail: tuple[float, ...]
    """The usual detail of a sharp face at each size."""
    fade: tuple[float, ...]
    """Two shares of that detail: up to the first, a face counts as blurred; from the second, as sharp."""

    def find(self, detail: float, size: float) -> float:
        """Return the largest allowed distance of a face with this detail and size in pixels."""
        blurred = np.interp(detail, self.detail, self.by_detail)
        sharp = min(blurred, np.interp(size, self.size, self.by_size))
        share = np.interp(detail / np.interp(size, self.size, self.sharp_detail), self.fade, (0.0, 1.0))
        return float(blurred + share * (sharp - blurred))


@cache
def read_limits() -> Mapping[str, Limits]:
    """Return the limits by the name of the model."""
    return {
        name: Limits(one["least_detail"], *(tuple(one[key]) for key in KNOTS))
        for name, one in json.loads(LIMITS.read_text("utf-8"))["models"].items()
    }


@dataclass(frozen=True, slots=True, eq=False)
class RememberedFace:
    """A face as it was. Its embedding exists only in memory, and is no part of its `repr`."""

    limit: float
    """Largest distance at which a fixed face still counts as this one."""
    _embedding: Embedding = field(repr=False)
    _embedder: Embedder = field(repr=False)

    def measure(self, chip: Image) -> float:
        """Return the distance of a fixed face, 0 for the same image. chip: RGB (side, side, 3), uint8."""
        return float(np.linalg.norm(self._embedder.embed_chip(chip) - self._embedding))


@dataclass(frozen=True, slots=True, eq=False)
class IdentityGuard:
    """An `Judge` that compares embeddings of one model."""

    _embedder: Embedder
    _limits: Limits

    @property
    def side(self) -> int:
        """Side of the chips, in pixels."""
        return self._embedder.side

    def matrix(self, face: Face) -> Matrix | None:
        """Return the affine map from the image to the chip, or None without usable landmarks."""
        return self._embedder.chip_matrix(face)

    def remember(self, chip: Image, job: FaceJob) -> RememberedFace | str:
        """Return the face as it is in its chip, with its limit, or why it cannot be measured."""
        if obstacle := find_obstacle(job):
            return obstacle
        found = self._embedder.embed_chip(chip)
        detail = float(np.linalg.norm(found - self._embedder.embed_chip(blur_chip(chip))))
        if detail < self._limits.least_detail:
            return TOO_BLURRED
        return RememberedFace(self._limits.find(detail, job.face.box.size), found, self._embedder)


def make_guard(embedder: Embedder, model: str) -> IdentityGuard:
    """Return the guard that uses a loaded model. model: its name in `registry.EMBEDDINGS`."""
    return IdentityGuard(embedder, read_limits()[model])
