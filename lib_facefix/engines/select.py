"""Which engine runs which part of a net, and in which precision. Pure: no net, no package."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadSetting, MissingPackage
from ..settings.runtime import ENGINES, PRECISIONS
from .machine import Machine

FASTEST_FLOAT: dict[str, tuple[str, ...]] = {
    "GFPGAN": ("winograd", "openvino", "onnxruntime", "torch"),
    "CodeFormer": ("winograd", "onnxruntime", "openvino", "torch"),
    "RestoreFormer": ("winograd", "onnxruntime", "openvino", "torch"),
    "RestoreFormer++": ("winograd", "onnxruntime", "openvino", "torch"),
    "ESRGAN": ("openvino", "winograd", "onnxruntime", "torch"),  # on two threads NNPACK gains nothing here
    "Compact": ("openvino", "winograd", "onnxruntime", "torch"),
}
"""Float32 backends on a processor by architecture, fastest first, as measured by `make bench`."""
OTHERS = ("torch",)
"""Backends for architectures without measurements, which might not survive an export or tolerate bfloat16."""


@dataclass(frozen=True, slots=True)
class Backend:
    """How one part of a net is run."""

    engine: str
    """Backend name: one of `ENGINES`, never "auto"."""
    precision: str
    """Number format: "fp32", "tf32" or "bf16"."""
    device: str = "cpu"


def select_backend(architecture: str, bears_bf16: bool, machine: Machine, engine: str, precision: str) -> Backend:
    """Return how to run a part of a net of that architecture.

    bears_bf16: whether bfloat16 only rounds this part's answer.
    Raises `BadSetting` for an unknown engine or precision, `MissingPackage` for one that is not installed.
    """
    _check(machine, engine, precision)
    known, fast = architecture in FASTEST_FLOAT, precision == "fast"
    bears_bf16 &= known
    if machine.accelerator and engine in ("auto", "torch"):
        return Backend("torch", _on_accelerator(machine.accelerator, fast, bears_bf16), machine.accelerator)
    bf16 = fast and bears_bf16 and machine.bf16
    if engine == "winograd" and not known:
        engine = "torch"  # there is nothing that it would do
    if engine != "auto":
        return Backend(engine, "bf16" if bf16 and engine in ("torch", "openvino") else "fp32")
    if bf16:
        return Backend("openvino" if "openvino" in machine.packages else "torch", "bf16")
    here = machine.packages | {"torch"} | ({"winograd"} if machine.winograd else set())
    return Backend(next(name for name in FASTEST_FLOAT.get(architecture, OTHERS) if name in here), "fp32")


def _on_accelerator(accelerator: str, fast: bool, bears_bf16: bool) -> str:
    """Never half precision: these nets leave its range and answer with grey faces."""
    if not fast:
        return "fp32"
    if bears_bf16:
        return "bf16"
    return "tf32" if accelerator == "cuda" else "fp32"


def _check(machine: Machine, engine: str, precision: str) -> None:
    if engine not in ENGINES:
        raise BadSetting(f"Engine must be one of {', '.join(ENGINES)}; not {engine!r}")
    if precision not in PRECISIONS:
        raise BadSetting(f"Precision must be one of {', '.join(PRECISIONS)}; not {precision!r}")
    if engine in ("onnxruntime", "openvino") and engine not in machine.packages:
        raise MissingPackage(f"the engine {engine!r}", engine)
    if engine == "winograd" and not machine.winograd:
        raise BadSetting("this PyTorch has no NNPACK, on which the engine 'winograd' stands; choose 'auto'")
