"""Each restoring net: ours on every engine against spandrel's, run as its authors run it.

    python -m benchmarks.nets

The peer is spandrel's `.model`, float32, one face at a time, on the same weights. Every row says by how much our
answer deviates from the peer's, in standard deviations of the peer's answer.
"""

from __future__ import annotations

import argparse
import gc
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lib_facefix import FaceFix
from lib_facefix.engines import Machine, Runner, load_runner, this_machine
from lib_facefix.errors import FaceFixError
from lib_facefix.imaging.frames import Upright, cut
from lib_facefix.nets import Spec, load_net

from . import weights
from .photos import ONE_FACE, ROOT, photo
from .report import publish, say
from .rows import Row, ratio_row
from .timing import cpu_seconds, once

EXACT_BAR, EXACT_DEVIATION = 1.7, 2e-3
FIXED = ("torch", "winograd", "onnxruntime", "openvino")
"""Engines that `auto` chooses from."""

Blob = NDArray[np.float32]
Call = Callable[[], Tensor]


@dataclass(frozen=True)
class Case:
    """A net to be measured."""

    name: str
    weights: Callable[[], Path]
    fast: float | None = None
    """What `fast` has to reach, times the peer's speed."""
    exact: float | None = EXACT_BAR
    w: float = 0.0
    """CodeFormer's own fidelity."""
    kin: bool = False
    """Whether it is so like another case that engines and threads are measured with that one alone."""


CASES = (
    Case("GFPGAN", weights.gfpgan, fast=3.5),
    Case("CodeFormer, w 0.5", weights.codeformer, fast=2.2, w=0.5),
    Case("CodeFormer, w 0", weights.codeformer, fast=2.2, kin=True),
    Case("RestoreFormer", weights.restoreformer),
    Case("RestoreFormer++", weights.restoreformer_plus, kin=True),
    Case("RRDB x4, 128 to 512 px", partial(weights.published, "RealESRGAN_x4plus.pth"), fast=3.0),
    Case("SRVGG x4, 128 to 512 px", partial(weights.published, "realesr-animevideov3.pth"), exact=None),
)


class Peer:
    """A net as spandrel makes it and its authors call it."""

    def __init__(self, path: Path, spec: Spec, w: float) -> None:
        self._net, self._name, self._w = _by_spandrel(path, spec), spec.architecture, w

    def __call__(self, picture: Tensor, *, repeatable: bool = False) -> Tensor:
        """Return the answer; with GFPGAN's noise drawn anew, as everyone runs it, unless it is to be repeatable."""
        with torch.no_grad():
            if self._name == "GFPGAN":
                answer = self._net(picture, return_rgb=False, randomize_noise=not repeatable)[0]
            elif self._name == "CodeFormer":
                answer = self._net(picture, self._w, adain=True)[0]
            elif self._name.startswith("RestoreFormer"):
                answer = self._net(picture)[0]
            else:
                answer = self._net(picture)
        return answer  # type: ignore[no-any-return]


def measured(case: Case, threads: int, repeats: int, machine: Machine, *, all_engines: bool) -> list[Row]:
    """Return the rows of one net: auto in both precisions in turns with the peer, then each engine by itself."""
    torch.set_num_threads(threads)
    path = case.weights()
    spec = load_net(path).spec
    blob = face(spec)
    picture = torch.from_numpy(blob)
    peer = Peer(path, spec, case.w)
    wanted = peer(picture, repeatable=True).numpy()
    precise = {name: _loaded(path, "auto", name, machine) for name in ("exact", "fast")}
    calls: dict[str, Callable[[], object]] = {"peer": lambda: peer(picture)}
    calls.update({name: partial(runner, blob, case.w) for name, runner in precise.items()})
    answers = {name: runner(blob, case.w) for name, runner in precise.items()}  # warms, too
    seconds = cpu_seconds(calls, repeats, warm=False)
    rows = []
    for name, (answer, engine) in answers.items():
        apart = _deviation(answer, wanted)
        lacks = name == "fast" and not machine.bf16
        bar = (case.exact if name == "exact" else None if lacks else case.fast) if threads == 1 else None
        holds = name == "fast" or apart["deviation"] <= EXACT_DEVIATION
        note = "this processor does not multiply bfloat16, so fast is exact" if lacks else ""
        more = {**apart, "engine": engine, "threads": threads, "note": note}
        title = f"{case.name}, {name}{_on(threads)}"
        rows.append(ratio_row(title, seconds["peer"], seconds[name], bar, holds=holds, group="nets", **more))
    del precise, calls
    for engine in FIXED if all_engines else ():
        gc.collect()
        rows.append(_fixed(case, path, engine, blob, wanted, seconds["peer"], machine))
    return rows


def face(spec: Spec) -> Blob:
    """Return the face of a photo as the net wants it, (1, 3, S, S)."""
    image = photo(ONE_FACE, 512)
    [found, *_] = FaceFix().detect(image)
    framing = Upright(512)
    crop = cut(image, framing.matrix(found), framing.size).image
    if spec.size != crop.shape[0]:
        crop = np.asarray(cv2.resize(crop, (spec.size, spec.size), interpolation=cv2.INTER_AREA), np.uint8)
    scaled = crop.transpose(2, 0, 1)[None] / np.float32(255) * np.float32(spec.high - spec.low) + np.float32(spec.low)
    return np.ascontiguousarray(scaled, np.float32)


def rows_of(cases: Sequence[Case], threads: Sequence[int], repeats: int) -> list[Row]:
    """Measure the nets in turn, and say how far it is."""
    machine = this_machine("cpu")
    rows: list[Row] = []
    for number in threads:
        for case in cases:
            first = number == threads[0]
            if case.kin and not first:
                continue
            say(f"nets: {case.name}, threads: {number} ...")
            rows += measured(case, number, repeats if first else 1, machine, all_engines=first and not case.kin)
            gc.collect()
    return rows


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nets", description=__doc__)
    parser.add_argument("--only", default="", help="the nets whose name holds this")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="of PyTorch and the other engines")
    parser.add_argument("--repeats", type=int, default=3, help="with the first number of threads; with others 1")
    parser.add_argument("--quick", action="store_true", help="one thread, one repeat")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "nets.json")
    options = parser.parse_args()
    if options.quick:
        options.threads, options.repeats = [1], 1
    warnings.simplefilter("ignore")  # spandrel's nets and the exporter warn of PyTorch's future
    weights.use_own_cache()
    cv2.setNumThreads(1)
    cases = [case for case in CASES if options.only.lower() in case.name.lower()]
    rows = rows_of(cases, options.threads, options.repeats)
    publish(rows, options.out, repeats=options.repeats)


def _by_spandrel(path: Path, spec: Spec) -> Any:
    """Return the bare net; RestoreFormer++ is ours, out of spandrel's parts, for spandrel does not load it."""
    if spec.architecture == "RestoreFormer++":
        return load_net(path).module.net
    from spandrel import MAIN_REGISTRY, ModelLoader
    from spandrel_extra_arches import EXTRA_REGISTRY

    registry = MAIN_REGISTRY.copy()
    registry.add(*EXTRA_REGISTRY)
    return ModelLoader("cpu", registry).load_from_file(path).model.eval()


def _loaded(path: Path, engine: str, precision: str, machine: Machine) -> Runner:
    return load_runner(path, weights.CACHE, engine, precision, machine)


def _fixed(case: Case, path: Path, engine: str, blob: Blob, wanted: Blob, peer: float, machine: Machine) -> Row:
    """Measure one engine in full precision; where it cannot run, say why."""
    work = f"{case.name}, engine {engine}"
    more: dict[str, Any] = {"group": "engines", "threads": torch.get_num_threads()}
    try:
        runner = _loaded(path, engine, "exact", machine)
        seconds, answer, ran = _answered(runner, blob, case.w)
    except FaceFixError as error:
        return ratio_row(work, peer, None, note=str(error), **more)
    apart = _deviation(answer, wanted)
    if engine != "torch":  # the others have compiled the net in their first run
        seconds, *_ = _answered(runner, blob, case.w)
    holds = apart["deviation"] <= (0.0 if engine == "torch" else EXACT_DEVIATION)
    return ratio_row(work, peer, seconds, holds=holds, **apart, engine=ran, **more)


def _answered(runner: Runner, blob: Blob, w: float) -> tuple[float, Blob, str]:
    """Return the CPU seconds and the answer of one run, and what ran."""
    answers: list[tuple[Blob, str]] = []
    seconds = once(lambda: answers.append(runner(blob, w)))
    return seconds, *answers[0]


def _deviation(answer: Blob, wanted: Blob) -> dict[str, float]:
    """Return the largest and the mean deviation in standard deviations of what is wanted."""
    apart, spread = np.abs(answer.astype(np.float64) - wanted), float(wanted.std())
    return {"deviation": float(f"{apart.max() / spread:.3g}"), "mean_deviation": float(f"{apart.mean() / spread:.3g}")}


def _on(threads: int) -> str:
    return "" if threads == 1 else f", {threads} threads"


if __name__ == "__main__":
    main()
