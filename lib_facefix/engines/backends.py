"""One part of a net, ready to run. Each takes and gives tuples of tensors; only the engine differs."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..errors import BadModel, briefly
from ..inference import check_file, start_session
from ..optional_imports import import_optional
from .select import Backend
from .winograd import with_winograd

Tensors = tuple[Tensor, ...]


class Part(Protocol):
    """A part of a net on an engine."""

    @property
    def title(self) -> str:
        """The engine, its release and the precision, for the report."""
        ...

    def __call__(self, inputs: Tensors) -> Tensors:
        """Return the outputs in order; inputs may lie on any device."""
        ...


class TorchPart:
    """On PyTorch: as it is, with Winograd's convolutions, or in another precision or on another device."""

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
        device = "" if backend.device == "cpu" else f", {backend.device}"
        manner = ", Winograd" if backend.engine == "winograd" else device
        self.title = f"PyTorch {torch.__version__.split('+')[0]} {backend.precision}{manner}"

    def __call__(self, inputs: Tensors) -> Tensors:
        """Return the outputs in order, on the device of this part."""
        with torch.inference_mode(), _tf32(self._backend):
            outputs = self._module(*(self._to_device(tensor) for tensor in inputs))
        return outputs if isinstance(outputs, tuple) else (outputs,)

    def _to_device(self, tensor: Tensor) -> Tensor:
        form = self._format if tensor.ndim == 4 else torch.preserve_format
        return tensor.to(self._backend.device, self._type, memory_format=form)


class OrtPart:
    """An exported part on ONNX Runtime, float32."""

    def __init__(self, path: Path, inputs: tuple[str, ...]) -> None:
        check_file(path)
        onnxruntime = import_optional("onnxruntime")
        try:
            self._session = start_session(onnxruntime, str(path), torch.get_num_threads())
        except Exception as error:  # its exceptions have no base of their own
            raise BadModel(_unreadable(path, "ONNX Runtime", error)) from error
        self._names = inputs
        self.title = f"ONNX Runtime {onnxruntime.__version__} fp32"

    def __call__(self, inputs: Tensors) -> Tensors:
        """Return the outputs in order."""
        fed = {name: _plain(tensor).numpy() for name, tensor in zip(self._names, inputs, strict=True)}
        try:
            outputs = self._session.run(None, fed)
        except Exception as error:  # its exceptions have no base of their own
            raise BadModel(explain_failure(self.title, error)) from error
        return tuple(torch.from_numpy(output) for output in outputs)


class OpenvinoPart:
    """An exported part on OpenVINO, float32 or bfloat16, compiled once for each shape it meets."""

    def __init__(self, path: Path, inputs: tuple[str, ...], precision: str, examples: Tensors) -> None:
        """examples: of what will come, so that a file that cannot be run is told now."""
        check_file(path)
        openvino = import_optional("openvino")
        self._core: Any = openvino.Core()
        self._path, self._names = path, inputs
        self._wanted = {
            "INFERENCE_PRECISION_HINT": {"bf16": "bf16", "fp32": "f32"}[precision],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._compiled: tuple[object, Any] = None, None
        self.title = f"OpenVINO {openvino.__version__.split('-')[0]} {precision}"
        self._request(tuple(tuple(example.shape) for example in examples))

    def __call__(self, inputs: Tensors) -> Tensors:
        """Return the outputs in order."""
        arrays = [_plain(tensor).numpy() for tensor in inputs]
        request = self._request(tuple(array.shape for array in arrays))
        request.infer(dict(enumerate(arrays)))
        # Copies, since the next call writes where these outputs lie.
        return tuple(torch.tensor(output.data) for output in request.output_tensors)

    def _request(self, shapes: tuple[tuple[int, ...], ...]) -> Any:
        """Return what runs inputs of these shapes; the latest is kept, as one upscaler's tiles are all alike."""
        if self._compiled[0] != shapes:
            try:
                model = self._core.read_model(self._path)
                model.reshape(dict(zip(self._names, shapes, strict=True)))
                self._compiled = shapes, self._core.compile_model(model, "CPU", self._wanted).create_infer_request()
            except RuntimeError as error:
                raise BadModel(_unreadable(self._path, "OpenVINO", error)) from error
        return self._compiled[1]


def _copy_module(module: nn.Module, device: str, kind: torch.dtype, form: torch.memory_format) -> nn.Module:
    """Return a copy of the module elsewhere; the net keeps its own weights."""
    moved = copy.deepcopy(module).to(device, kind)
    for tensor in (*moved.parameters(), *moved.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.contiguous(memory_format=form)
    return moved


@contextmanager
def _tf32(backend: Backend) -> Iterator[None]:
    """Let a CUDA device round the factors of its products to 10 bits meanwhile, or not.

    The switch is the whole program's, so it is left alone where nothing runs on CUDA. PyTorch 2.9 gave it another
    name, and raises where somebody asks by the old one after somebody else has set the new one.
    """
    if backend.device != "cuda":
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
    """Return that a net failed, and why."""
    return f"the net failed on {engine} ({briefly(error)}); select_backend the engine 'torch', or another model"


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32).contiguous()


def _unreadable(path: Path, engine: str, error: Exception) -> str:
    told = briefly(error)
    return f"{path} cannot be run by {engine} ({told}); delete it to have it made anew, or choose the engine 'torch'"
