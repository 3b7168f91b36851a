"""What a net is, as data: what it takes, in which range, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

Kind = Literal["face", "upscale"]

ANSWER = 512
"""Side in pixels of the picture that a net gives for an input of `Spec.size`."""
SCALES = (1, 2, 4)
"""The factors of the upscalers that are taken."""


@dataclass(frozen=True)
class Spec:
    """What a net takes and gives."""

    architecture: str
    kind: Kind
    """"face" wants one aligned face of `size` pixels; "upscale" takes any picture."""
    scale: int
    """Pixels out for each pixel in, along one side."""
    low: float
    """The value of black, in and out."""
    high: float
    """The value of white, in and out."""
    size: int
    """Side in pixels of the input that gives an answer of 512 pixels."""
    fused: bool
    """Whether `forward` takes CodeFormer's w as well: 0 = the codes alone, 1 = most of the input."""


@dataclass(frozen=True, eq=False)
class Net:
    """A net with its weights."""

    spec: Spec
    module: nn.Module
    """`forward(picture)`, or `forward(picture, w)` where `spec.fused`; (N, 3, H, W) to (N, 3, scale H, scale W)."""
    sha256: str
    """Of the file it came from."""


def _face(architecture: str, *, fused: bool = False) -> Spec:
    return Spec(architecture, "face", 1, -1.0, 1.0, ANSWER, fused)


FACES: Mapping[str, Spec] = {
    "GFPGAN": _face("GFPGAN"),
    "CodeFormer": _face("CodeFormer", fused=True),
    "RestoreFormer": _face("RestoreFormer"),
    "RestoreFormer++": _face("RestoreFormer++"),
}
"""The face restorers by architecture; all were trained on 512 px faces in -1..1."""


def upscaler(architecture: str, scale: int) -> Spec:
    """Return what holds for every net that takes pictures of any size, in 0..1."""
    return Spec(architecture, "upscale", scale, 0.0, 1.0, ANSWER // scale, fused=False)
