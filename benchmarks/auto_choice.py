"""What `auto` decides about damaged faces, and from which strength of damage on.

    python -m benchmarks.auto_choice FOLDER [--judge] [--faces N] [--seed N] [--plot docs/auto-choice.svg]

FOLDER is a cache for the portraits, which are downloaded if they are not there. Each face is made 256 px wide and
damaged at rising strengths. The table shows how many of 16 faces `auto` would fix. The thresholds in
`planning/visible_damage.py` follow the curves of the training portraits. `--judge` measures other people. They were
looked at too while the thresholds were chosen, so they are no untouched test.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from lib_facefix.imaging.align import transform_points
from lib_facefix.imaging.boxes import bounding
from lib_facefix.planning.planner import make_plan
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.types import Face, Image, Matrix
from training.degrade import jpeg, resize, to_bytes
from training.faces import locate_faces
from training.judging.trials import KINDS, add_grain, add_scratches, enlarge_like, shrink
from training.people.load import read_faces
from training.people.roster import read_people

from .auto_choice_plot import Curve, draw_curves
from .report import say

WIDTH, SURROUNDINGS = 256, 3.0
"""Width of a face in pixels, and side of the part of the picture around it, in widths of the face."""
LEAST = 230
"""Width of a face in its picture, in pixels, below which enlarging it to `WIDTH` would be a damage of its own."""
SIXTEEN = 16

Damaging = Callable[[Image, float, np.random.Generator], Image]


@dataclass(frozen=True)
class Ladder:
    """One kind of damage at rising strengths, the first of which is hardly visible."""

    unit: str
    strengths: Sequence[float]
    damage: Damaging


def add_noise(picture: Image, deviation: float, random: np.random.Generator) -> Image:
    """Return the picture with independent noise in all channels, in grey levels."""
    return to_bytes(picture + random.normal(0, deviation, picture.shape))


def reduce_and_enlarge(picture: Image, factor: float, random: np.random.Generator) -> Image:  # noqa: ARG001
    """Return the picture reduced by pixel areas and enlarged again."""
    return enlarge_like(shrink(picture, factor), picture) if factor > 1 else picture


def sharpen_enlarged(picture: Image, amount: float, random: np.random.Generator) -> Image:
    """Return the picture enlarged 4 times, then sharpened until edges have halos."""
    soft = reduce_and_enlarge(picture, 4, random).astype(np.float32)
    return to_bytes((1 + amount) * soft - amount * cv2.GaussianBlur(soft, (0, 0), 2))


def move(picture: Image, length: float, random: np.random.Generator) -> Image:
    """Return the picture blurred in a random direction over `length` pixels."""
    side = int(length) | 1
    kernel = np.zeros((side, side), np.float32)
    kernel[side // 2] = 1
    turn = cv2.getRotationMatrix2D((side // 2, side // 2), random.uniform(0, 180), 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (side, side)), np.float32)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)


LADDERS: Mapping[str, Ladder] = {
    "enlarged": Ladder("times", (1, 1.2, 1.4, 1.6, 2, 4, 8), reduce_and_enlarge),
    "oversharpened": Ladder("amount", (0.5, 1, 2, 3), sharpen_enlarged),
    "motion": Ladder("px", (1, 3, 5, 9, 15), move),
    "noise": Ladder("levels", (1, 3, 5, 7, 10, 25), add_noise),
    "grain": Ladder("levels", (2, 4, 8, 14), lambda picture, level, random: add_grain(picture, level, 1.0, random)),
    "JPEG": Ladder("quality", (95, 85, 75, 50, 35, 20, 10), lambda picture, quality, _: jpeg(picture, int(quality))),
    "scratches": Ladder(
        "lines", (0, 1, 3, 6, 12), lambda picture, lines, random: add_scratches(picture, int(lines), random)
    ),
}
"""Damages of one kind. The kinds of `training.judging.trials`, which mix several, are measured as they are."""


def read_portraits(folder: Path, use: str, most: int) -> Iterator[tuple[str, Image, Face]]:
    """Yield name, picture, and face of up to `most` portraits whose faces are large enough. They are clean."""
    people = [
        person
        for person in read_people()
        if person.use == use and person.name.startswith("portrait") and person.width >= LEAST
    ]
    for person, picture in read_faces(people[:: max(1, len(people) // most)][:most], [folder]):
        face = max(locate_faces(picture), key=lambda face: face.box.width, default=None)
        if face is not None and face.box.width >= LEAST:
            yield person.name, *cut_face(picture, face)


def cut_face(picture: Image, face: Face) -> tuple[Image, Face]:
    """Return the surroundings of a face, scaled so that the face is `WIDTH` wide, and the face in them."""
    (x, y), half = (round(value) for value in face.box.centre), round(SURROUNDINGS / 2 * face.box.width)
    left, top = max(0, x - half), max(0, y - half)
    part = np.ascontiguousarray(picture[top : y + half, left : x + half])
    scale = WIDTH / face.box.width
    height, width = (round(side * scale) for side in part.shape[:2])
    there: Matrix = np.array([(scale, 0.0, -left * scale), (0.0, scale, -top * scale)])
    return resize(part, width, height, "pil-bicubic"), _move_face(face, there)


def _move_face(face: Face, there: Matrix) -> Face:
    landmarks = None if face.landmarks is None else transform_points(face.landmarks, there)
    return Face(bounding(transform_points(face.box.corners, there)), face.score, landmarks)


def count_fixed(
    faces: Sequence[tuple[str, Image, Face]], damage: Callable[[Image, np.random.Generator], Image], seed: int
) -> float:
    """Return the share of faces that `auto` fixes after the damage."""
    fixed = 0
    for name, picture, face in faces:
        random = np.random.default_rng([seed, *name.encode()])
        [job] = make_plan(damage(picture, random), [face], FaceSettings()).jobs
        fixed += job.decision != "leave"
    return fixed / len(faces)


def main() -> None:
    """Print a line for each kind and strength, and draw the curves."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.auto_choice", description=__doc__)
    parser.add_argument("folder", type=Path, help="cache of the portraits")
    parser.add_argument("--judge", action="store_true", help="other people than those of the training set")
    parser.add_argument("--faces", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="file for the curves, .svg")
    options = parser.parse_args()
    faces = list(read_portraits(options.folder, "judge" if options.judge else "train", options.faces))
    say(f"{len(faces)} faces of {WIDTH} px; of each {SIXTEEN}, so many are fixed:")
    for kind, damage in KINDS.items():
        say(f"  {kind:14} {SIXTEEN * count_fixed(faces, damage, options.seed):5.1f}")
    curves = []
    for kind, ladder in LADDERS.items():
        shares = []
        for strength in ladder.strengths:
            shares.append(count_fixed(faces, partial(_apply, ladder.damage, strength), options.seed))
            say(f"  {kind:14} {strength:5g} {ladder.unit:8} {SIXTEEN * shares[-1]:5.1f}")
        curves.append(Curve(f"{kind} ({ladder.unit})", ladder.strengths, shares))
    if options.plot:
        options.plot.write_text(draw_curves(curves), encoding="utf-8")


def _apply(damage: Damaging, strength: float, picture: Image, random: np.random.Generator) -> Image:
    return damage(picture, strength, random)


if __name__ == "__main__":
    main()
