"""What this machine can run nets on."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import torch

from ..inference import has_bf16


@dataclass(frozen=True, slots=True)
class Machine:
    """What nets can run on here."""

    accelerator: str = ""
    """Accelerator to use: "cuda", "mps", or "" for none."""
    bf16: bool = False
    """Whether the processor multiplies bfloat16 in hardware."""
    winograd: bool = False
    """Whether this PyTorch includes NNPACK, which implements Winograd's convolution."""
    packages: frozenset[str] = frozenset()
    """Import names of the optional backends that are installed."""


def this_machine(device: str = "auto") -> Machine:
    """Return what is here. device: "auto", or "cpu" to leave an accelerator alone."""
    accelerator = "" if device == "cpu" else _accelerator()
    packages = frozenset(name for name in ("onnxruntime", "openvino") if importlib.util.find_spec(name))
    return Machine(accelerator, has_bf16(), _has_winograd(), packages)


def _accelerator() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else ""


def _has_winograd() -> bool:
    """Return True where NNPACK is there and right; asking also makes it ready, which PyTorch does not do by itself."""
    if not (hasattr(torch, "_nnpack_spatial_convolution") and torch._nnpack_available()):
        return False
    ones = torch.ones(1, 16, 12, 12)
    try:
        found = torch._nnpack_spatial_convolution(ones, torch.ones(16, 16, 3, 3), None, (1, 1), (1, 1))
    except RuntimeError:
        return False
    return bool(torch.allclose(found[0, 0, 5, 5], torch.tensor(144.0), rtol=1e-4))
