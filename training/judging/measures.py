"""How far a restored crop is from the truth, in four ways; all crops are FFHQ-aligned, (512, 512, 3), RGB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lib_facefix.analysis.embedding import Embedder, Embedding
from lib_facefix.imaging.align import FFHQ_512
from lib_facefix.types import Box, Face, Image
from training.judging.perception import PerceptualDistance

CENTRE, RADII = (256, 300), (150, 185)
"""The ellipse that holds the face, x and y, in pixels."""
WINDOW = (slice(110, 478), slice(72, 440))
"""Rows and columns that the perceptual distance looks at: the face and some hair."""
FINE, MIDDLE = (0.7, 1.4), (1.4, 2.8)
"""Octaves of detail: differences of two Gaussian blurs, sigmas in pixels."""
EQUAL = 99.0
"""PSNR of equal crops, in decibels."""
MIX = ((0.0, 0.0, 1.0), (0.6, 0.5, 0.5), (0.9, 1.0, 0.0), (1.0, 0.0, 0.0))
"""Fidelity, and the shares of the faithful and of the vivid residual; linear in between."""

Residual = NDArray[np.float32]
"""A correction to add to a crop, (512, 512, 3), in units of 255."""


def _ellipse() -> NDArray[np.bool_]:
    y, x = np.mgrid[:512, :512]
    return np.asarray(((x - CENTRE[0]) / RADII[0]) ** 2 + ((y - CENTRE[1]) / RADII[1]) ** 2 <= 1)


ELLIPSE = _ellipse()


def mix_shares(fidelity: float) -> tuple[float, float]:
    """Return the shares of the faithful and of the vivid residual at a fidelity of 0..1."""
    at, faithful, vivid = zip(*MIX, strict=True)
    return float(np.interp(fidelity, at, faithful)), float(np.interp(fidelity, at, vivid))


def mix(faithful: Residual, vivid: Residual, fidelity: float) -> Residual:
    """Return the correction at a fidelity: 1 changes nothing, 0 is the vivid residual."""
    first, second = mix_shares(fidelity)
    return np.asarray(first * faithful + second * vivid, np.float32)


def add_residual(crop: Image, residual: Residual) -> Image:
    """Return the corrected crop, rounded and clipped. residual: in units of 255, scaled by 1."""
    return np.asarray(np.clip(np.rint(crop + residual * np.float32(255)), 0, 255), np.uint8)


def measure_psnr(crop: Image, truth: Image) -> float:
    """Peak signal to noise ratio inside the ellipse, in decibels; 99 if the crops are equal there."""
    error = float(((crop.astype(np.float64) - truth)[ELLIPSE] ** 2).mean())
    return EQUAL if error == 0 else min(EQUAL, 10 * float(np.log10(255**2 / error)))


def measure_octave(crop: Image, octave: tuple[float, float]) -> float:
    """Root mean square of one octave of the luma inside the ellipse, in grey levels."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in octave)
    return float(np.sqrt(np.mean((fine - coarse)[ELLIPSE] ** 2)))


@dataclass(frozen=True)
class Figures:
    """How one crop compares with the truth."""

    psnr: float
    """Decibels inside the face."""
    perceptual: float
    """ST-LPIPS of the face and some hair; 0 for equal crops."""
    identity: float
    """Distance of the library's face embeddings; below about 0.5 for one person."""
    fine: float
    """Energy of the finest octave of detail, as a share of the truth's."""
    middle: float
    """Energy of the next octave, as a share of the truth's."""


class Truth:
    """A clean crop with everything measured of it that comparisons need."""

    def __init__(self, crop: Image, perception: PerceptualDistance, embedder: Embedder) -> None:
        self._crop, self._perception, self._embedder = crop, perception, embedder
        self._features = perception.extract(_to_tensor(crop))
        self._embedding = embed_crop(crop, embedder)
        self._octaves = [max(measure_octave(crop, octave), 1e-6) for octave in (FINE, MIDDLE)]

    def compare(self, crop: Image) -> Figures:
        """Return how a restored crop compares with this one."""
        fine, middle = (measure_octave(crop, o) / own for o, own in zip((FINE, MIDDLE), self._octaves, strict=True))
        return Figures(
            psnr=measure_psnr(crop, self._crop),
            perceptual=self._perception.compare(self._perception.extract(_to_tensor(crop)), self._features),
            identity=float(np.linalg.norm(embed_crop(crop, self._embedder) - self._embedding)),
            fine=fine,
            middle=middle,
        )


def embed_crop(crop: Image, embedder: Embedder) -> Embedding:
    """Return the library's embedding of the face in an aligned crop, (128,)."""
    embedding = embedder.embed(crop, Face(Box(0, 0, 512, 512), 1.0, FFHQ_512))
    assert embedding is not None  # the template's landmarks can be aligned
    return embedding


def _to_tensor(crop: Image) -> torch.Tensor:
    window = np.ascontiguousarray(crop[WINDOW].transpose(2, 0, 1)[None], np.float32)
    return torch.from_numpy(window / np.float32(255))


def average(figures: Sequence[Figures]) -> Figures:
    """Return the means of all figures."""
    names = ("psnr", "perceptual", "identity", "fine", "middle")
    return Figures(**{name: float(np.mean([getattr(one, name) for one in figures])) for name in names})
