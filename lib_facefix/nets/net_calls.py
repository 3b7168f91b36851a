"""Each architecture called as its authors call it, giving the picture alone.

Pictures are (N, 3, H, W), float32, in the range that the net's `Spec` states. No call changes its input.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class Call(nn.Module):
    """A net whose `forward` gives the picture alone."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net: Any = net


class Plain(Call):
    """A net that gives nothing but a picture."""

    def forward(self, picture: Tensor) -> Tensor:
        """Return the net's picture."""
        answer: Tensor = self.net(picture)
        return answer


class Gfpgan(Call):
    """GFPGAN with the noise that its file holds: the same for every face and in every run."""

    def forward(self, picture: Tensor) -> Tensor:
        """Return the restored faces; `return_rgb` would only add the small pictures used in training."""
        answer: Tensor = self.net(picture, return_rgb=False, randomize_noise=False)[0]
        return answer


class Codeformer(Call):
    """CodeFormer, always with the colours of the input (its authors' `adain=True`)."""

    def forward(self, picture: Tensor, w: float | Tensor = 0.5) -> Tensor:
        """Return the restored faces; `w` is 0..1, or a tensor of shape (1,)."""
        answer: Tensor = self.net(picture, w, adain=True)[0]
        return answer


class Restoreformer(Call):
    """RestoreFormer and RestoreFormer++."""

    def forward(self, picture: Tensor) -> Tensor:
        """Return the restored faces."""
        answer: Tensor = self.net(picture)[0]
        return answer


class Described(Call):
    """Any other net, by spandrel's own description: it pads to the sizes the net can take, and clamps to 0..1."""

    def __init__(self, descriptor: Any) -> None:
        super().__init__(descriptor.model)
        self._descriptor = descriptor

    def forward(self, picture: Tensor) -> Tensor:
        """Return the net's picture."""
        answer: Tensor = self._descriptor(picture)
        return answer


BY_ARCHITECTURE: dict[str, type[Call]] = {
    "GFPGAN": Gfpgan,
    "CodeFormer": Codeformer,
    "RestoreFormer": Restoreformer,
    "RestoreFormer++": Restoreformer,
    "ESRGAN": Plain,
    "Compact": Plain,
}
