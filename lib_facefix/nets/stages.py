"""Splitting a net into stages that can be exported, each with the precision it tolerates."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from .coded import CodeformerCodes, CodeformerPicture, RestoreformerCodes, RestoreformerPicture
from .gfpgan import Gfpgan
from .spec import Net

PICTURE, RESTORED, CODES, FIDELITY = "picture", "restored", "codes", "w"
"""Names of the values that are passed between stages."""


@dataclass(frozen=True, eq=False)
class Stage:
    """A part of a net. It shares the net's weights: change only a copy of it."""

    module: nn.Module
    name: str
    """Name of the stage, unique within its network."""
    inputs: tuple[str, ...]
    """Inputs of `forward`, in order: the image for the first stage, else all outputs of the previous stage. The last
    stage may take "w" as well, float32 of shape (1,)."""
    outputs: tuple[str, ...]
    """Outputs of `forward`, in order; the last stage returns only the image."""
    bf16: bool
    """Whether bfloat16 changes no more than the last digits of the output."""
    flexible: bool
    """Whether an export accepts images of any size, not only the size of its examples."""


def stages(net: Net, w_is_zero: bool = False) -> tuple[Stage, ...]:
    """Return the stages of the net, in order; in float32 their result equals the net's, except for rounding.

    w_is_zero: omit CodeFormer's fusion, which has no effect at w = 0; such stages do not take "w".
    """
    inner: Any = net.module.net
    architecture = net.spec.architecture
    if architecture == "GFPGAN":
        return (_whole(Gfpgan(inner)),)
    if architecture == "CodeFormer":
        fused = not w_is_zero
        seen = tuple(f"feature_{side}" for side in inner.connect_list) if fused else ()
        codes, picture = CodeformerCodes(inner, fused=fused), CodeformerPicture(inner, fused=fused)
        return _coded_stages(codes, picture, seen, (FIDELITY,) if fused else ())
    if architecture in ("RestoreFormer", "RestoreFormer++"):
        seen = ("mid_atten", "block_5_atten", "block_4")[: 2 + architecture.endswith("++")]
        return _coded_stages(RestoreformerCodes(inner, seen), RestoreformerPicture(inner, seen), seen, ())
    if architecture == "ESRGAN" and inner.shuffle_factor:
        return (_whole(Shuffled(inner), flexible=True),)
    return (_whole(net.module, flexible=architecture in ("ESRGAN", "Compact")),)


def _whole(module: nn.Module, *, flexible: bool = False) -> Stage:
    return Stage(module.eval(), "whole", (PICTURE,), (RESTORED,), bf16=True, flexible=flexible)


def _coded_stages(
    codes: nn.Module, picture: nn.Module, seen: tuple[str, ...], more: tuple[str, ...]
) -> tuple[Stage, ...]:
    between = (CODES, *seen)
    plain = "" if more or seen else "_plain"
    return (
        Stage(codes.eval(), f"codes{plain}", (PICTURE,), between, bf16=False, flexible=False),
        Stage(picture.eval(), f"picture{plain}", (*between, *more), (RESTORED,), bf16=True, flexible=False),
    )


class Shuffled(nn.Module):
    """An ESRGAN that packs squares of pixels into channels, with explicit padding, which an export keeps."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.body = net.model
        self.side: int = net.shuffle_factor
        self.scale: int = net.scale // net.shuffle_factor

    def forward(self, picture: Tensor) -> Tensor:
        """Return (N, 3, scale H, scale W) for (N, 3, H, W)."""
        height, width = picture.shape[2:]
        padded = functional.pad(picture, (0, -width % self.side, 0, -height % self.side), mode="reflect")
        answer: Tensor = self.body(functional.pixel_unshuffle(padded, self.side))
        return answer[:, :, : height * self.scale, : width * self.scale]
