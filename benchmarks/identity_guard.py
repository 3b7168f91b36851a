"""Measures the limits of the identity guard on folders of portraits of different people, and writes them.

    python -m benchmarks.identity_guard measure FOLDER --rows FILE [--every 2] [--model dlib]
    python -m benchmarks.identity_guard fit FILE... [--write] [--plot FILE.svg]
    python -m benchmarks.identity_guard judge FILE...

Each picture shows one person, and no two the same. `measure` makes copies of each: as it is, damaged like an old or small
file (`training/degrade.py`: mild and hard), and reduced to small faces. It fixes each copy three times through the whole
pipeline, with the guard's own measure:

- restored: by the built-in restorer at its default fidelity; the same person,
- ideal: a planted restorer returns the undamaged face of the same person,
- swap: a planted restorer returns the aligned face of the next person in the folder.

A row holds the name of the copy, size, pose and detail of the face before (see `likeness.measure_detail`), and the
distances. Embeddings are not written. `fit` finds a limit for each level of detail: high enough for nearly all faces of
the same person, low enough for nearly no swap. `judge` prints how many swaps today's limits catch, and how many restored
faces they change.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.analysis.embedding import Embedder
from lib_facefix.analysis.identity_guard import LIMITS, RememberedFace, read_limits
from lib_facefix.analysis.likeness import find_obstacle, measure_detail
from lib_facefix.imaging.frames import Upright
from lib_facefix.imaging.resample import warp
from lib_facefix.pictures import find_pictures, read_picture
from lib_facefix.pipeline.run import fix_faces
from lib_facefix.planning.plan import FaceJob, FixPlan
from lib_facefix.protocols import Fixed
from lib_facefix.registry import EMBEDDINGS
from lib_facefix.types import Crop, Face, Image, Matrix
from training.degrade import HARD, MILD, degrade

SIDE = 512
"""Longer side to which portraits are reduced first, in pixels."""
SIZES = (96, 64, 48, 36)
"""Sizes of the face in reduced copies, in pixels."""
KINDS = ("restored", "ideal", "swap")
LEAST_SIZE = 48
"""Size of the face from which swaps must be caught, in pixels."""
KEPT, CAUGHT = 0.97, 0.97
"""Shares of faces of the same person within the limit, and of swaps beyond it, that a limit is to reach."""
LEVELS = (0.075, 0.12, 0.16, 0.2, 0.26, 0.34, 0.44)
"""Levels of detail at which limits are fitted."""
SETTINGS = FaceSettings(detector="blazeface", method="restore", guard="report")

Row = dict[str, Any]


@dataclass
class Bench:
    """Parts of the pipeline with a planted fixer, and a judge without limits that keeps what it measures."""

    engine: FaceFix
    embedder: Embedder
    planted: Image | None = None
    """The crop that the planted fixer returns; None: faces are restored."""
    seen: dict[bytes, tuple[Any, float]] = field(default_factory=dict)

    def fixer(self, job: FaceJob) -> Any:
        """Return the planted fixer, or the restorer of the job."""
        return self.engine.fixer(job) if self.planted is None else self

    def masker(self, job: FaceJob) -> Any:
        """Return the masker of the job."""
        return self.engine.masker(job)

    def judge(self, job: FaceJob) -> Bench:  # noqa: ARG002 the same for every job
        """Return this object."""
        return self

    def framing(self, job: FaceJob) -> Upright:  # noqa: ARG002 the same for every job
        """Return the restorers' frame."""
        return Upright(SIDE)

    def batch_key(self, job: FaceJob) -> str:  # noqa: ARG002 the same for every job
        """Return a key."""
        return "planted"

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:  # noqa: ARG002 all the same
        """Yield the planted face."""
        yield from (Fixed(self.planted, "planted") for _ in crops)

    @property
    def side(self) -> int:
        """Side of the chips, in pixels."""
        return self.embedder.side

    def matrix(self, face: Face) -> Matrix | None:
        """Return the affine map from the image to the chip of a face."""
        return self.embedder.chip_matrix(face)

    def remember(self, chip: Image, job: FaceJob) -> RememberedFace | str:  # noqa: ARG002 faces of every size
        """Return the face, measured once for all three fixes, with no limit."""
        key = chip.tobytes()
        if key not in self.seen:
            found = self.embedder.embed_chip(chip)
            self.seen = {key: (found, measure_detail(self.embedder, chip, found))}
        return RememberedFace(float("inf"), self.seen[key][0], self.embedder)

    def measure(self, image: Image, plan: FixPlan, planted: Image | None) -> float | None:
        """Return the distance between a face before and after a fix, or None if it fails."""
        self.planted = planted
        [result] = fix_faces([image], [plan], self)
        check = result.outcomes[0].identity
        return None if check is None else check.distance


def make_copies(image: Image, size: float) -> Iterator[tuple[str, Image]]:
    """Yield copies of a portrait with their names. size: of its face, in pixels."""
    random = np.random.default_rng(7)
    yield "as it is", image
    yield "mild", degrade(image, MILD, random)
    yield "hard", degrade(image, HARD, random)
    for wanted in SIZES:
        if wanted < size:
            scale = wanted / size
            yield f"{wanted} px", np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def plan_one(engine: FaceFix, image: Image) -> FixPlan | None:
    """Return a plan for the largest face of an image, or None if there is none."""
    plan = engine.plan(image, SETTINGS)
    if not plan.jobs:
        return None
    return replace(plan, jobs=(max(plan.jobs, key=lambda job: job.face.box.size),))


def read_people(engine: FaceFix, folder: Path, every: int) -> Iterator[tuple[Image, Image, float]]:
    """Yield each portrait, RGB (H, W, 3), its aligned face, (512, 512, 3), and the size of the face in pixels."""
    for file in find_pictures([str(folder)])[::every]:
        if file.skipped:
            continue
        image = read_picture(file.path).image
        scale = min(1.0, SIDE / max(image.shape))
        small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        if plan := plan_one(engine, small):
            face = plan.jobs[0].face
            matrix = Upright(SIDE).matrix(face)
            yield small, np.asarray(warp(small, matrix, (SIDE, SIDE)), np.uint8), face.box.size


def measure(folder: Path, every: int, model: str) -> Iterator[Row]:
    """Yield a row for each copy of each portrait."""
    engine = FaceFix()
    bench = Bench(engine, engine.models.load(EMBEDDINGS, model))
    people = list(read_people(engine, folder, every))
    for number, (image, aligned, size) in enumerate(people):
        other = people[(number + 1) % len(people)][1]
        for name, copy in make_copies(image, size):
            if plan := plan_one(engine, copy):
                job = plan.jobs[0]
                planted = {"restored": None, "ideal": aligned, "swap": other}
                distances = {kind: bench.measure(copy, plan, planted[kind]) for kind in KINDS}
                detail = next(iter(bench.seen.values()))[1] if bench.seen else 0.0
                yield {
                    "model": model,
                    "copy": name,
                    "size": round(job.face.box.size, 1),
                    "yaw": round(job.pose.yaw, 1),
                    "pitch": round(job.pose.pitch, 1),
                    "obstacle": find_obstacle(job),
                    "detail": round(detail, 4),
                    **{kind: None if found is None else round(found, 4) for kind, found in distances.items()},
                }


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    raise NotImplementedError


def main() -> None:
    """Measure, fit, or judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("measure", "fit", "judge"))
    parser.add_argument("inputs", type=Path, nargs="+")
    parser.add_argument("--rows", type=Path, help="file for the rows, one JSON object a line")
    parser.add_argument("--every", type=int, default=1, help="measure only every n-th portrait")
    parser.add_argument("--model", default="dlib")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with arguments.rows.open("a", encoding="utf-8") as file:
        for folder in arguments.inputs:
            for row in measure(folder, arguments.every, arguments.model):
                file.write(json.dumps(row) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
