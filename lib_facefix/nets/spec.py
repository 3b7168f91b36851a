"""Description of nets as data: their inputs, ranges and outputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

Kind = Literal["face", "upscale"]

OUTPUT_SIDE = 512
"""Side of a network's output, in pixels, for an input of `Spec.size`."""
SCALES = (1, 2, 4)
"""Supported scale factors of upscalers."""


@dataclass(frozen=True)
class Spec:
    """Inputs and outputs of a net."""

    architecture: str
    kind: Kind
    """Use of the network: "face" takes one aligned face of `size` pixels; "upscale" takes any image."""
    scale: int
    """Output pixels for each input pixel, along one side."""
    low: float
    """Value of black, in inputs and outputs."""
    high: float
    """Value of white, in inputs and outputs."""
    size: int
    """Side of the input, in pixels, whose output has 512 pixels."""
    fused: bool
    """Whether `forward` also takes CodeFormer's w: 0 uses the codes alone, 1 keeps most of the input."""

    @property
    def side(self) -> int:
        """Side of the output for an input of `size`, in pixels."""
        return OUTPUT_SIDE


@dataclass(frozen=True, eq=False)
class Net:
    """A net with its weights."""

    spec: Spec
    module: nn.Module
    """Callable network: `forward(picture)`, or `forward(picture, w)` if `spec.fused`; (N, 3, H, W) to (N, 3, scale H,
    scale W)."""
    sha256: str
    """SHA-256 of the file from which the network was loaded."""


FACES: Mapping[str, Spec] = {
    name: Spec(name, "face", 1, -1.0, 1.0, OUTPUT_SIDE, fused=name == "CodeFormer")
    for name in ("GFPGAN", "CodeFormer", "RestoreFormer", "RestoreFormer++")
}
"""Specs of the face restorers by architecture; all were trained on 512 px faces in -1..1."""


def upscaler_spec(architecture: str, scale: int) -> Spec:
    """Return the spec of a net that takes images of any size, in 0..1."""
    return Spec(architecture, "upscale", scale, 0.0, 1.0, OUTPUT_SIDE // scale, fused=False)
