"""Eight faces of one picture drawn anew in a WebUI, by FaceFix and by ADetailer: processor time beyond the plain run.

    FACEFIX_WEBUI_ROOT=... FACEFIX_ADETAILER=... python -m benchmarks.webui

A real WebUI, as the tests of `tests/host` start it (see there for more variables), with ADetailer linked in beside
FaceFix. Both find their faces themselves and draw them at the same size, with the same steps and strength. The picture
itself costs little: an extension of the tests puts a prepared one in its place. All three runs are taken in turns;
what counts is the processor time of the WebUI with all its threads. Linux only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.host import pictures
from tests.host.server import WebUI, request

from .photos import ROOT
from .report import publish, say
from .rows import FAIL, Row, ratio_row

FACES = 8
LEAST = 2.0
"""Times less than ADetailer."""
EXTENSIONS = ROOT / "tests" / "host" / "extensions"
RUNS = {"plain": [], "ADetailer": [1] * FACES, "FaceFix": [FACES]}
"""What is compared, and the batches of the sampling runs that it is to start."""


def scripts_of(name: str, size: int, strength: float) -> dict[str, Any]:
    """Return what is asked of the extensions."""
    if name == "FaceFix":
        unit = {"method": "re-diffuse", "width": size, "height": size, "denoising_strength": strength}
        return {"FaceFix": {"args": [True, unit]}}
    if name == "ADetailer":
        tab = {
            "ad_model": "mediapipe_face_full",
            "ad_inpaint_width": size,
            "ad_inpaint_height": size,
            "ad_use_inpaint_width_height": True,
            "ad_denoising_strength": strength,
        }
        return {"ADetailer": {"args": [True, False, tab]}}
    return {}


def processor_seconds(process: int) -> float:
    """Return the CPU seconds of a process so far, all its threads, and of its children that have ended."""
    after_name = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, after_name[11:15])) / os.sysconf("SC_CLK_TCK")


def once(webui: WebUI, scripts: dict[str, Any], painted: str, steps: int) -> tuple[float, list[int]]:
    """Return the CPU seconds of one generation, and the batch of each sampling run inside it."""
    webui.delete("/saboteur")
    started = processor_seconds(webui.process.pid)
    webui.post(
        "/sdapi/v1/txt2img",
        request(steps=steps, alwayson_scripts={"Painter": {"args": [[painted]]}, **scripts}),
    )
    spent = processor_seconds(webui.process.pid) - started
    return spent, [run["batch_size"] for run in webui.get("/saboteur") if run["depth"] > 1]


def measure(webui: WebUI, painted: str, options: argparse.Namespace) -> dict[str, float]:
    """Return the median CPU seconds of each, taken in turns after one unmeasured round."""
    asked = {name: scripts_of(name, options.size, options.strength) for name in RUNS}
    seen: dict[str, list[float]] = {name: [] for name in RUNS}
    for turn in range(options.repeats + 1):
        for name, scripts in asked.items():
            seconds, batches = once(webui, scripts, painted, options.steps)
            if batches != RUNS[name]:
                raise RuntimeError(f"{name} was to start runs of {RUNS[name]} faces, and started {batches}")
            if turn:
                seen[name].append(seconds)
        told = ", ".join(f"{name} {times[-1]:.2f}" for name, times in seen.items() if times)
        say(f"round {turn}: {told or 'warm'}")
    return {name: statistics.median(times) for name, times in seen.items()}


def row_of(medians: dict[str, float], options: argparse.Namespace) -> Row:
    """Return the comparison of what comes on top of the plain run."""
    extra = {name: medians[name] - medians["plain"] for name in ("ADetailer", "FaceFix")}
    work = f"{FACES} faces at {options.size} px in the WebUI, {options.steps} steps, beyond the plain run"
    plain = round(medians["plain"], 2)
    return ratio_row(work, extra["ADetailer"], extra["FaceFix"], LEAST, plain_cpu_s=plain, group="webui")


def main() -> int:
    """Measure and publish; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webui", description=__doc__)
    parser.add_argument("--size", type=int, default=128, help="side of a face while it is drawn, px")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--strength", type=float, default=0.4, help="denoising strength")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "webui.json")
    options = parser.parse_args()
    if missing := [name for name in ("FACEFIX_WEBUI_ROOT", "FACEFIX_ADETAILER") if not os.environ.get(name)]:
        parser.error(f"set {' and '.join(missing)} to the folders of the WebUI and of ADetailer")
    extensions = {
        "facefix": ROOT,
        "adetailer": Path(os.environ["FACEFIX_ADETAILER"]).resolve(),
        **{name: EXTENSIONS / name for name in ("painter", "saboteur")},
    }
    with tempfile.TemporaryDirectory() as folder:
        painted = Path(folder) / "faces.png"
        pictures.sheet(FACES, across=4).save(painted)
        webui = WebUI(Path(folder) / "webui", extensions)
        try:
            medians = measure(webui, str(painted), options)
        finally:
            webui.stop()
    row = row_of(medians, options)
    publish([row], options.out, strength=options.strength, repeats=options.repeats)
    return 1 if row["verdict"] == FAIL else 0


if __name__ == "__main__":
    sys.exit(main())
