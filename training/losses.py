"""What the restorer is trained for: closeness, the same person, and the texture of the clean picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.embedding import FaceEmbedding, chips_from_crops

CLEAN_ENOUGH = 2e-4
"""Mean squared error (37 dB) below which closeness is no longer worth much."""
SAME_ENOUGH = 0.004
"""Squared embedding distance below which sameness is no longer worth much."""
FACE_CENTRE = (256.0, 300.0)
FACE_RADII = (160.0, 195.0)
"""The ellipse that holds most faces in the 512-pixel FFHQ crop."""
LUMA = (0.299, 0.587, 0.114)
FINE, NEIGHBOURHOOD = 3, 17
"""Sides of the means whose difference from the picture is its fine detail, and over which its energy is taken."""
QUIET = 1e-3
"""Root of the energy of fine detail, where white is 1, below which it is as good as none."""
GRID, GRID_MEAN = 4, 6
"""Pixels of the network's output that come from one place, and over how many such places a grid is looked for."""
CELL = 16
"""Pixels in a cell of the map of damage."""


def face_weights(size: int = 512) -> Tensor:
    """(1, 1, size, size): 1 inside the face ellipse, falling to 0.15 outside; for 512-pixel FFHQ crops."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    radius = ((x - FACE_CENTRE[0]) / FACE_RADII[0]) ** 2 + ((y - FACE_CENTRE[1]) / FACE_RADII[1]) ** 2
    return (0.15 + 0.85 * torch.sigmoid(8 * (1.1 - radius)))[None, None]


def closeness(restored: Tensor, clean: Tensor, weights: Tensor) -> Tensor:
    """Log of the weighted mean squared error of each picture, (N,): mean PSNR but for a factor."""
    error = ((restored - clean) ** 2).mean(dim=1, keepdim=True)
    mean = (error * weights).sum(dim=(1, 2, 3)) / weights.expand_as(error).sum(dim=(1, 2, 3))
    return torch.log(mean + CLEAN_ENOUGH)


def strangeness(restored: Tensor, clean: Tensor, embed: FaceEmbedding, left: int, top: int) -> Tensor:
    """Log of the squared embedding distance between restored and clean faces, (N,)."""
    with torch.no_grad():
        wanted = embed(chips_from_crops(clean, left, top))
    got = embed(chips_from_crops(restored, left, top))
    return torch.log(((got - wanted) ** 2).sum(dim=1) + SAME_ENOUGH)


def find_detail(pictures: Tensor) -> Tensor:
    """The fine detail of the luma of (N, 3, H, W) pictures, (N, 1, H, W)."""
    luma = (pictures * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return luma - functional.avg_pool2d(luma, FINE, 1, FINE // 2, count_include_pad=False)


def find_energy(detail: Tensor) -> Tensor:
    """Log of the root mean square of detail around each fourth pixel."""
    mean = functional.avg_pool2d(detail**2, NEIGHBOURHOOD, 4, NEIGHBOURHOOD // 2, count_include_pad=False)
    return torch.log(mean + QUIET**2) / 2


def missing_texture(restored: Tensor, clean: Tensor) -> Tensor:
    """How far the energy of fine detail is off, in natural logarithms, mean over each picture, (N,)."""
    return (find_energy(find_detail(restored)) - find_energy(find_detail(clean))).abs().mean((1, 2, 3))


def pattern_of_grid(restored: Tensor, clean: Tensor) -> Tensor:
    """How strong a grid is that repeats every four pixels, as pixel shuffles leave it: mean absolute difference, (N,).

    Fine detail is averaged over the same place of neighbouring 4x4 cells, where that of a photo comes to nothing.
    """
    difference = restored - clean
    fine = difference - functional.avg_pool2d(difference, FINE, 1, FINE // 2, count_include_pad=False)
    places = functional.pixel_unshuffle(fine, GRID)
    return functional.avg_pool2d(places, GRID_MEAN, GRID_MEAN // 2).abs().mean((1, 2, 3))


def shift_of_tone(restored: Tensor, clean: Tensor) -> Tensor:
    """Mean absolute difference of 8x8 means, (N,)."""
    return functional.avg_pool2d(restored - clean, 8).abs().mean((1, 2, 3))


def measure_damage(degraded: Tensor, clean: Tensor) -> Tensor:
    """What was done to (N, 3, H, W) pictures, (N, 2, H / 16, W / 16): logs of the detail lost, and of the error."""
    with torch.no_grad():
        lost = find_detail(clean) - find_detail(degraded)
        error = (degraded - clean).mean(1, keepdim=True)
        both = torch.cat((lost, error), 1) ** 2
        return torch.log(functional.avg_pool2d(both, CELL) + QUIET**2) / 2
