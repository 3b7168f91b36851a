"""Networks wrapped so that `forward` is called as the authors call it, and returns only the image.

Images are (N, 3, H, W), float32, in the range of the network's `Spec`. No call changes its input.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn


class Call(nn.Module):
    """A network whose `forward` returns only the image."""

    def __init__(self, net: nn.Module, function: Callable[..., Tensor]) -> None:
        """function: calls the network with its inputs, and returns the image."""
        super().__init__()
        self.net: Any = net
        self._function = function

    def forward(self, picture: Tensor, *w: float | Tensor) -> Tensor:
        """Return the output image; w: CodeFormer's, 0..1 or a tensor of shape (1,), by default 0.5."""
        return self._function(self.net, picture, *w)


class Described(nn.Module):
    """Any other network, called by spandrel, which pads to supported sizes and clamps to 0..1."""

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.net: Any = descriptor.model
        self._descriptor = descriptor

    def forward(self, picture: Tensor) -> Tensor:
        """Return the output image."""
        image: Tensor = self._descriptor(picture)
        return image


CALLS: Mapping[str, Callable[..., Tensor]] = {
    # with the noise of the weights file, the same in every run; `return_rgb` would add small training images
    "GFPGAN": lambda net, picture: net(picture, return_rgb=False, randomize_noise=False)[0],
    # `adain` keeps the colours of the input
    "CodeFormer": lambda net, picture, w=0.5: net(picture, w, adain=True)[0],
    "RestoreFormer": lambda net, picture: net(picture)[0],
    "RestoreFormer++": lambda net, picture: net(picture)[0],
    "ESRGAN": lambda net, picture: net(picture),
    "Compact": lambda net, picture: net(picture),
}
"""Functions that call a network of each architecture as its authors do."""
