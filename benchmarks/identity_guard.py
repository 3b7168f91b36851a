"""Measures the limits of the identity guard on pictures of different people, and writes them.

    python -m benchmarks.identity_guard measure FOLDER... --rows FILE [--every 4 --first 0] [--side 512] [--model dlib]
    python -m benchmarks.identity_guard fit FILE... [--plot FILE.svg]
    python -m benchmarks.identity_guard judge FILE...

No two faces of the pictures are of the same person. `measure` makes copies of each face: as it is, damaged like an old
or small file (`training/degrade.py`: mild and hard), reduced to small faces, and reduced and damaged. It fixes each
copy three times through the whole pipeline, with the guard's own measure:

- restored: by the built-in restorer at its default fidelity; the same person,
- ideal: a planted restorer returns the undamaged face of the same person,
- swap: a planted restorer returns the aligned face of the next person.

A row holds the name of the copy, size, pose and detail of the face before (see `likeness.blur_chip`), and the
distances. Embeddings are not written. `fit` writes limits to `lib_facefix/analysis/identity_limits.json`. `judge`
prints how many swaps today's limits catch, and how many faces of the same person they would change.
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
from lib_facefix.analysis.identity_guard import LIMITS, Limits, RememberedFace, read_limits
from lib_facefix.analysis.likeness import blur_chip, find_obstacle
from lib_facefix.imaging.frames import Upright
from lib_facefix.imaging.resample import warp
from lib_facefix.pictures import find_pictures, read_picture
from lib_facefix.pipeline.run import fix_faces
from lib_facefix.planning.plan import FaceJob, FixPlan
from lib_facefix.protocols import Fixed
from lib_facefix.registry import EMBEDDINGS
from lib_facefix.types import Box, Crop, Face, Image, Matrix
from training.degrade import HARD, MILD, Recipe, degrade

SIDE = 512
"""Longer side to which portraits are reduced first, in pixels."""
SIZES = (96, 64, 48, 36)
"""Sizes of the face in reduced copies, in pixels."""
DAMAGED_SIZES = (160, 96, 64, 48)
"""Sizes of the face in copies that are damaged after they are reduced, in pixels."""
DAMAGE = Recipe(blur_before=1.0, noise=3.0, jpeg=60)
"""Damage to a reduced copy."""
KINDS = ("restored", "ideal", "swap")
LEAST_SIZE = 48
"""Size of the face from which swaps must be caught, in pixels."""
MISSED, UNUSUAL = 0.04, 0.1
"""Shares of extreme values that are ignored: of swaps and of the same person if sharp, and of the same if blurred."""
TOWARDS_SWAPS = 2 / 3
"""Place of a limit for sharp faces between the largest distance of the same person (0) and the smallest swap (1)."""
DETAILS, SIZES_OF_LIMITS = (0.1, 0.115, 0.13, 0.15, 0.18, 0.21), (36, 48, 64, 96, 160)
"""Levels of detail, and sizes in pixels, at which limits are fitted."""
FADE = (0.65, 0.9)
"""Detail in shares of that of a sharp face of the same size: up to it, a face counts as blurred; from it, as sharp."""
SHARP = 0.85
"""The share that tells blurred faces from sharp ones in the fit."""
WINDOW = 0.18
"""Logarithm of the factor by which the detail or size of faces may differ from a level."""
SETTINGS = FaceSettings(detector="blazeface", method="restore", guard="report")

Row = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """One face of one image."""

    image: Image
    """The image, RGB (H, W, 3)."""
    aligned: Image
    """The face in the restorers' frame, RGB (512, 512, 3)."""
    box: Box


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
            blurred = self.embedder.embed_chip(blur_chip(chip))
            self.seen = {key: (found, float(np.linalg.norm(found - blurred)))}
        return RememberedFace(float("inf"), self.seen[key][0], self.embedder)

    @property
    def detail(self) -> float:
        """Detail of the face that was measured last; 0 if nothing changed in it."""
        return round(next(iter(self.seen.values()))[1], 4) if self.seen else 0.0

    def measure(self, image: Image, plan: FixPlan, planted: Image | None) -> float | None:
        """Return the distance between a face before and after a fix, or None if it fails."""
        self.planted = planted
        [result] = fix_faces([image], [plan], self)
        check = result.outcomes[0].identity
        return None if check is None or check.distance is None else round(check.distance, 4)


def make_copies(image: Image, size: float) -> Iterator[tuple[str, Image]]:
    """Yield copies of a portrait with their names. size: of its face, in pixels."""
    random = np.random.default_rng(7)
    yield "as it is", image
    yield "mild", degrade(image, MILD, random)
    yield "hard", degrade(image, HARD, random)
    for wanted in sorted({*SIZES, *DAMAGED_SIZES}):
        if wanted < size:
            scale = wanted / size
            small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
            if wanted in SIZES:
                yield f"{wanted} px", small
            if wanted in DAMAGED_SIZES:
                yield f"{wanted} px, damaged", degrade(small, DAMAGE, random)


def read_people(engine: FaceFix, folders: Sequence[Path], chosen: slice, side: int) -> Iterator[Person]:
    """Yield every face of the chosen pictures. side: longer side to which they are reduced first, in pixels."""
    for file in find_pictures([str(folder) for folder in folders])[chosen]:
        if file.skipped:
            continue
        image = read_picture(file.path).image
        scale = min(1.0, side / max(image.shape))
        small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        for job in engine.plan(small, SETTINGS).jobs:
            if job.face.landmarks is not None and job.face.box.size >= LEAST_SIZE:
                matrix = Upright(SIDE).matrix(job.face)
                yield Person(small, np.asarray(warp(small, matrix, (SIDE, SIDE)), np.uint8), job.face.box)


def plan_face(engine: FaceFix, copy: Image, person: Person) -> FixPlan | None:
    """Return a plan for the face of a person in a copy of the image, or None if it is not found there."""
    plan, scale = engine.plan(copy, SETTINGS), copy.shape[0] / person.image.shape[0]
    centre, size = np.multiply(person.box.centre, scale), person.box.size * scale
    near = [job for job in plan.jobs if np.hypot(*(np.subtract(job.face.box.centre, centre))) < size / 3]
    return replace(plan, jobs=tuple(near[:1])) if near else None


def measure(folders: Sequence[Path], chosen: slice, side: int, model: str) -> Iterator[Row]:
    """Yield a row for each copy of each face."""
    engine = FaceFix()
    bench = Bench(engine, engine.models.load(EMBEDDINGS, model))
    people = list(read_people(engine, folders, chosen, side))
    for number, person in enumerate(people):
        other = people[(number + 1) % len(people)]
        for name, copy in make_copies(person.image, person.box.size):
            if plan := plan_face(engine, copy, person):
                planted = {"restored": None, "ideal": person.aligned, "swap": other.aligned}
                found = {kind: bench.measure(copy, plan, planted[kind]) for kind in KINDS}
                yield {"model": model, "copy": name, **describe(plan.jobs[0]), "detail": bench.detail, **found}


def describe(job: FaceJob) -> Row:
    """Return size and pose of a face, and why it cannot be measured, blank if it may be."""
    pose = {"yaw": round(job.pose.yaw, 1), "pitch": round(job.pose.pitch, 1)}
    return {"size": round(job.face.box.size, 1), **pose, "obstacle": find_obstacle(job)}


def read_rows(files: Sequence[Path]) -> dict[str, NDArray[Any]]:
    """Return the columns of all rows of faces that can be measured. `same` is the larger of restored and ideal."""
    rows = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    models = json.loads(LIMITS.read_text("utf-8"))["models"]
    least = {name: one["least_detail"] for name, one in models.items()}
    rows = [row for row in rows if not row["obstacle"] and row["detail"] >= least[row["model"]]]
    columns = {name: np.array([row[name] or 0.0 for row in rows]) for name in ("size", "detail", *KINDS)}
    columns["copy"] = np.array([row["copy"] for row in rows])
    return {**columns, "same": np.maximum(columns["restored"], columns["ideal"])}


def fit(rows: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Return limits: by detail, for blurred faces, and by size, for sharp ones; both between the same person and swaps.

    Blurred faces of the same person and swaps overlap. Their limit is midway between the ends of both.
    """
    undamaged = np.array([name == "as it is" or name.endswith("px") for name in rows["copy"]])
    sizes, by_detail, by_size, sharp_detail = np.log(rows["size"]), [], [], []
    for size in SIZES_OF_LIMITS:
        near = undamaged & (np.abs(sizes - np.log(size)) < WINDOW)
        sharp_detail.append(float(np.median(rows["detail"][near])))
    sharp = rows["detail"] >= SHARP * np.interp(rows["size"], SIZES_OF_LIMITS, sharp_detail)
    for level in DETAILS:
        near = ~sharp & (np.abs(np.log(rows["detail"] / level)) < WINDOW)
        same, swap = np.quantile(rows["same"][near], 1 - UNUSUAL), np.quantile(rows["swap"][near], MISSED)
        by_detail.append(float(same + swap) / 2)
    for size in SIZES_OF_LIMITS:
        near = sharp & (np.abs(sizes - np.log(size)) < WINDOW)
        same, swap = np.quantile(rows["same"][near], 1 - MISSED), np.quantile(rows["swap"][near], MISSED)
        by_size.append(float(same + TOWARDS_SWAPS * (swap - same)))
    return {
        "detail": DETAILS,
        "by_detail": make_rising(by_detail[::-1])[::-1],
        "size": SIZES_OF_LIMITS,
        "by_size": make_rising(by_size),
        "sharp_detail": np.round(sharp_detail, 3).tolist(),
        "fade": FADE,
    }


def make_rising(values: Sequence[float]) -> list[float]:
    """Return the values, changed as little as makes them rise: midway between the envelopes below and above."""
    above, below = np.maximum.accumulate(values), np.minimum.accumulate(values[::-1])[::-1]
    return [round(float(value), 3) for value in (above + below) / 2]


def judge(rows: dict[str, NDArray[Any]], limits: Limits) -> Iterator[str]:
    """Yield a line for all faces that can be measured, and one for each kind of copy."""
    limit = np.array([limits.find(*pair) for pair in zip(rows["detail"], rows["size"], strict=True)])
    parts = {f"all from {LEAST_SIZE} px": rows["size"] >= LEAST_SIZE}
    parts |= {name: rows["copy"] == name for name in dict.fromkeys(rows["copy"])}
    for name, part in parts.items():
        caught = float((rows["swap"] > limit)[part].mean())
        lite, ideal = (float((rows[kind] > limit)[part].mean()) for kind in ("restored", "same"))
        yield f"{name:<20} {part.sum():5} faces  swaps caught {caught:6.1%}  built-in {lite:5.1%}  ideal {ideal:5.1%}"


def plot(rows: dict[str, NDArray[Any]], limits: Limits) -> str:
    """Return an SVG: distance by detail, with dots for the same person and for swaps, and the limits."""
    width, height, right, top = 640, 400, 0.36, 1.1

    def place(detail: float, distance: float) -> str:
        return f"{50 + detail / right * (width - 70):.1f},{height - 40 - distance / top * (height - 60):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for kind, colour in (("swap", "#c0392b"), ("ideal", "#2471a3"), ("restored", "#229954")):
        for detail, distance in zip(rows["detail"], rows[kind], strict=True):
            if 0 < detail < right and 0 < distance < top:
                x, y = place(detail, distance).split(",")
                parts.append(f'<circle cx="{x}" cy="{y}" r="2" fill="{colour}" fill-opacity="0.5"/>')
    steps = np.linspace(limits.least_detail, right, 60)
    for size, dash in ((200, ""), (48, ' stroke-dasharray="6 4"')):
        line = " ".join(place(float(step), limits.find(float(step), size)) for step in steps)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#000" stroke-width="1.5"{dash}/>')
    for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = place(0, value).split(",")
        parts.append(f'<text x="{float(x) - 26:.0f}" y="{float(y) + 4:.0f}">{value:.1f}</text>')
    marks = {value: place(value, 0).split(",")[0] for value in (0.1, 0.2, 0.3)}
    parts += [f'<text x="{x}" y="{height - 22}">{value:.1f}</text>' for value, x in marks.items()]
    told = "Red: swap. Blue: undamaged face. Green: built-in restorer. Line: limit of 200 px; dashed: of 48 px."
    parts.append(f'<text x="50" y="14">{told}</text>')
    parts.append(f'<text x="50" y="{height - 6}">Distance between before and after, by detail before</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Measure, fit, or judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("measure", "fit", "judge"))
    parser.add_argument("inputs", type=Path, nargs="+")
    parser.add_argument("--rows", type=Path, help="file for the rows, one JSON object a line")
    parser.add_argument("--every", type=int, default=1, help="measure only every n-th picture")
    parser.add_argument("--first", type=int, default=0, help="place of the first picture to measure, from 0")
    parser.add_argument("--side", type=int, default=SIDE, help="reduce pictures to this longer side first")
    parser.add_argument("--model", default="dlib")
    parser.add_argument("--plot", type=Path, help="SVG file to write")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.what == "measure":
        with arguments.rows.open("a", encoding="utf-8") as file:
            chosen = slice(arguments.first, None, arguments.every)
            for row in measure(arguments.inputs, chosen, arguments.side, arguments.model):
                file.write(json.dumps(row) + "\n")
                file.flush()
        return
    rows = read_rows(arguments.inputs)
    if arguments.what == "fit":
        document = json.loads(LIMITS.read_text("utf-8"))
        document["models"][arguments.model].update(fit(rows))
        models = ",\n".join(f"    {json.dumps(name)}: {json.dumps(one)}" for name, one in document["models"].items())
        LIMITS.write_text(f'{{\n  "version": 1,\n  "models": {{\n{models}\n  }}\n}}\n', "utf-8")
        read_limits.cache_clear()
    limits = read_limits()[arguments.model]
    sys.stdout.write("\n".join(judge(rows, limits)) + "\n")
    if arguments.plot:
        arguments.plot.write_text(plot(rows, limits), "utf-8")


if __name__ == "__main__":
    main()
