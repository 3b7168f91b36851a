"""The network of the built-in restorer "lite": a chain of convolutions with a U below it.

The chain works at a quarter of the crop's resolution, above which a degraded face has no detail. Its shape is
that of Real-ESRGAN's small video network (SRVGG, BSD-3-Clause), so that its weights can be the beginning. The
U goes down to a sixteenth, where the whole aligned face is seen at little cost.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 16
"""Height and width of the input must be multiples of this."""
FINE = 64
"""Channels at a quarter of the resolution, as in the network the weights come from."""
DEPTH = 16
"""Convolutions of the chain, half of them before the U and half behind it."""
MIDDLE = 96
"""Channels at an eighth."""
COARSE = 128
"""Channels at a sixteenth."""


class Slope(nn.PReLU):
    """PReLU that stays in the precision of its input (autocast would leave bfloat16, at twice the time)."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape with the channels second."""
        return functional.prelu(x, self.weight.to(x.dtype))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; it begins close to the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.normal_(self.second.weight, std=0.1 * (9 * channels) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        added: Tensor = self.second(torch.relu(self.first(x)))
        return x + added


def chain(length: int) -> nn.Sequential:
    """`length` convolutions at the fine level, each with its PReLU."""
    layers = [layer for _ in range(length) for layer in (nn.Conv2d(FINE, FINE, 3, padding=1), Slope(FINE))]
    return nn.Sequential(*layers)


def enlarger(channels: int, finer: int) -> nn.Sequential:
    """To twice the height and width, (N, channels, H, W) to (N, finer, 2H, 2W)."""
    return nn.Sequential(nn.Conv2d(channels, 4 * finer, 1), nn.PixelShuffle(2))


class Lower(nn.Module):
    """What the levels below add to the fine one: a U of two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.to_middle = nn.Conv2d(FINE, MIDDLE, 2, stride=2)
        self.before = ResidualBlock(MIDDLE)
        self.to_coarse = nn.Conv2d(MIDDLE, COARSE, 2, stride=2)
        self.bottom = nn.Sequential(ResidualBlock(COARSE), ResidualBlock(COARSE))
        self.from_coarse = enlarger(COARSE, MIDDLE)
        self.after = ResidualBlock(MIDDLE)
        self.from_middle = enlarger(MIDDLE, FINE)

    def forward(self, fine: Tensor) -> Tensor:
        """(N, 64, H, W) to the same shape; H and W multiples of 4."""
        middle = self.before(self.to_middle(fine))
        coarse = self.bottom(self.to_coarse(middle))
        added: Tensor = self.from_middle(self.after(self.from_coarse(coarse) + middle))
        return added


class Lite(nn.Module):
    """Predict what must be added to a degraded face crop.

    Convolutions, PReLU and ReLU, additions and pixel (un)shuffles only: they run alike in OpenCV 4.8 to 5.0
    and in ONNX Runtime.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, FINE, 3, padding=1), Slope(FINE))
        self.first_half = chain(DEPTH // 2)
        self.lower = Lower()
        self.second_half = chain(DEPTH // 2)
        self.exit = nn.Sequential(nn.Conv2d(FINE, 48, 3, padding=1), nn.PixelShuffle(4))

    def forward(self, crop: Tensor) -> Tensor:
        """Return the residual of the crop, in the same units.

        crop: (N, 3, H, W) RGB, 0..1; H and W multiples of 16.
        """
        fine = self.first_half(self.entry(crop))
        residual: Tensor = self.exit(self.second_half(fine + self.lower(fine)))
        return residual
