"""Stages of a net on a backend. All take and return tuples of tensors."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import BadModel, briefly
from ..inference import DeviceFailed, check_onnx, compile_on_openvino
from ..inference.providers import start_session
from ..optional_imports import import_optional
from ..settings.devices import CPU, parse_device
from .batch_sizer import is_out_of_memory
from .select import Backend
from .winograd import with_winograd

Tensors = tuple[Tensor, ...]


class TorchPart:
    """A stage on PyTorch: unchanged, with Winograd's convolutions, or in another precision or on another device.

    Like all backends it has a `title` for the report: name, version and precision. Inputs may be on any device.
    """

    def __init__(self, module: nn.Module, backend: Backend) -> None:
        self._backend = backend
        self._type = torch.bfloat16 if backend.precision == "bf16" else torch.float32
        self._format = torch.channels_last if backend.precision in ("bf16", "tf32") else torch.preserve_format
        if backend.engine == "winograd":
            self._module = with_winograd(module)
        elif backend.device == "cpu" and backend.precision == "fp32":
            self._module = module
        else:
            self._module = _copy_module(module, backend.device, self._type, self._format)
        shown = backend.device.replace("cuda", "rocm") if torch.version.hip else backend.device
        device = "" if backend.device == "cpu" else f", {shown}"
        manner = ", Winograd" if backend.engine == "winograd" else device
        self.title = f"PyTorch {torch.__version__.split('+')[0]} {backend.precision}{manner}"

    def __call__(self, inputs: Tensors) -> Tensors:
        """Return the outputs in order."""
        with torch.inference_mode(), _tf32(self._backend):
            outputs = self._module(*(self._to_device(tensor) for tensor in inputs))
        return outputs if isinstance(outputs, tuple) else (outputs,)

    def _to_device(self, tensor: Tensor) -> Tensor:
        form = self._format if tensor.ndim == 4 else torch.preserve_format
        return tensor.to(self._backend.device, self._type, memory_format=form)


class OrtPart:
    """An exported stage on ONNX Runtime, float32 or TF32."""

    def __init__(self, path: Path, inputs: tuple[str, ...], backend: Backend) -> None:
        """Raises `BadModel`, and `DeviceFailed` if the device does not start."""
        _check_export(path, "ONNX Runtime")
        onnxruntime, device = import_optional("onnxruntime"), parse_device(backend.device)
        exact, threads = backend.precision != "tf32", torch.get_num_threads()
        try:
            self._session = start_session(onnxruntime, str(path), threads, device, exact=exact)
        except DeviceFailed:
            raise
        except Exception as error:  # its exceptions have no base of their own
            raise BadModel(_unreadable(path, "ONNX Runtime", briefly(error))) from error
        self._names = inputs
        where = "" if device == CPU else f", {device.title}"
        self.title = f"ONNX Runtime {onnxruntime.__version__} {backend.precision}{where}"

    def __call__(self, inputs: Tensors) -> Tensors:
        """Return the outputs in order."""
        fed = {name: _plain(tensor).numpy() for name, tensor in zip(self._names, inputs, strict=True)}
        try:
            outputs = self._session.run(None, fed)
        except Exception as error:  # its exceptions have no base of their own
            if is_out_of_memory(error):
                raise RuntimeError(f"out of memory: {briefly(error)}") from error  # a smaller batch may fit
            raise BadModel(explain_failure(self.title, error)) from error
        return tuple(torch.from_numpy(output) for output in outputs)


class OpenvinoPart:
    """An exported stage on OpenVINO, float32 or bfloat16, compiled once for each input shape."""

    def __init__(self, path: Path, inputs: tuple[str, ...], backend: Backend, examples: Tensors) -> None:
        """examples: inputs for a first compilation, so that an unusable file fails now."""
        _check_export(path, "OpenVINO")
        openvino = import_optional("openvino")
        self._core: Any = openvino.Core()
        self._path, self._names, self._device = path, inputs, parse_device(backend.device)
        self._wanted: dict[str, Any] = {"INFERENCE_PRECISION_HINT": {"bf16": "bf16", "fp32": "f32"}[backend.precision]}
        if self._device == CPU:  # other parts of OpenVINO do not know it
            self._wanted["INFERENCE_NUM_THREADS"] = torch.get_num_threads()
        self._compiled: tuple[object, Any] = None, None
        where = "" if self._device == CPU else f", {self._device.title}"
        self.title = f"OpenVINO {openvino.__version__.split('-')[0]} {backend.precision}{where}"
        self._request(tuple(tuple(example.shape) for example in examples))

    def __call__(self, inputs: Tensors) -> Tensors:
        """Return the outputs in order."""
        arrays = [_plain(tensor).numpy() for tensor in inputs]
        request = self._request(tuple(array.shape for array in arrays))
        request.infer(dict(enumerate(arrays)))
        # copies, because the next call overwrites these outputs
        return tuple(torch.tensor(output.data) for output in request.output_tensors)

    def _request(self, shapes: tuple[tuple[int, ...], ...]) -> Any:
        """Return an OpenVINO request for these shapes; the last is cached, as most tiles of an image are alike."""
        if self._compiled[0] != shapes:
            try:
                model = self._core.read_model(self._path)
                model.reshape(dict(zip(self._names, shapes, strict=True)))
                compiled = compile_on_openvino(self._core, model, self._device, self._wanted)
                self._compiled = shapes, compiled.create_infer_request()
            except DeviceFailed:
                raise
            except (RuntimeError, BadModel) as error:
                raise BadModel(_unreadable(self._path, "OpenVINO", briefly(error))) from error
        return self._compiled[1]


Part = TorchPart | OrtPart | OpenvinoPart


def _copy_module(module: nn.Module, device: str, kind: torch.dtype, form: torch.memory_format) -> nn.Module:
    """Return a copy of the module on another device or in another type; the net keeps its weights."""
    moved = copy.deepcopy(module).to(device, kind)
    for tensor in (*moved.parameters(), *moved.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.contiguous(memory_format=form)
    return moved


@contextmanager
def _tf32(backend: Backend) -> Iterator[None]:
    """Allow or forbid a CUDA device to round factors of products to 10 bits, as long as the context lasts.

    The switch is global, so it is not touched for other devices. PyTorch 2.9 renamed it, and raises if the old name is
    read after the new one was set.
    """
    if not backend.device.startswith("cuda"):
        yield
        return
    allowed, matmul, cudnn = backend.precision == "tf32", torch.backends.cuda.matmul, torch.backends.cudnn
    places: tuple[Any, ...] = matmul, getattr(cudnn, "conv", cudnn)
    name, value = ("fp32_precision", ("ieee", "tf32")[allowed]) if places[1] is not cudnn else ("allow_tf32", allowed)
    before = [getattr(place, name) for place in places]
    try:
        for place in places:
            setattr(place, name, value)
        yield
    finally:
        for place, was in zip(places, before, strict=True):
            setattr(place, name, was)


def explain_failure(engine: str, error: Exception) -> str:
    """Return an error message for a net that failed."""
    return f"The net failed on {engine} ({briefly(error)}). Choose the engine 'torch', or another model."


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32).contiguous()


def _check_export(path: Path, engine: str) -> None:
    try:
        check_onnx(path)
    except BadModel as error:
        raise BadModel(_unreadable(path, engine, "the file is damaged or unsafe")) from error


def _unreadable(path: Path, engine: str, reason: str) -> str:
    return f"{engine} cannot run {path} ({reason}). Delete it to export it again, or choose the engine 'torch'."
