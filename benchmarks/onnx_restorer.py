"""GFPGAN from an ONNX file, without PyTorch, against GFPGAN on PyTorch as its authors run it.

    python -m benchmarks.onnx_restorer

The weights are random; the cost does not depend on them. The net is exported once, in the layout of the published
file. Every measurement is a process of its own, and the two take turns, so that a busy machine slows both alike. The
process of the ONNX file cannot import PyTorch. Counted are CPU seconds of all threads for a face, after one that is
not counted, and the largest resident memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

from lib_facefix.fixers.restore import Restorer
from lib_facefix.planning.plan import FaceJob
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Crop, Face, Pose

from .photos import ROOT
from .report import publish, say
from .rows import amount_row
from .timing import once

MOST = 1.1
"""CPU seconds of the ONNX file in those of PyTorch."""
ROUNDS, FACES = 5, 2
CACHE = ROOT / "build" / "bench-cache"


def export_gfpgan() -> Path:
    """Return GFPGAN as an ONNX file; it is exported once."""
    import torch
    from torch import nn

    from lib_facefix.nets import load_net

    from . import weights

    source = weights.gfpgan()
    path = source.with_suffix(".onnx")
    if not path.is_file():
        say(f"exporting {path}")
        net: nn.Module = load_net(source).module
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # of the exporter: its deprecation, and every fixed shape
            torch.onnx.export(
                net, (torch.zeros(1, 3, 512, 512),), str(path.with_suffix(".part")), dynamo=False, opset_version=17,
                input_names=["input"], output_names=["output"],
            )  # fmt: skip
        path.with_suffix(".part").replace(path)
    return path


def load(path: Path) -> Restorer:
    """Return the restorer of a file: of an .onnx without PyTorch, of weights on PyTorch as their authors run them."""
    if path.suffix == ".onnx":
        sys.modules["torch"] = None  # type: ignore[assignment]  # whoever imports it gets an error
        from lib_facefix.fixers.onnx_net import from_file

        return from_file(path, CACHE)
    from lib_facefix.engines import load_runner, this_machine

    return Restorer(load_runner(path, CACHE, "torch", "exact", this_machine("cpu")))


def inside(path: Path) -> str:
    """Return CPU seconds of each face and the peak memory in GB, as text, measured in this process."""
    restorer = load(path)
    crop = Crop(np.random.default_rng(1).integers(0, 256, (512, 512, 3), np.uint8), np.eye(2, 3))
    job = FaceJob(1, Face(Box(0, 0, 9, 9), 1.0), "restore", "", Treatment(fidelity=0.0), Pose(0, 0, 0), 0.5)
    seconds = [once(lambda: list(restorer.fix([crop], [job]))) for _ in range(1 + FACES)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    return " ".join(f"{number:.3f}" for number in (*seconds[1:], peak))


def measure(path: Path) -> tuple[list[float], float]:
    """Return what `inside` says of a fresh process: CPU seconds of each face, and peak memory in GB."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.onnx_restorer", "--inside", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env={**os.environ})
    *seconds, peak = map(float, done.stdout.splitlines()[-1].split())
    return seconds, peak


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.onnx_restorer", description=__doc__)
    parser.add_argument("--inside", type=Path, metavar="FILE", help="only measure this process")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns that each takes")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "onnx_restorer.json")
    options = parser.parse_args()
    if options.inside:
        say(inside(options.inside))
        return
    exported = export_gfpgan()
    paths = {"ONNX Runtime alone": exported, "PyTorch exact": exported.with_suffix(".safetensors")}
    measure(exported)  # unmeasured: its trial run is kept
    seconds: dict[str, list[float]] = {name: [] for name in paths}
    peaks: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(options.rounds):
        for name, path in paths.items():
            some, peak = measure(path)
            seconds[name] += some
            peaks[name].append(peak)
    rows = [
        amount_row(f"GFPGAN, a face, {name}", statistics.median(seconds[name]), "CPU s", peak_gb=max(peaks[name]))
        for name in paths
    ]
    own, peer = (row["amount"] for row in rows)
    publish([*rows, amount_row("GFPGAN, a face, ONNX Runtime alone against PyTorch", own / peer, "x", most=MOST)],
            options.out)  # fmt: skip


if __name__ == "__main__":
    main()
