"""ST-LPIPS: how different two crops look, by AlexNet's features, tolerant to small shifts.

The metric of Ghildyal and Liu, "Shift-tolerant Perceptual Similarity Metric", ECCV 2022. The weights are those of PyPI
`stlpips-pytorch` 0.0.2 (BSD-2-Clause). The network is written here anew, because the package imports torchvision.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from training.pictures import Package, PackagedFile

STLPIPS = Package("pypi", "stlpips-pytorch", "0.0.2")
ALEX = PackagedFile(
    STLPIPS,
    "stlpips_pytorch/weights/vST0.0/alex_shift_tolerant.pth",
    "b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee",
    "BSD-2-Clause (Copyright (c) 2022, Abhijay Ghildyal, Feng Liu)",
)
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Mean and standard deviation of ImageNet's channels, for values of -1 to 1."""
EPSILON = 1e-10


def blur_pool(x: Tensor) -> Tensor:
    """Halve height and width behind a binomial 3 x 3 filter (Zhang, "Making Convolutional Networks
    Shift-Invariant Again", 2019), with two mirrored pixels on each side. x: (N, C, H, W).
    """  # noqa: D205 one sentence
    line = torch.tensor((0.25, 0.5, 0.25), dtype=x.dtype)
    kernel = torch.outer(line, line).expand(x.shape[1], 1, 3, 3)
    return functional.conv2d(functional.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=x.shape[1])


class PerceptualDistance:
    """ST-LPIPS with AlexNet: 0 for equal crops; about 0.1 is hard to see, 0.5 very plain."""

    def __init__(self, weights: Path) -> None:
        state: dict[str, Tensor] = torch.load(weights, map_location="cpu", weights_only=True)
        names = ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13")
        self._layers = [(state[f"net.{name}.weight"], state[f"net.{name}.bias"]) for name in names]
        self._shares = [state[f"lin{layer}.model.1.weight"] for layer in range(len(names))]

    @torch.inference_mode()
    def extract(self, crop: Tensor) -> list[Tensor]:
        """Return the five layers' features, each of length 1 along the channels. crop: (N, 3, H, W) RGB, 0..1."""
        x = (crop * 2 - 1 - torch.tensor(SHIFT).view(1, 3, 1, 1)) / torch.tensor(SCALE).view(1, 3, 1, 1)
        x = x.contiguous(memory_format=torch.channels_last)  # takes two thirds of the time
        features = []
        for layer, ((weight, bias), padding) in enumerate(zip(self._layers, (2, 2, 1, 1, 1), strict=True)):
            if layer in (1, 2):
                x = blur_pool(functional.max_pool2d(x, 3, 1))
            x = functional.conv2d(x, weight, bias, padding=padding)
            x = torch.relu(blur_pool(x) if layer == 0 else x)
            features.append(x / (x.square().sum(1, keepdim=True).sqrt() + EPSILON))
        return features

    @torch.inference_mode()
    def compare(self, one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
        """Return the distance of two crops from their features."""
        parts = [
            functional.conv2d((a - b).square(), share).mean()
            for a, b, share in zip(one, other, self._shares, strict=True)
        ]
        return float(torch.stack(parts).sum())
