"""How different two pictures look: shift-tolerant LPIPS on AlexNet's and VGG's features, differentiable.

Sources: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (CVPR 2018), and
Ghildyal and Liu, "Shift-tolerant Perceptual Similarity Metric" (ECCV 2022): reductions blur by [1, 2, 1] first. The
weights are those of PyPI `stlpips-pytorch` 0.0.2 (BSD-2-Clause); its code is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
"""Mean and deviation of ImageNet's colours where black is -1 and white is 1."""


class BlurPool(nn.Module):
    """Halve height and width after a [1, 2, 1] blur; two reflected pixels around it, as the weights were trained."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        row = torch.tensor((0.25, 0.5, 0.25))
        self.register_buffer("kernel", (row[:, None] * row)[None, None].repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, about H / 2, about W / 2)."""
        kernel = self.get_buffer("kernel").to(x.dtype)
        return functional.conv2d(functional.pad(x, (2, 2, 2, 2), "reflect"), kernel, stride=2, groups=x.shape[1])


def convolve(channels: int, more: int, size: int = 3, padding: int = 1) -> nn.Conv2d:
    """A convolution of stride 1."""
    return nn.Conv2d(channels, more, size, padding=padding)


def alex_slices() -> list[list[nn.Module]]:
    """AlexNet up to its five rectified convolutions, in the order of the packaged weights."""
    pool = nn.MaxPool2d(3, 1)
    return [
        [convolve(3, 64, 11, 2), BlurPool(64), nn.ReLU()],
        [pool, BlurPool(64), convolve(64, 192, 5, 2), nn.ReLU()],
        [pool, BlurPool(192), convolve(192, 384), nn.ReLU()],
        [convolve(384, 256), nn.ReLU()],
        [convolve(256, 256), nn.ReLU()],
    ]


def vgg_slices() -> list[list[nn.Module]]:
    """VGG16 up to the last rectified convolution of its first three stages."""
    pool = nn.MaxPool2d(2, 1)
    return [
        [convolve(3, 64), nn.ReLU(), convolve(64, 64), nn.ReLU()],
        [pool, BlurPool(64), convolve(64, 128), nn.ReLU(), convolve(128, 128), nn.ReLU()],
        [pool, BlurPool(128), *(x for i in range(3) for x in (convolve(128 if i == 0 else 256, 256), nn.ReLU()))],
    ]


class Perceptual(nn.Module):
    """LPIPS of pictures of 0..1; the first of the packaged file's slices that are given."""

    def __init__(self, weights: Path, slices: Sequence[Sequence[nn.Module]]) -> None:
        super().__init__()
        state: dict[str, Tensor] = torch.load(weights, map_location="cpu", weights_only=True)
        self.slices = nn.ModuleList(nn.Sequential(*layers) for layers in slices)
        self.weights: list[Tensor] = []
        for number, layers in enumerate(self.slices):
            names = sorted(
                (int(name.split(".")[2]), name.rpartition(".")[0])
                for name in state
                if name.startswith(f"net.slice{number + 1}.") and name.endswith(".bias")
            )
            found = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
            for layer, (_, name) in zip(found, names, strict=True):
                layer.load_state_dict({part: state[f"{name}.{part}"] for part in ("weight", "bias")})
            self.weights.append(state[f"lin{number}.model.1.weight"].reshape(-1))
        self.requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def find_features(self, pictures: Tensor) -> list[Tensor]:
        """The features of (N, 3, H, W) pictures, of length 1 at each place."""
        shift, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (SHIFT, SCALE))
        x = ((2 * pictures - 1 - shift) / scale).contiguous(memory_format=torch.channels_last)
        found = []
        for layers in self.slices:
            x = layers(x)
            found.append(functional.normalize(x.float(), dim=1, eps=1e-3 if x.dtype == torch.bfloat16 else 1e-10))
        return found

    def forward(self, restored: Tensor, clean: Tensor) -> Tensor:
        """How different they look, (N,)."""
        with torch.no_grad():
            wanted = self.find_features(clean)
        differences = [
            torch.einsum("nchw,c->nhw", (one - other) ** 2, weight).mean((1, 2))
            for one, other, weight in zip(self.find_features(restored), wanted, self.weights, strict=True)
        ]
        return torch.stack(differences).sum(0)
