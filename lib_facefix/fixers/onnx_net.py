"""Face restorers in ONNX files, on ONNX Runtime alone: published ones such as GPEN, and the user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel, briefly
from ..inference import Blob, DeviceFailed, start_bounded_session
from ..inference.providers import start_automatic
from ..optional_imports import import_optional
from ..settings.devices import CPU, Device
from ..types import Image
from ..weights import JsonCache, RestorerLayout, read_restorer
from .onnx_trial import FREE_SIDE, Tried, try_net
from .restore import Restorer

TRIAL_FIDELITY = 0.5
"""CodeFormer's fidelity in a trial run."""
MAX_CACHED_TRIALS = 100
AT_ONCE = 4
"""Number of faces in a pass on an accelerator, if the net takes any number. On a processor, more save no time."""
PROCESSOR = "CPUExecutionProvider"
"""ONNX Runtime's name for the processor."""
PUBLISHED_RANGE = -1.0, 1.0
"""Values of black and white in all published files: https://github.com/facefusion/facefusion, face_enhancer."""


class OnnxSpec(NamedTuple):
    """Inputs and outputs of a net; see `NetSpec`."""

    low: float
    high: float
    size: int
    side: int
    fused: bool


def from_published(path: Path, device: Device = CPU) -> Restorer:
    """Return the restorer of a published file, whose range of values is known; raises `BadModel` or `DeviceFailed`."""
    layout = read_restorer(path, published=True)
    side = layout.side or FREE_SIDE
    tried = Tried(*PUBLISHED_RANGE, side, layout.restored_side or side)
    return Restorer(_load(path, path.read_bytes(), layout, tried, device, path.name))


def from_file(path: Path, cache: Path, device: Device = CPU) -> Restorer:
    """Return the restorer of the user's own file; a trial run finds its range of values, once for each content.

    cache: folder for the findings of trial runs. Raises `BadModel` or `DeviceFailed`.
    """
    layout, content = read_restorer(path), path.read_bytes()
    known, key = JsonCache(cache / "trials.json", MAX_CACHED_TRIALS), hashlib.sha256(content).hexdigest()
    tried = Tried.read(known.get(key))
    if tried is None:
        tried = _try_file(path, content, layout)
        known.put(key, tried)
    return Restorer(_load(path, content, layout, tried, device))


def _try_file(path: Path, content: bytes, layout: RestorerLayout) -> Tried:
    """Return the findings of a trial run, for which memory is bounded; raises `BadModel`."""
    onnxruntime = import_optional("onnxruntime")
    with _explained(path):
        session, options = start_bounded_session(onnxruntime, content)
    try:
        return try_net(lambda blob: _run(session, layout, blob, TRIAL_FIDELITY, options), layout)
    except BadModel as error:
        raise BadModel(f"{path} cannot be used as a restorer: {error}") from error


def _load(path: Path, content: bytes, layout: RestorerLayout, tried: Tried, device: Device, name: str = "") -> OnnxNet:
    """Return the net, ready to be used. name: the file's, if the report is to tell it."""
    onnxruntime = import_optional("onnxruntime")
    with _explained(path):
        session, chosen = start_automatic(onnxruntime, content, 0, device)
    number = {"float32": "fp32", "float16": "fp16"}[layout.dtype]
    engine = f"ONNX Runtime {onnxruntime.__version__} {number}"
    where = "" if chosen == CPU else chosen.title
    return OnnxNet(session, layout, tried, ", ".join(filter(None, (engine, where, name))))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Raise `BadModel` for any error of ONNX Runtime that reads the file; its errors have no common base."""
    try:
        yield
    except DeviceFailed:
        raise
    except Exception as error:
        raise BadModel(f"ONNX Runtime cannot read the model {path}: {briefly(error)}") from error


class OnnxNet:
    """A `FaceNet` of an ONNX file. Thread-safe."""

    def __init__(self, session: Any, layout: RestorerLayout, tried: Tried, engine: str) -> None:
        """session: ONNX Runtime's. engine: backend, precision, and file, for the report."""
        self._session, self._layout, self._engine = session, layout, engine
        self.spec = OnnxSpec(*tried, fused=bool(layout.fidelity))
        on_processor = session.get_providers()[0] == PROCESSOR
        self._at_once = AT_ONCE if layout.batches and not on_processor else 1
        self._lock = nullcontext() if on_processor else Lock()  # some providers cannot run twice at a time

    def each(
        self, pictures: Sequence[Image], blob_of: Callable[[Image], Blob], w: float = 0.0
    ) -> Iterator[tuple[Blob, str]]:
        """Yield (3, side, side) for each image and its backend; see `FaceNet`. Raises `BadModel` if the net fails."""
        for start in range(0, len(pictures), self._at_once):
            blob = np.stack([blob_of(picture) for picture in pictures[start : start + self._at_once]])
            try:
                with self._lock:
                    answers = _run(self._session, self._layout, blob, w)
            except BadModel as error:
                raise BadModel(f"The net failed on {self._engine} ({error}). Choose another model.") from error
            yield from ((answer, self._engine) for answer in answers)


def _run(session: Any, layout: RestorerLayout, blob: Blob, w: float, options: Any = None) -> NDArray[np.float32]:
    """Return the net's output for (N, 3, side, side); raises `BadModel` with ONNX Runtime's words."""
    fed: dict[str, NDArray[Any]] = {layout.image: blob.astype(layout.dtype, copy=False)}
    if layout.fidelity:
        fed[layout.fidelity] = np.full(layout.fidelity_shape, w, layout.fidelity_dtype)
    try:
        [answer] = session.run([layout.restored], fed, options)
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise BadModel(briefly(error)) from error
    return np.asarray(answer, np.float32)
