"""Running small networks from files, on OpenCV, ONNX Runtime or OpenVINO, whichever suits them best."""

import importlib.util
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel, briefly
from ..optional_imports import import_optional
from ..settings.devices import CPU, Device
from ..weights.onnxfile import check_onnx as check_onnx
from .providers import DeviceFailed as DeviceFailed
from .providers import explain_missing, find_provider, list_automatic, start_automatic
from .providers import start_bounded_session as start_bounded_session
from .providers import start_session as start_session

EXACT = "exact"
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Processor flags of Linux, on x86 and ARM, that mean bfloat16 multiplication in hardware."""
Blob = NDArray[np.float32]
"""Input or output of a network; images are (N, C, H, W)."""


class Network(Protocol):
    """A loaded network. Thread-safe."""

    engine: str
    """Backend and version, for the report."""

    def __call__(self, blob: Blob) -> list[Blob]:
        """Return all outputs for one input."""


def load(path: Path, device: Device = CPU) -> Network:
    """Load a `.tflite` or `.onnx` file; raises `BadModel` if no installed backend can read it.

    OpenCV comes first: with its Winograd convolutions these small nets need 0.6 of ONNX Runtime's CPU time. On another
    device than the processor, an `.onnx` file runs on ONNX Runtime if that can use the device.
    """
    if path.suffix == ".onnx" and _is_offered(device):
        return _load_on_device(path, device)
    try:
        return CvNetwork(path)
    except BadModel:
        if path.suffix != ".onnx" or not importlib.util.find_spec("onnxruntime"):
            raise
        return OrtNetwork(path)


def load_as_made(path: Path, precision: str = EXACT, device: Device = CPU) -> Network:
    """Load an `.onnx` file on ONNX Runtime, or on OpenCV if ONNX Runtime is not installed.

    precision: "exact" or "fast" (see `Runtime`). Fast is OpenVINO's bfloat16, if package and processor support it.
    Raises `DeviceFailed` if the device can be used, but not by ONNX Runtime.
    """
    if _is_offered(device) or (device.is_explicit and device.kind.providers):
        return _load_on_device(path, device)
    may_round = precision != EXACT and importlib.util.find_spec("openvino") and has_bf16()
    if may_round and hasattr(import_optional("openvino"), "Core"):  # older versions have it elsewhere
        return OvNetwork(path)
    return OrtNetwork(path) if importlib.util.find_spec("onnxruntime") else CvNetwork(path)


def _load_on_device(path: Path, device: Device) -> Network:
    """Load a file on ONNX Runtime, or for the device openvino without it on OpenVINO itself."""
    if _is_for_openvino(device):
        return OvNetwork(path, device)
    if not importlib.util.find_spec("onnxruntime"):
        raise DeviceFailed(explain_missing(device))
    return OrtNetwork(path, device)


def _is_offered(device: Device) -> bool:
    """Return whether ONNX Runtime or OpenVINO offers this device, or another than the processor for "auto"."""
    if _is_for_openvino(device):
        return True
    if device == CPU or not importlib.util.find_spec("onnxruntime"):
        return False
    return bool(find_provider(device)) if device.is_explicit else next(list_automatic(device)) != CPU


def _is_for_openvino(device: Device) -> bool:
    """Return whether OpenVINO itself runs on the device, as ONNX Runtime has no provider for it."""
    return device.name == "openvino" and not find_provider(device) and bool(importlib.util.find_spec("openvino"))


class CvNetwork:
    """A network on OpenCV."""

    def __init__(self, path: Path) -> None:
        check_onnx(path)
        read = cv2.dnn.readNetFromTFLite if path.suffix == ".tflite" else cv2.dnn.readNetFromONNX
        self._read = partial(read, *_source(path))
        try:
            self._net = self._read()
        except (cv2.error, OSError) as error:
            raise BadModel(f"OpenCV {cv2.__version__} cannot read the model {path}: {briefly(error)}") from error
        self._outputs = self._net.getUnconnectedOutLayersNames()
        self._shape: tuple[int, ...] | None = None
        self._lock = Lock()
        self.engine = f"OpenCV {cv2.__version__}"

    def __call__(self, blob: Blob) -> list[Blob]:
        """Return all outputs for one input."""
        with self._lock:
            try:
                if self._shape not in (None, blob.shape):
                    self._net = self._read()  # OpenCV 4 keeps the buffers of the previous size
                self._shape = blob.shape
                self._net.setInput(blob)
                return [np.array(output) for output in self._net.forward(self._outputs)]
            except cv2.error as error:
                raise BadModel(f"A model failed in {self.engine}: {briefly(error)}.") from error


class OrtNetwork:
    """An ONNX network on ONNX Runtime."""

    def __init__(self, path: Path, device: Device = CPU) -> None:
        """device: where it runs; "auto" falls back to the processor. Raises `BadModel` or `DeviceFailed`."""
        check_onnx(path)
        onnxruntime = import_optional("onnxruntime")
        try:
            self._session, self._device = start_automatic(onnxruntime, path.read_bytes(), 0, device)
        except DeviceFailed:
            raise
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise BadModel(f"ONNX Runtime cannot read the model {path}: {briefly(error)}") from error
        self._input = self._session.get_inputs()[0].name
        self._lock = nullcontext() if self._device == CPU else Lock()  # some providers cannot run twice at a time
        where = "" if self._device == CPU else f", {self._device.title}"
        self.engine = f"ONNX Runtime {onnxruntime.__version__}{where}"

    def __call__(self, blob: Blob) -> list[Blob]:
        """Return all outputs for one input."""
        try:
            with self._lock:
                outputs: list[Blob] = self._session.run(None, {self._input: blob})
        except Exception as error:  # as above
            raise BadModel(f"A model failed in {self.engine}: {briefly(error)}.") from error
        return outputs


class OvNetwork:
    """An ONNX network on OpenVINO.

    By default it runs on the processor in bfloat16, which takes half as long as float32 if the processor supports it.
    """

    def __init__(self, path: Path, device: Device | None = None) -> None:
        """device: part of OpenVINO to run on in float32. Raises `BadModel` or `DeviceFailed`."""
        check_onnx(path)
        openvino = import_optional("openvino")
        precision, where = ("f32", f", {device}") if device else ("bf16", " bf16")
        compiled = compile_on_openvino(openvino.Core(), path, device or CPU, {"INFERENCE_PRECISION_HINT": precision})
        self._request, self._lock = compiled.create_infer_request(), Lock()
        self.engine = f"OpenVINO {openvino.__version__.split('-')[0]}{where}"

    def __call__(self, blob: Blob) -> list[Blob]:
        """Return all outputs for one input."""
        with self._lock:
            try:
                self._request.infer({0: blob})
            except RuntimeError as error:
                raise BadModel(f"A model failed in {self.engine}: {briefly(error)}.") from error
            return [np.array(output.data) for output in self._request.output_tensors]


def compile_on_openvino(core: Any, model: Any, device: Device, wanted: dict[str, Any]) -> Any:
    """Return a model compiled by OpenVINO's core. model: a path, or a model that was read. wanted: its properties.

    Raises `DeviceFailed` if OpenVINO does not see the part of the device, and `BadModel`.
    """
    part, seen = device.place.upper() or "CPU", core.available_devices
    if part not in seen and f"{part}.0" not in seen:
        raise DeviceFailed(f"OpenVINO sees no {part} on this machine, only {', '.join(seen)}. Choose another device.")
    try:
        return core.compile_model(model, part, wanted)
    except RuntimeError as error:
        raise BadModel(f"OpenVINO cannot read the model {model}: {briefly(error)}") from error


def has_bf16() -> bool:
    """Return whether the processor multiplies bfloat16 in hardware; otherwise float32 is faster."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux: newer versions of PyTorch report it for x86; without PyTorch, OpenVINO does
        if importlib.util.find_spec("torch"):
            cpu = import_module("torch").cpu
            known = (getattr(cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
            return any(ask() for ask in known if ask)
        core = getattr(import_optional("openvino"), "Core", None) if importlib.util.find_spec("openvino") else None
        return core is not None and "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    flags = next((line.split(":", 1)[1] for line in lines if line.startswith(("flags", "Features"))), "")
    return not BF16_FLAGS.isdisjoint(flags.split())


def check_outputs(outputs: list[Blob]) -> list[Blob]:
    """Return the outputs; raises `BadModel` for values that are not finite, which would look like "no faces"."""
    if not all(np.isfinite(output).all() for output in outputs):
        raise BadModel("A model returned infinite or undefined values. Its file is damaged or for another program.")
    return outputs


def sigmoid(values: Any) -> Any:
    """Return the probabilities, 0..1, of a net's scores, of any shape and float type."""
    return 1 / (1 + np.exp(-np.clip(values, -80, 80)))


def _source(path: Path) -> tuple[Any, ...]:
    """Return the arguments with which this OpenCV version reads the file on its classic engine.

    OpenCV 5's new engine returns only one of BlazeFace's two outputs, and 5.0 ignores the requested engine when it
    reads from memory. OpenCV 4 has one engine, and reads from memory files whose path it cannot open on Windows.
    """
    classic = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
    if classic is None:
        return (np.frombuffer(path.read_bytes(), np.uint8),)
    return str(path), classic
