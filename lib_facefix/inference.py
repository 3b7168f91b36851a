"""Running small networks from files, on OpenCV, ONNX Runtime or OpenVINO, whichever suits them best."""

import importlib.util
import os
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import BadModel, briefly
from .optional_imports import import_optional
from .weights.onnxfile import check_onnx as check_onnx

EXACT = "exact"
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Processor flags of Linux, on x86 and ARM, that mean bfloat16 multiplication in hardware."""
TRIAL_BYTES = 4 << 30
"""Memory that a trial run of a model may take: more than restorers of 2048 px need."""
_REGISTERING = Lock()
Blob = NDArray[np.float32]
"""Input or output of a network; images are (N, C, H, W)."""


class Network(Protocol):
    """A loaded network. Thread-safe."""

    engine: str
    """Backend and version, for the report."""

    def __call__(self, blob: Blob) -> list[Blob]:
        """Return all outputs for one input."""


def load(path: Path) -> Network:
    """Load a `.tflite` or `.onnx` file; raises `BadModel` if no installed backend can read it.

    OpenCV comes first: with its Winograd convolutions these small nets need 0.6 of ONNX Runtime's CPU time.
    """
    try:
        return CvNetwork(path)
    except BadModel:
        if path.suffix != ".onnx" or not importlib.util.find_spec("onnxruntime"):
            raise
        return OrtNetwork(path)


def load_as_made(path: Path, precision: str = EXACT) -> Network:
    """Load an `.onnx` file on ONNX Runtime, or on OpenCV if ONNX Runtime is not installed.

    precision: "exact" or "fast" (see `Runtime`). Fast is OpenVINO's bfloat16, if package and processor support it.
    """
    may_round = precision != EXACT and importlib.util.find_spec("openvino") and has_bf16()
    if may_round and hasattr(import_optional("openvino"), "Core"):  # older versions have it elsewhere
        return OvNetwork(path)
    return OrtNetwork(path) if importlib.util.find_spec("onnxruntime") else CvNetwork(path)


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

    def __init__(self, path: Path) -> None:
        check_onnx(path)
        onnxruntime = import_optional("onnxruntime")
        try:
            self._session = start_session(onnxruntime, path.read_bytes())
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise BadModel(f"ONNX Runtime cannot read the model {path}: {briefly(error)}") from error
        self._input = self._session.get_inputs()[0].name
        self.engine = f"ONNX Runtime {onnxruntime.__version__}"

    def __call__(self, blob: Blob) -> list[Blob]:
        """Return all outputs for one input."""
        try:
            outputs: list[Blob] = self._session.run(None, {self._input: blob})
        except Exception as error:  # as above
            raise BadModel(f"A model failed in {self.engine}: {briefly(error)}.") from error
        return outputs


def start_session(onnxruntime: Any, model: str | bytes, threads: int = 0) -> Any:
    """Return an ONNX Runtime session on the processor; passes on ONNX Runtime's errors, which have no common base.

    model: a path, or the content of a file; threads: number of threads, 0 for $OMP_NUM_THREADS, by which all other
    libraries go, and without it ONNX Runtime's choice.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or (int(given) if given.isdecimal() else 0)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads use no CPU
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def start_bounded_session(onnxruntime: Any, model: bytes) -> tuple[Any, Any]:
    """Return a session on the processor for a model that is not trusted, and the options for its runs.

    A run may take `TRIAL_BYTES` of memory, and gives them back. A tensor that does not fit is refused before it takes
    memory. Nothing is computed in advance, so this is also true of the model's constants. Passes on ONNX Runtime's
    errors, which have no common base.
    """
    with _REGISTERING:
        _register_bounded_memory(onnxruntime)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4  # a refusal is told in a sentence of our own
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False  # one block for all of a run would be kept
    run_options = onnxruntime.RunOptions()
    run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]), run_options


@cache
def _register_bounded_memory(onnxruntime: Any) -> None:
    """Give ONNX Runtime the memory that only bounded sessions use; it accepts this once in a process."""
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"max_mem": TRIAL_BYTES}))


class OvNetwork:
    """An ONNX network on OpenVINO in bfloat16, which takes half as long as float32 on processors that support it."""

    def __init__(self, path: Path) -> None:
        check_onnx(path)
        openvino = import_optional("openvino")
        try:
            compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
        except RuntimeError as error:
            raise BadModel(f"OpenVINO cannot read the model {path}: {briefly(error)}") from error
        self._request, self._lock = compiled.create_infer_request(), Lock()
        self.engine = f"OpenVINO {openvino.__version__.split('-')[0]} bf16"

    def __call__(self, blob: Blob) -> list[Blob]:
        """Return all outputs for one input."""
        with self._lock:
            try:
                self._request.infer({0: blob})
            except RuntimeError as error:
                raise BadModel(f"A model failed in {self.engine}: {briefly(error)}.") from error
            return [np.array(output.data) for output in self._request.output_tensors]


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
