"""What each step costs on this machine.

    python -m benchmarks.parts

Processor time of every step on a photo of four faces, of the whole built-in path, of importing, and the memory it
takes. Prints a table and writes build/bench_parts.json.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2

from lib_facefix import Crop, Face, FaceFix, FaceJob, FaceSettings
from lib_facefix.detectors.blazeface import BlazeFace
from lib_facefix.fixers.lite import Lite
from lib_facefix.imaging.align import scale_factor
from lib_facefix.imaging.blend import match_colour, paste
from lib_facefix.imaging.frames import Upright, cut
from lib_facefix.imaging.masks import soften
from lib_facefix.landmarks.facemesh import FaceMesh
from lib_facefix.maskers.shape import HullMasker
from lib_facefix.pipeline.run import RING
from lib_facefix.planning.planner import make_plan
from lib_facefix.types import Image, Mask, Patch

from .photos import FOUR_FACES, ROOT, photo
from .report import Row, publish
from .timing import cpu_seconds

SETTINGS = FaceSettings(method="restore")
STEPS_SIDE, WHOLE_SIDE = 1024, 2048
"""Longer side of the photo in which the steps and the whole path are measured, pixels."""
STEPS_BAR, WHOLE_BAR, IMPORT_BAR = 100.0, 1200.0, 150.0
"""Milliseconds."""

IMPORTING = """
import time, numpy, cv2
started = time.process_time()
import lib_facefix
print(1000 * (time.process_time() - started))
"""
FIXING = """
import resource, sys
from pathlib import Path
from benchmarks.parts import SETTINGS, WHOLE_SIDE
from benchmarks.photos import photo
from lib_facefix import FaceFix
picture = photo(Path(sys.argv[1]), WHOLE_SIDE)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
FaceFix().fix([picture], SETTINGS)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / (2**20 if sys.platform == "darwin" else 2**10))
"""


class Steps:
    """Every step of the way of one picture, each ready to be run again on the same input."""

    def __init__(self, image: Image) -> None:
        self.image, self.canvas = image, image.copy()
        self.detector, self.landmarker, self.masker, self.fixer = BlazeFace(), FaceMesh(), HullMasker(), Lite()
        self.found = self.detect()
        self.faces = self.mesh()
        self.jobs: tuple[FaceJob, ...] = self.plan()
        self.crops = self.cut()
        self.masks = self.mask()
        self.patches = self.lite()
        self.matched = self.colour()

    def detect(self) -> tuple[Face, ...]:
        """Find the faces."""
        return self.detector.detect(self.image, SETTINGS.min_score)

    def mesh(self) -> list[Face]:
        """Give each its mesh and landmarks."""
        return [self.landmarker.locate(self.image, face) for face in self.found]

    def plan(self) -> tuple[FaceJob, ...]:
        """Decide; most of it is measuring sharpness."""
        return make_plan(self.image, self.faces, SETTINGS).jobs

    def cut(self) -> list[Crop]:
        """Cut each out, upright."""
        return [cut(self.image, Upright().matrix(job.face), Upright().size) for job in self.jobs]

    def lite(self) -> list[Patch]:
        """Run the restoring net."""
        return [fixed.patch for fixed in self.fixer.fix(self.crops, self.jobs) if fixed.patch is not None]

    def mask(self) -> list[Mask]:
        """Draw the mask and soften its edge."""
        return [
            soften(self.masker.mask(crop, job.face), SETTINGS.mask_grow * width, SETTINGS.feather * width)
            for crop, job, width in zip(self.crops, self.jobs, self._widths(), strict=True)
        ]

    def colour(self) -> list[Patch]:
        """Match the colour around the mask."""
        parts = zip(self.patches, self.crops, self.masks, self._widths(), strict=True)
        return [match_colour(patch, crop.image, mask, RING * width) for patch, crop, mask, width in parts]

    def paste(self) -> None:
        """Lay each change over the picture."""
        for patch, mask, crop in zip(self.matched, self.masks, self.crops, strict=True):
            paste(self.canvas, patch, mask, crop.matrix, base=crop.image)

    def _widths(self) -> Iterator[float]:
        """Yield each face's size in its crop, pixels."""
        return (job.face.box.size * scale_factor(crop.matrix) for crop, job in zip(self.crops, self.jobs, strict=True))


def steps_rows(path: Path, repeats: int) -> list[Row]:
    """Measure every step, and their sum without the net."""
    steps = Steps(photo(path, STEPS_SIDE))
    but_net: dict[str, Callable[[], object]] = {
        "detect": steps.detect,
        "mesh": steps.mesh,
        "plan": steps.plan,
        "cut": steps.cut,
        "mask": steps.mask,
        "match colour": steps.colour,
        "paste": steps.paste,
    }
    seconds = cpu_seconds({**but_net, "restore (lite)": steps.lite}, repeats)
    everything = f"all but the net, {STEPS_SIDE} px, {len(steps.jobs)} faces"
    return [
        *(_row(name, 1000 * taken) for name, taken in seconds.items()),
        _row(everything, 1000 * sum(seconds[name] for name in but_net), STEPS_BAR),
    ]


def whole_row(path: Path, repeats: int) -> Row:
    """Measure all of it, models loaded, at the larger size."""
    picture, engine = photo(path, WHOLE_SIDE), FaceFix()
    [result] = engine.fix([picture], SETTINGS)
    seconds = cpu_seconds({"whole": lambda: engine.fix([picture], SETTINGS)}, repeats)
    return _row(f"the whole path, {WHOLE_SIDE} px, {len(result.outcomes)} faces", 1000 * seconds["whole"], WHOLE_BAR)


def import_row(repeats: int) -> Row:
    """Measure `import lib_facefix` in fresh processes that have NumPy and OpenCV already."""
    taken = statistics.median(_fresh(IMPORTING) for _ in range(repeats))
    return _row("import, beyond NumPy and OpenCV", taken, IMPORT_BAR)


def memory_row(path: Path) -> Row:
    """Measure by how much fixing one picture, models and all, raises the peak of a fresh process."""
    return _row(f"memory for {WHOLE_SIDE} px, models included", _fresh(FIXING, str(path)), unit="MiB")


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts", description=__doc__)
    parser.add_argument("--photo", type=Path, default=FOUR_FACES, help="photo with four faces")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1, help="of OpenCV; more take less time, but more CPU time")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench_parts.json")
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    memory = memory_row(options.photo)  # first, while this process is small: a child's peak starts at its parent's
    rows = [
        *steps_rows(options.photo, options.repeats),
        whole_row(options.photo, max(3, options.repeats // 3)),
        import_row(options.repeats),
        memory,
    ]
    publish(rows, options.out, photo=options.photo.name, repeats=options.repeats, threads=options.threads)


def _row(work: str, amount: float, bar: float | None = None, unit: str = "CPU ms") -> dict[str, Any]:
    return {"work": work, "amount": round(amount, 2), "unit": unit, "bar": bar and f"<= {bar:g}"}


def _fresh(code: str, *arguments: str) -> float:
    """Return the number that `code` prints in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return float(done.stdout)


if __name__ == "__main__":
    main()
