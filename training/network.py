"""The network of the built-in restorer: a chain of convolutions with a U below it, and two heads.

The chain works at a quarter of the crop's resolution, above which a degraded face has no detail. Its shape is that of
Real-ESRGAN's small video network (SRVGG, BSD-3-Clause), whose weights were its beginning. The U goes down to a
sixteenth, where the whole aligned face is seen at little cost; there a learnt map says which part of a face lies where,
since FFHQ crops put eyes and mouths at known places. A finer map gives the vivid head something to make texture of that
does not repeat: without it, skin becomes a grid of the network's own cells. From one pass come two residuals: the
faithful one has the least error, the vivid one also brings back the texture of skin, hair, and eyes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 16
"""Height and width of the input must be multiples of this."""
SIDE = 512
"""Side of the crop for which the map of places is learnt, in pixels."""
FINE = 64
"""Channels at a quarter of the resolution, as in the network the weights come from."""
DEPTH = 16
"""Convolutions of the chain, half of them before the U and half behind it."""
MIDDLE = 96
"""Channels at an eighth."""
COARSE = 128
"""Channels at a sixteenth."""
DAMAGES = 2
"""Maps of damage that the network estimates for itself: detail that is missing, and what does not belong there."""


class Residuals(NamedTuple):
    """What the network finds in a crop."""

    faithful: Tensor
    """What to add for the least error, (N, 3, H, W)."""
    vivid: Tensor
    """What to add for a result that looks sharp, (N, 3, H, W)."""
    damage: Tensor
    """Natural logarithms of the damage, (N, DAMAGES, H / 16, W / 16); used in training only."""


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


def blocks(channels: int, number: int) -> nn.Sequential:
    """`number` residual blocks."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(number)))


def enlarger(channels: int, finer: int) -> nn.Sequential:
    """To twice the height and width, (N, channels, H, W) to (N, finer, 2H, 2W)."""
    return nn.Sequential(nn.Conv2d(channels, 4 * finer, 1), nn.PixelShuffle(2))


def leave(fine: int) -> nn.Sequential:
    """From `fine` channels at a quarter of the resolution to three at the whole."""
    return nn.Sequential(nn.Conv2d(fine, 48, 3, padding=1), nn.PixelShuffle(4))


class Places(nn.Module):
    """A learnt map of the aligned face, added to the features of a window of it."""

    def __init__(self, channels: int, step: int, spread: float = 0.0) -> None:
        """step: pixels of the crop in one cell of the map; spread: deviation of the noise that the map begins as."""
        super().__init__()
        self.step = step
        self.map = nn.Parameter(spread * torch.randn(1, channels, SIDE // step, SIDE // step))

    def forward(self, x: Tensor, left: int, top: int) -> Tensor:
        """(N, C, H, W) features of a window that begins at (left, top) of the crop, in pixels, to the same shape."""
        if x.shape[2:] == self.map.shape[2:]:
            return x + self.map.to(x.dtype)
        row, column = top // self.step, left // self.step
        part = self.map[:, :, row : row + x.shape[2], column : column + x.shape[3]]
        return x + part.to(x.dtype)


class Lower(nn.Module):
    """What the levels below add to the fine one: a U of two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.to_middle = nn.Conv2d(FINE, MIDDLE, 2, stride=2)
        self.before = blocks(MIDDLE, 2)
        self.to_coarse = nn.Conv2d(MIDDLE, COARSE, 2, stride=2)
        self.coarse_places = Places(COARSE, 16)
        self.bottom = blocks(COARSE, 3)
        self.see_damage = nn.Conv2d(COARSE, DAMAGES, 1)
        self.heed_damage = nn.Conv2d(DAMAGES, COARSE, 1)
        self.repair = blocks(COARSE, 3)
        self.from_coarse = enlarger(COARSE, MIDDLE)
        self.after = blocks(MIDDLE, 2)
        self.from_middle = enlarger(MIDDLE, FINE)
        nn.init.zeros_(self.heed_damage.weight)

    def forward(self, fine: Tensor, left: int, top: int) -> tuple[Tensor, Tensor]:
        """(N, 64, H, W), H and W multiples of 4, to the same shape and the map of damage."""
        middle = self.before(self.to_middle(fine))
        coarse = self.bottom(self.coarse_places(self.to_coarse(middle), left, top))
        damage: Tensor = self.see_damage(coarse)
        coarse = self.repair(coarse + self.heed_damage(damage))
        added: Tensor = self.from_middle(self.after(self.from_coarse(coarse) + middle))
        return added, damage


class TwoHeads(nn.Module):
    """Predict what must be added to a degraded face crop, faithfully and vividly.

    Convolutions, PReLU and ReLU, additions and pixel (un)shuffles only: they run alike in OpenCV 4.8 to 5.0
    and in ONNX Runtime.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, FINE, 3, padding=1), Slope(FINE))
        self.first_half = chain(DEPTH // 2)
        self.lower = Lower()
        self.second_half = chain(DEPTH // 2)
        self.exit = leave(FINE)
        self.texture_places = Places(FINE, 4, spread=0.05)
        self.texture = blocks(FINE, 2)
        self.vivid_exit = leave(FINE)

    def forward(self, crop: Tensor, left: int = 0, top: int = 0) -> Residuals:
        """Return the residuals of a crop or of a window of it, in the same units.

        crop: (N, 3, H, W) RGB, 0..1; H and W multiples of 16. left, top: where the window begins in the crop of 512,
        in pixels, multiples of 16.
        """
        fine = self.first_half(self.entry(crop))
        added, damage = self.lower(fine, left, top)
        fine = self.second_half(fine + added)
        textured = self.texture_places(fine, left, top)
        return Residuals(self.exit(fine), self.vivid_exit(self.texture(textured)), damage)
