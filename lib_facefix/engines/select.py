"""Selecting the backend and precision of each stage of a net, by the abilities of this machine."""

import importlib.util
from dataclasses import dataclass

import torch

from ..errors import BadSetting, MissingPackage
from ..inference import has_bf16
from ..settings.runtime import ENGINES, PRECISIONS

FASTEST_FLOAT: dict[str, tuple[str, ...]] = {
    "GFPGAN": ("winograd", "openvino", "onnxruntime", "torch"),
    "CodeFormer": ("winograd", "onnxruntime", "openvino", "torch"),
    "RestoreFormer": ("winograd", "onnxruntime", "openvino", "torch"),
    "RestoreFormer++": ("winograd", "onnxruntime", "openvino", "torch"),
    "ESRGAN": ("openvino", "winograd", "onnxruntime", "torch"),  # on two threads NNPACK gains nothing here
    "Compact": ("openvino", "winograd", "onnxruntime", "torch"),
}
"""Float32 backends on a processor by architecture, fastest first, as measured by `make bench`."""
UNMEASURED = ("torch",)
"""Backends for architectures without measurements, which might not survive an export or tolerate bfloat16."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The abilities of a machine to run nets."""

    accelerator: str = ""
    """Accelerator to use: "cuda", "mps", or "" for none."""
    bf16: bool = False
    """Whether the processor multiplies bfloat16 in hardware."""
    winograd: bool = False
    """Whether this PyTorch includes NNPACK, which implements Winograd's convolution."""
    packages: frozenset[str] = frozenset()
    """Import names of the optional backends that are installed."""


def this_machine(device: str = "auto") -> Machine:
    """Return the abilities of this machine; device: "auto", or "cpu" to ignore an accelerator."""
    accelerator = ""
    if device != "cpu":
        accelerator = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else ""
    packages = frozenset(name for name in ("onnxruntime", "openvino") if importlib.util.find_spec(name))
    return Machine(accelerator, has_bf16(), _has_winograd(), packages)


def _has_winograd() -> bool:
    """Return True if NNPACK is available and computes correctly; the check also initializes it, as PyTorch does not."""
    if not (hasattr(torch, "_nnpack_spatial_convolution") and torch._nnpack_available()):
        return False
    ones = torch.ones(1, 16, 12, 12)
    try:
        found = torch._nnpack_spatial_convolution(ones, torch.ones(16, 16, 3, 3), None, (1, 1), (1, 1))
    except RuntimeError:
        return False
    return bool(torch.allclose(found[0, 0, 5, 5], torch.tensor(144.0), rtol=1e-4))


@dataclass(frozen=True, slots=True)
class Backend:
    """Backend, precision and device of one stage of a net."""

    engine: str
    """Backend name: one of `ENGINES`, never "auto"."""
    precision: str
    """Number format: "fp32", "tf32" or "bf16"."""
    device: str = "cpu"


def select_backend(architecture: str, bears_bf16: bool, machine: Machine, engine: str, precision: str) -> Backend:
    """Return the backend for a stage of a net of that architecture.

    bears_bf16: whether bfloat16 changes no more than the last digits of the stage's output.
    Raises `BadSetting` for an unknown engine or precision, `MissingPackage` for one that is not installed.
    """
    if engine not in ENGINES:
        raise BadSetting(f"Engine must be one of {', '.join(ENGINES)}, not {engine!r}.")
    if precision not in PRECISIONS:
        raise BadSetting(f"Precision must be one of {', '.join(PRECISIONS)}, not {precision!r}.")
    if engine in ("onnxruntime", "openvino") and engine not in machine.packages:
        raise MissingPackage(f"the engine {engine!r}", engine)
    if engine == "winograd" and not machine.winograd:
        raise BadSetting("The engine 'winograd' requires a PyTorch with NNPACK. Choose 'auto'.")
    known, fast = architecture in FASTEST_FLOAT, precision == "fast"
    bears_bf16 &= known
    if machine.accelerator and engine in ("auto", "torch"):
        # never half precision: these nets exceed its range and return grey faces
        number = "bf16" if fast and bears_bf16 else "tf32" if fast and machine.accelerator == "cuda" else "fp32"
        return Backend("torch", number, machine.accelerator)
    bf16 = fast and bears_bf16 and machine.bf16
    if engine == "winograd" and not known:
        engine = "torch"  # Winograd would change nothing
    if engine != "auto":
        return Backend(engine, "bf16" if bf16 and engine in ("torch", "openvino") else "fp32")
    if bf16:
        return Backend("openvino" if "openvino" in machine.packages else "torch", "bf16")
    here = machine.packages | {"torch"} | ({"winograd"} if machine.winograd else set())
    return Backend(next(name for name in FASTEST_FLOAT.get(architecture, UNMEASURED) if name in here), "fp32")
