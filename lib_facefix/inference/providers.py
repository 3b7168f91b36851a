"""ONNX Runtime's execution providers: which there are, how each is configured, and what runs if one does not start.

A provider that is listed may still fail to start, for example without the libraries of CUDA. ONNX Runtime then uses the
processor and only logs it. Here this is noticed: the device "auto" moves on and keeps a note, others raise an error.
"""

import os
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from threading import Lock
from typing import Any

from ..errors import BadSetting, FaceFixError, briefly
from ..optional_imports import import_optional
from ..settings.devices import AUTO, CPU, KINDS, Device
from ..weights.model_paths import cache_folder

Options = dict[str, str]
TINY_MODEL = (
    b'\x08\x08\x12\x00:3\n\x0c\n\x01x\x12\x01y"\x04Relu\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04'
    b"\n\x02\x08\x01b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)
"""An ONNX file with one operator: y = Relu(x), each of one number."""
_failed: set[Device] = set()
"""Devices that did not start in this process, so that "auto" tries each only once."""
_started: set[Device] = set()
"""Devices that have started in this process."""
_notes: dict[str, None] = {}
"""Sentences about what "auto" tried in vain, each once."""
_noting = Lock()
_registering = Lock()
TRIAL_BYTES = 4 << 30
"""Memory that a trial run of a model may take: more than restorers of 2048 px need."""


class DeviceFailed(BadSetting):
    """A device is not available, or did not start."""

    def __init__(self, sentence: str, *, for_all: bool = True) -> None:
        """for_all: whether the device fails for every model, not only for this one."""
        super().__init__(sentence)
        self.for_all = for_all


def list_providers() -> tuple[str, ...]:
    """Return the execution providers of the installed ONNX Runtime, which is imported; none without it."""
    if not find_spec("onnxruntime"):
        return ()
    try:
        return tuple(import_optional("onnxruntime").get_available_providers())
    except FaceFixError:  # an installation that cannot be imported: whoever needs it gets the error
        return ()


def find_provider(device: Device, providers: tuple[str, ...] | None = None) -> str:
    """Return the listed execution provider of a device, which must not be "auto"; blank if there is none."""
    listed = list_providers() if providers is None else providers
    return next((name for name in device.kind.providers if name in listed), "")


def list_automatic(device: Device) -> Iterator[Device]:
    """Yield the devices that an "auto" stands for on ONNX Runtime, best first, and always the processor at last."""
    listed = list_providers()
    for kind in KINDS.values():
        one = Device(kind.name, device.place)
        if kind.automatic and find_provider(one, listed) and one not in _failed:
            yield one
    yield CPU


def list_notes() -> tuple[str, ...]:
    """Return a sentence for each device that "auto" tried in vain in this process."""
    return tuple(_notes)


def explain_missing(device: Device) -> str:
    """Return a sentence about a device that no installed library can use."""
    kind = device.kind
    ways = [f"an ONNX Runtime with {kind.providers[0]} ({kind.package})"] if kind.providers else []
    ways += [kind.build] if kind.build else []
    return (
        f"the device {device} ({kind.label}) needs {' or '.join(ways)}, which is not installed. Install it, or use "
        "--device auto"
    )


def start_session(
    onnxruntime: Any, model: str | bytes, threads: int = 0, device: Device = CPU, *, exact: bool = True
) -> Any:
    """Return an ONNX Runtime session on a device, which must not be "auto".

    model: a path, or the content of a file. threads: number of threads of the processor, 0 for $OMP_NUM_THREADS, by
    which all other libraries go, and without it ONNX Runtime's choice.
    exact: False allows a GPU to round factors of products to 10 bits (TF32). Raises `DeviceFailed` if the device cannot
    be used; passes on ONNX Runtime's other errors, which have no common base.
    """
    options = onnxruntime.SessionOptions()
    given = os.environ.get("OMP_NUM_THREADS", "")
    options.intra_op_num_threads = threads or (int(given) if given.isdecimal() else 0)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads use no CPU
    if device == CPU:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    provider = find_provider(device, tuple(onnxruntime.get_available_providers()))
    if not provider:
        raise DeviceFailed(explain_missing(device))
    options.log_severity_level = 3  # which operators stay on the processor is no news
    if device.name == "directml":  # it supports neither
        options.enable_mem_pattern = False
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    chain: list[Any] = [(provider, make_options(device, onnxruntime.__version__, exact=exact)), "CPUExecutionProvider"]
    if device.name == "tensorrt":  # for operators that TensorRT lacks
        cuda = Device("cuda", device.place)
        chain.insert(1, ("CUDAExecutionProvider", make_options(cuda, onnxruntime.__version__, exact=exact)))
    if device.name in ("cuda", "tensorrt"):
        _preload_libraries(onnxruntime)
    try:  # without its own fallback, which prints to standard output
        session = onnxruntime.InferenceSession(model, options, providers=chain, enable_fallback=0)
    except _list_errors(onnxruntime) as error:
        raise _failure(device, briefly(error).rstrip("."), for_all=False) from error
    if provider not in session.get_providers():
        raise _failure(device, "its libraries or drivers cannot be loaded")
    session.disable_fallback()
    return session


def start_bounded_session(onnxruntime: Any, model: bytes) -> tuple[Any, Any]:
    """Return a session on the processor for a model that is not trusted, and the options for its runs.

    A run may take `TRIAL_BYTES` of memory, and gives them back. A tensor that does not fit is refused before it takes
    memory. Nothing is computed in advance, so this is also true of the model's constants. Passes on ONNX Runtime's
    errors, which have no common base.
    """
    with _registering:
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


def start_automatic(onnxruntime: Any, model: str | bytes, threads: int, wanted: Device, *, exact: bool = True) -> Any:
    """Return a session on the first device that `wanted` stands for and that starts, and that device.

    Raises as `start_session` if `wanted` is not "auto".
    """
    if wanted.name != AUTO:
        return start_session(onnxruntime, model, threads, wanted, exact=exact), wanted
    errors: dict[Device, DeviceFailed] = {}
    for device in list_automatic(wanted):
        try:
            session = start_session(onnxruntime, model, threads, device, exact=exact)
        except DeviceFailed as failure:
            errors[device] = failure
            continue
        for failed, reason in errors.items():  # only now, as a bad model fails everywhere
            note_failure(failed, reason)
        return session, device
    raise AssertionError("the processor never fails as a device")


def note_failure(device: Device, error: DeviceFailed) -> None:
    """Keep that a device did not start, so that people are told once, and "auto" does not try it again."""
    with _noting:
        _notes[f"{error} Until then, auto uses the processor"] = None
        if error.for_all:
            _failed.add(device)


def check_start(device: Device) -> None:
    """Raise `DeviceFailed` if a device does not start with a model of one operator; once a process for each device."""
    if device != CPU and device not in _started:
        start_session(import_optional("onnxruntime"), TINY_MODEL, 1, device)
        _started.add(device)


def make_options(device: Device, version: str, *, exact: bool = True) -> Options:
    """Return the options of a device's execution provider. version: of ONNX Runtime, which names its caches."""
    number = {"device_id": str(device.number)}
    cache = str(cache_folder() / "compiled" / f"{device.name}-{version}")
    tf32 = "0" if exact else "1"
    if device.name == "openvino":
        return {"device_type": device.place.upper() or "CPU", "precision": "FP32"}
    if device.name == "coreml":
        return {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL", "ModelCacheDirectory": _make_folder(cache)}
    if device.name == "qnn":
        return {"backend_type": "htp"}
    if device.name == "cuda":  # memory as needed, as a WebUI may share the GPU, and no trial of algorithms
        return {**number, "use_tf32": tf32, "cudnn_conv_algo_search": "HEURISTIC",
                "arena_extend_strategy": "kSameAsRequested"}  # fmt: skip
    if device.name == "tensorrt":
        kept = {"trt_engine_cache_enable": "1", "trt_timing_cache_enable": "1"}
        return {**number, **kept, "trt_engine_cache_path": _make_folder(cache), "trt_timing_cache_path": cache}
    if device.name == "migraphx":
        return {**number, "migraphx_model_cache_dir": _make_folder(cache)}
    return number


def _make_folder(path: str) -> str:
    """Create a folder for compiled models, so that the next start is fast; without it, they are compiled again."""
    with suppress(OSError):
        Path(path).mkdir(parents=True, exist_ok=True)
    return path


def _failure(device: Device, reason: str, *, for_all: bool = True) -> DeviceFailed:
    sentence = (
        f"ONNX Runtime cannot start the device {device} ({device.kind.label}): {reason}. It needs its driver, and"
    )
    return DeviceFailed(f"{sentence} {device.kind.package}.", for_all=for_all)


def _list_errors(onnxruntime: Any) -> tuple[type[Exception], ...]:
    """Return the errors of a provider that does not start; those of ONNX Runtime are no RuntimeErrors."""
    state = onnxruntime.capi.onnxruntime_pybind11_state
    return ValueError, RuntimeError, state.EPFail, state.Fail, state.NotImplemented, state.RuntimeException


def _preload_libraries(onnxruntime: Any) -> None:
    """Load the libraries of CUDA from pip's packages, where the system's loader does not find them."""
    if find_spec("nvidia") and hasattr(onnxruntime, "preload_dlls"):  # since 1.21
        with redirect_stdout(StringIO()):  # it prints what it cannot load, and then the session does not start
            onnxruntime.preload_dlls()
