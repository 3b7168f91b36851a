"""What this machine can run nets on."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch

BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""How Linux names, on x86 and on ARM, what multiplies bfloat16 in hardware."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What nets can run on here."""

    accelerator: str = ""
    """"cuda" or "mps"; "" where there is neither, or it is not wanted."""
    bf16: bool = False
    """Whether the processor multiplies bfloat16 in hardware; where it does not, bfloat16 is slower than float32."""
    winograd: bool = False
    """Whether this PyTorch has NNPACK, which has Winograd's convolution."""
    packages: frozenset[str] = frozenset()
    """Which of the optional engines are installed, by their import names."""


def this_machine(device: str = "auto") -> Machine:
    """Return what is here. device: "auto", or "cpu" to leave an accelerator alone."""
    accelerator = "" if device == "cpu" else _accelerator()
    packages = frozenset(name for name in ("onnxruntime", "openvino") if importlib.util.find_spec(name))
    return Machine(accelerator, _has_bf16(), _has_winograd(), packages)


def _accelerator() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else ""


def _has_bf16() -> bool:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no Linux: PyTorch knows it for x86 in its newer releases
        known = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
        return any(ask() for ask in known if ask is not None)
    flags = next((line.split(":", 1)[1] for line in lines if line.startswith(("flags", "Features"))), "")
    return not BF16_FLAGS.isdisjoint(flags.split())


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
