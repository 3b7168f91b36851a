"""A loaded net with its stages on their backends, for any number of faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import BadModel, FaceFixError
from ..inference import DeviceFailed
from ..inference.providers import check_start, note_failure
from ..nets import Net, Stage, load_net, stages
from ..optional_imports import import_optional
from ..settings.devices import CPU, parse_device
from .backends import OpenvinoPart, OrtPart, Part, Tensors, TorchPart, explain_failure
from .batch_sizer import BatchSizer, CudaMemoryMeter, Item
from .onnx_export import export_stage
from .select import Backend, Machine, select_backend, this_machine

AT_ONCE = 4
"""Number of faces in a pass on an accelerator that does not report its memory."""

Blob = NDArray[np.float32]
"""One image for a network, (3, H, W), or several, (N, 3, H, W); RGB in the range of the network's `Spec`."""


def load_runner(
    path: Path, cache: Path, engine: str = "auto", precision: str = "exact", machine: Machine | None = None
) -> Runner:
    """Load the net of a file; its backends are started for the first image.

    cache: folder for exported stages. engine, precision: see `select_backend`.
    Raises `BadModel`, `BadSetting` or `MissingPackage`.
    """
    machine = machine or this_machine()
    runner = Runner(load_net(path), cache, engine, precision, machine, path)
    select_backend(runner.spec.architecture, True, machine, engine, precision)
    return runner


class Runner:
    """A net on its selected backends. Thread-safe; one pass runs at a time.

    The net is dropped once its stages are started, because the backends have their own weights. It is loaded again if
    needed (for CodeFormer without fusion, or for a face that did not fit into memory).
    """

    def __init__(
        self, net: Net, cache: Path, engine: str, precision: str, machine: Machine, path: Path | None = None
    ) -> None:
        """path: file from which the net can be loaded again; without it the net is kept."""
        self.spec, self._sha256, self._cache, self._machine = net.spec, net.sha256, cache, machine
        self._engine, self._precision = engine, precision
        self._net: Net | None = net
        self._path = path
        self._parts: dict[bool, list[Part]] = {}
        by_torch = machine.accelerator if engine in ("auto", "torch") else ""
        meter = CudaMemoryMeter(by_torch) if by_torch.startswith("cuda") else None
        self._passes = BatchSizer(meter, AT_ONCE if by_torch or machine.provided != CPU else 1)
        self._lock = Lock()

    @property
    def scale(self) -> int:
        """Output pixels for each input pixel, along one side."""
        return self.spec.scale

    def __call__(self, blob: Blob, w: float = 0.0) -> tuple[Blob, str]:
        """Return (N, 3, scale H, scale W) for (N, 3, H, W), and the backend and precision of the last image."""
        answers, engines = zip(*self.each(list(blob), lambda one: one, w), strict=True)
        return np.stack(answers), engines[-1]

    def each(
        self, pictures: Sequence[Item], blob_of: Callable[[Item], Blob], w: float = 0.0
    ) -> Iterator[tuple[Blob, str]]:
        """Yield (3, scale H, scale W) for each image and its backend, in as few passes as memory allows.

        blob_of: converts an image to (3, H, W), the same size for all, just before its pass.
        w: CodeFormer's, 0..1; other nets ignore it.
        Raises `BadModel` if the net fails on its backend.
        """
        fused = self.spec.fused and (w > 0 or self._as_authors)

        def together(some: Sequence[Item]) -> list[tuple[Blob, str]]:
            blob = np.stack([blob_of(one) for one in some])
            with self._lock:
                answers, engine = self._run(blob, fused, w)
            return [(answer, engine) for answer in answers]

        try:
            yield from self._passes.run(pictures, together, lambda one: self._on_processor(blob_of(one), w))
        except RuntimeError as error:  # all of PyTorch's errors
            raise BadModel(explain_failure(_titles(self._parts.get(fused, ())) or "PyTorch", error)) from error

    def _on_processor(self, picture: Blob, w: float) -> tuple[Blob, str]:
        """Return the output for one image that did not fit into the accelerator's memory."""
        spare = Runner(self._whole(), self._cache, "torch", "exact", Machine())
        [answer], engine = spare(picture[None], w)
        return np.asarray(answer), engine

    def _run(self, blob: Blob, fused: bool, w: float) -> tuple[Blob, str]:
        flow: Tensors = (torch.from_numpy(np.ascontiguousarray(blob, np.float32)),)
        more: Tensors = (torch.tensor([w], dtype=torch.float32),) if fused else ()
        parts = self._ready(flow, fused, more)
        for part in parts[:-1]:
            flow = part(flow)
        [answer] = parts[-1](flow + more)
        return np.asarray(answer.float().cpu().numpy()), _titles(parts)

    def _ready(self, flow: Tensors, fused: bool, more: Tensors) -> list[Part]:
        """Return the net's stages on their backends, starting them when they are first needed."""
        if fused not in self._parts:
            net = self._whole()
            if self._as_authors:
                self._parts[fused] = [TorchPart(net.module, Backend("torch", "fp32"))]
            else:
                self._parts[fused] = self._start_parts(stages(net, w_is_zero=not fused), flow, more)
            if self._path:
                self._net = None
        return self._parts[fused]

    def _whole(self) -> Net:
        """Return the net, loading it again if it was dropped."""
        if self._net is None:
            assert self._path is not None
            return load_net(self._path)
        return self._net

    @property
    def _as_authors(self) -> bool:
        """Whether the net runs undivided, as its authors run it."""
        return (self._engine, self._precision, self._machine.accelerator) == ("torch", "exact", "")

    def _start_parts(self, cut: Sequence[Stage], flow: Tensors, more: Tensors) -> list[Part]:
        """Start each stage with the outputs of the previous one as examples, which an export needs."""
        parts: list[Part] = []
        for number, stage in enumerate(cut):
            last = number == len(cut) - 1
            examples = flow + more if last else flow
            parts.append(self._part(stage, examples))
            if not last:
                flow = parts[-1](examples)
        return parts

    def _part(self, stage: Stage, examples: Tensors) -> Part:
        backend = select_backend(self.spec.architecture, stage.bf16, self._machine, self._engine, self._precision)
        if backend.engine in ("torch", "winograd"):
            return TorchPart(stage.module, backend)
        try:
            import_optional(backend.engine)  # fails before an export that the backend could not read
            if backend.engine == "onnxruntime":
                check_start(parse_device(backend.device))
            return self._export_part(stage, backend, examples)
        except FaceFixError as error:
            if self._engine != "auto" or self._machine.wanted != CPU:
                raise
            if isinstance(error, DeviceFailed):
                note_failure(self._machine.provided, error)
            without_exports = replace(self._machine, packages=frozenset(), provided=CPU)
            return TorchPart(
                stage.module,
                select_backend(self.spec.architecture, stage.bf16, without_exports, "auto", self._precision),
            )

    def _export_part(self, stage: Stage, backend: Backend, examples: Tensors) -> Part:
        """Return the stage on a backend that reads exports; an old export that it cannot read is replaced."""
        path, is_new = export_stage(stage, examples, self._sha256, self._cache / "networks")
        try:
            if backend.engine == "onnxruntime":
                return OrtPart(path, stage.inputs, backend)
            return OpenvinoPart(path, stage.inputs, backend, examples)
        except BadModel:
            if is_new:
                raise
            path.unlink(missing_ok=True)
            return self._export_part(stage, backend, examples)


def _titles(parts: Sequence[Part]) -> str:
    """Return the backends of a net's stages, for the report."""
    return " + ".join(dict.fromkeys(part.title for part in parts))
