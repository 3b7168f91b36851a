"""The held-out faces, degraded as the project is judged: from clean pictures with faces 256 px wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lib_facefix.types import Face, Image
from training.degrade import CLEAN, HARD, MILD, Recipe, blurred_after, degrade, resize
from training.faces import locate_faces
from training.pictures import HELD_OUT, read_pictures

FACE_WIDTH = 256
"""Pixels, in the clean picture."""
SURROUNDINGS = 3.0
"""Side of the part of the picture that is kept, in face widths."""
KERNELS = (("area", "cubic"), ("pil-bicubic", "pil-bicubic"), ("pil-lanczos", "pil-bicubic"))
"""How the picture is reduced and enlarged again: all are usual, so all are judged."""
RECIPES = {
    "hard": HARD,
    "hard, blurred after reducing": blurred_after(HARD),
    "mild": MILD,
    "mild, blurred after reducing": blurred_after(MILD),
    "clean": CLEAN,
}


@dataclass(frozen=True)
class HeldOutFace:
    """A clean face of somebody who is in no training picture."""

    name: str
    picture: Image
    """The face and its surroundings, the face 256 px wide, sides multiples of 4."""
    face: Face


@dataclass(frozen=True)
class Case:
    """One held-out face under one degradation."""

    clean: HeldOutFace
    kind: str
    kernels: tuple[str, str]
    degraded: Image
    """Of the size of the clean picture."""


def nearest(faces: tuple[Face, ...], x: float, y: float) -> Face | None:
    """The face whose box has its centre nearest to the place, but not further than half a face's width."""

    def distance(face: Face) -> float:
        return float(np.hypot(face.box.centre[0] - x, face.box.centre[1] - y))

    closest = min(faces, key=distance, default=None)
    return closest if closest is not None and distance(closest) < FACE_WIDTH / 2 else None


def isolate(picture: Image, face: Face) -> Image:
    """The surroundings of one face, scaled so that its box is 256 px wide."""
    scale = FACE_WIDTH / face.box.width
    half = round(SURROUNDINGS / 2 * face.box.width)
    x, y = (round(value) for value in face.box.centre)
    part = np.ascontiguousarray(picture[max(0, y - half) : y + half, max(0, x - half) : x + half])
    height, width = (round(side * scale / 4) * 4 for side in part.shape[:2])
    return resize(part, width, height, "pil-bicubic")


def held_out_faces(cache: Path) -> Iterator[HeldOutFace]:
    """Every held-out face, located anew in its scaled surroundings."""
    for name, picture in read_pictures(HELD_OUT, cache):
        for number, found in enumerate(locate_faces(picture), 1):
            surroundings = isolate(picture, found)
            half = SURROUNDINGS / 2 * found.box.width
            scale = FACE_WIDTH / found.box.width
            x, y = (min(half, centre) * scale for centre in found.box.centre)
            face = nearest(locate_faces(surroundings), x, y)
            if face is None:
                raise ValueError(f"face {number} of {name} is not found in its own surroundings")
            yield HeldOutFace(f"{Path(name).stem} {number}", surroundings, face)


def cases(faces: list[HeldOutFace], seed: int = 0) -> Iterator[Case]:
    """All held-out faces under all degradations and kernels; the noise of one seed."""
    for clean in faces:
        for kind, recipe in RECIPES.items():
            for kernels in KERNELS if recipe is not CLEAN else KERNELS[:1]:
                whole: Recipe = replace(recipe, reduction=kernels[0], enlargement=kernels[1])
                degraded = degrade(clean.picture, whole, np.random.default_rng(seed))
                yield Case(clean, kind, kernels, degraded)
