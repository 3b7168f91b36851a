"""The critic of the vivid head: tells windows of clean faces from restored ones, and is trained beside it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm


def layer(channels: int, more: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution whose largest singular value is 1 (Miyato et al., 2018), and a leaky ReLU."""
    convolution = nn.Conv2d(channels, more, size, stride, size // 2 if size % 2 else size // 2 - 1)
    return nn.Sequential(spectral_norm(convolution), nn.LeakyReLU(0.2))


class Critic(nn.Module):
    """A judgement for every eighth pixel: above 0 for clean, below for restored; it sees 44 pixels around it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2),
            layer(12, 48),
            layer(48, 64, 4, 2),
            layer(64, 96),
            layer(96, 128, 4, 2),
            layer(128, 128),
            spectral_norm(nn.Conv2d(128, 1, 3, padding=1)),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W), 0..1, to (N, 1, about H / 8, about W / 8)."""
        judged: Tensor = self.layers(pictures * 2 - 1)
        return judged


def fool(restored: Tensor, clean: Tensor, critic: Critic) -> Tensor:
    """Loss of the restorer: how far its windows are judged below clean ones (relativistic average hinge)."""
    wrong = critic(restored).float()
    with torch.no_grad():
        right = critic(clean).float()
    return functional.relu(1 + right.mean() - wrong).mean()


def tell_apart(restored: Tensor, clean: Tensor, critic: Critic) -> Tensor:
    """Loss of the critic: clean windows above the mean restored one, restored ones below the mean clean one."""
    wrong, right = critic(restored.detach()).float(), critic(clean).float()
    above = functional.relu(1 - (right - wrong.mean())).mean()
    return above + functional.relu(1 + (wrong - right.mean())).mean()
