"""What the restorer is trained for: closeness in decibels inside the face, and the same person."""

from __future__ import annotations

import torch
from torch import Tensor

from training.embedding import FaceEmbedding, chips_from_crops

CLEAN_ENOUGH = 2e-4
"""Mean squared error (37 dB) below which closeness is no longer worth much."""
SAME_ENOUGH = 0.004
"""Squared embedding distance below which sameness is no longer worth much."""
FACE_CENTRE = (256.0, 300.0)
FACE_RADII = (160.0, 195.0)
"""The ellipse that holds most faces in the 512-pixel FFHQ crop."""


def face_weights(size: int = 512) -> Tensor:
    """(1, 1, size, size): 1 inside the face ellipse, falling to 0.15 outside; for 512-pixel FFHQ crops."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    radius = ((x - FACE_CENTRE[0]) / FACE_RADII[0]) ** 2 + ((y - FACE_CENTRE[1]) / FACE_RADII[1]) ** 2
    return (0.15 + 0.85 * torch.sigmoid(8 * (1.1 - radius)))[None, None]


def closeness(restored: Tensor, clean: Tensor, weights: Tensor) -> Tensor:
    """Log of the weighted mean squared error of each picture, (N,): mean PSNR but for a factor."""
    error = ((restored - clean) ** 2).mean(dim=1, keepdim=True)
    mean = (error * weights).sum(dim=(1, 2, 3)) / weights.sum()
    return torch.log(mean + CLEAN_ENOUGH)


def strangeness(restored: Tensor, clean: Tensor, embed: FaceEmbedding, left: int, top: int) -> Tensor:
    """Log of the squared embedding distance between restored and clean faces, (N,)."""
    with torch.no_grad():
        wanted = embed(chips_from_crops(clean, left, top))
    got = embed(chips_from_crops(restored, left, top))
    return torch.log(((got - wanted) ** 2).sum(dim=1) + SAME_ENOUGH)
