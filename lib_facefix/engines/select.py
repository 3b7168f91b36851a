"""Selecting the backend and precision of each stage of a net, by the abilities of this machine."""

import importlib.util
from dataclasses import dataclass

import torch

from ..errors import BadSetting, MissingPackage
from ..inference import DeviceFailed, has_bf16
from ..inference.providers import explain_missing, find_provider, list_automatic
from ..settings.devices import CPU, Device, parse_device
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
    """Accelerator that PyTorch uses, as it names it: "cuda", "cuda:1", "mps", "xpu", or "" for none."""
    bf16: bool = False
    """Whether the processor multiplies bfloat16 in hardware."""
    winograd: bool = False
    """Whether this PyTorch includes NNPACK, which implements Winograd's convolution."""
    packages: frozenset[str] = frozenset()
    """Import names of the optional backends that are installed."""
    provided: Device = CPU
    """Device that ONNX Runtime uses, or OpenVINO for its own; the processor if there is no other."""
    wanted: Device = CPU
    """Device that the user has asked for; the processor if any other would do, too."""


def this_machine(device: str = "auto") -> Machine:
    """Return the abilities of this machine to run nets on a device (see `parse_device`).

    Raises `DeviceFailed` if no installed library can use the device, or if there are fewer of them.
    """
    asked = parse_device(device)
    packages = frozenset(name for name in ("onnxruntime", "openvino") if importlib.util.find_spec(name))
    accelerator = "" if asked == CPU else _find_accelerator(asked)
    provided = CPU if asked == CPU or (accelerator and not asked.is_explicit) else _find_provided(asked, packages)
    if asked.is_explicit and not accelerator and provided == CPU:
        raise DeviceFailed(explain_missing(asked))
    wanted = asked if asked.is_explicit else CPU
    return Machine(accelerator, has_bf16(), _has_winograd(), packages, provided, wanted)


def _find_accelerator(device: Device) -> str:
    """Return PyTorch's name of the device, or of its only accelerator for "auto"; blank if it can use none."""
    kinds = (device.kind.torch,) if device.is_explicit else ("cuda", "mps", "xpu")
    kind = next((kind for kind in kinds if _has_accelerator(kind)), "")
    if not kind or (device.name == "rocm" and not torch.version.hip):
        return ""
    count = 1 if kind == "mps" else getattr(torch, kind).device_count()
    if device.number < count:
        return f"{kind}:{device.number}" if device.number else kind
    if device.is_explicit:
        raise DeviceFailed(f"there is no device {device}: PyTorch sees {count}, numbered from 0. Choose another one.")
    return kind


def _has_accelerator(kind: str) -> bool:
    if kind == "mps":
        return torch.backends.mps.is_available()
    return kind in ("cuda", "xpu") and hasattr(torch, kind) and bool(getattr(torch, kind).is_available())


def _find_provided(device: Device, packages: frozenset[str]) -> Device:
    """Return the device that ONNX Runtime, or OpenVINO for its own, can use; the processor if there is none."""
    if not device.is_explicit:
        return next(list_automatic(device)) if "onnxruntime" in packages else CPU
    by_itself = device.name == "openvino" and "openvino" in packages
    return device if find_provider(device) or by_itself else CPU


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
    """Device as PyTorch names it, or on other backends as the user does."""


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
    chosen = _select_accelerated(architecture, bears_bf16, machine, engine, precision)
    if chosen:
        return chosen
    if machine.wanted != CPU:
        raise DeviceFailed(f"the engine {engine!r} cannot use the device {machine.wanted}. Choose the engine 'auto'.")
    known, fast = architecture in FASTEST_FLOAT, precision == "fast"
    bears_bf16 &= known
    bf16 = fast and bears_bf16 and machine.bf16
    if engine == "winograd" and not known:
        engine = "torch"  # Winograd would change nothing
    if engine != "auto":
        return Backend(engine, "bf16" if bf16 and engine in ("torch", "openvino") else "fp32")
    if bf16:
        return Backend("openvino" if "openvino" in machine.packages else "torch", "bf16")
    here = machine.packages | {"torch"} | ({"winograd"} if machine.winograd else set())
    return Backend(next(name for name in FASTEST_FLOAT.get(architecture, UNMEASURED) if name in here), "fp32")


def _select_accelerated(
    architecture: str, bears_bf16: bool, machine: Machine, engine: str, precision: str
) -> Backend | None:
    """Return the backend of a stage on the accelerator, or None if this engine uses the processor."""
    known, fast, on = architecture in FASTEST_FLOAT, precision == "fast", str(machine.provided)
    if machine.accelerator and engine in ("auto", "torch"):
        # never half precision: these nets exceed its range and return grey faces
        rounds = "tf32" if machine.accelerator.startswith("cuda") else "fp32"
        number = "fp32" if not fast else "bf16" if bears_bf16 and known else rounds
        return Backend("torch", number, machine.accelerator)
    explicit = machine.wanted != CPU
    if machine.provided == CPU or not (explicit or known or engine == "onnxruntime"):
        return None  # an architecture that nobody measured might not survive an export
    may_be_itself = machine.provided.name == "openvino" and "openvino" in machine.packages
    if may_be_itself and (engine == "openvino" or (engine == "auto" and not find_provider(machine.provided))):
        return Backend("openvino", "fp32", on)
    if engine in ("auto", "onnxruntime") and "onnxruntime" in machine.packages:
        rounds = "tf32" if machine.provided.name in ("cuda", "tensorrt") else "fp32"
        return Backend("onnxruntime", rounds if fast else "fp32", on)
    return None
