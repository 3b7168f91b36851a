"""What each built-in detector finds, and what that costs, under hard conditions.

    python -m benchmarks.recall PHOTOS [THINGS]    folders of photos with faces, and of pictures without

Sought are the faces that CenterFace finds in the photos as they are. A find counts if it lies on one of them, else it
is false; so is the second find of a face.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.detecting import photos, say
from lib_facefix import FaceFix, FaceSettings
from lib_facefix.imaging.boxes import same_face
from lib_facefix.types import Box, Face

DETECTORS = ("blazeface", "centerface", "blazeface + centerface", "auto")
CELL = 60
"""Pixels of each face's square in the class photo."""


def grainy(picture: Any, sigma: float = 20) -> Any:
    """Return the picture in black and white with film grain."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    grain = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 1, grey.shape), (0, 0), 0.8)
    return np.repeat(np.clip(grey + grain / grain.std() * sigma, 0, 255).astype(np.uint8)[..., None], 3, 2)


def sepia(picture: Any) -> Any:
    """Return the picture as a sepia print."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return np.clip(grey * (0.85, 0.75, 0.55) + (35, 25, 15), 0, 255).astype(np.uint8)


def _half_turn(box: Box, width: int, height: int) -> Box:
    return Box(width - box.right, height - box.bottom, width - box.left, height - box.top)


def _quarter_turn(box: Box, width: int, _height: int) -> Box:
    return Box(box.top, width - box.right, box.bottom, width - box.left)


def _stay(box: Box, _width: int, _height: int) -> Box:
    return box


CONDITIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Box, int, int], Box]]] = {
    "as they are": (lambda picture: picture, _stay),
    "grain, sigma 20": (grainy, _stay),
    "dark (a quarter)": (lambda picture: (picture * 0.25).astype(np.uint8), _stay),
    "sepia": (sepia, _stay),
    "upside down": (lambda picture: np.ascontiguousarray(np.rot90(picture, 2)), _half_turn),
    "on the side": (lambda picture: np.ascontiguousarray(np.rot90(picture)), _quarter_turn),
}
"""What is done to a picture, and where a box of it lies then, given the picture's width and height before."""


def crowd(engine: FaceFix, pictures: list[Any]) -> tuple[Any, list[Box]]:
    """Return a class photo of 20 x 10 faces, and where they are."""
    squares = []
    for picture in pictures:
        for face in engine.detect(picture, FaceSettings(detector="centerface")):
            margin = face.box.width * 0.6
            top, left = (round(max(0.0, edge - margin)) for edge in (face.box.top, face.box.left))
            part = picture[top : round(face.box.bottom + margin), left : round(face.box.right + margin)]
            across, down = CELL / part.shape[1], CELL / part.shape[0]
            place = [(face.box.left - left) * across, (face.box.top - top) * down]
            place += [(face.box.right - left) * across, (face.box.bottom - top) * down]
            squares.append((cv2.resize(part, (CELL, CELL), interpolation=cv2.INTER_AREA), place))
    picked = np.random.default_rng(3).integers(len(squares), size=(10, 20))
    boxes = [
        Box(*np.add(squares[i][1], (column * CELL, row * CELL) * 2).tolist())
        for (row, column), i in np.ndenumerate(picked)
    ]
    return np.vstack([np.hstack([squares[i][0] for i in row]) for row in picked]), boxes


def cases(engine: FaceFix, folders: list[Path]) -> Iterator[tuple[str, list[Any], list[list[Box]]]]:
    """Yield each condition: its name, its pictures, and where they show faces."""
    pictures = list(photos(folders[0]).values())
    seen = [engine.detect(picture, FaceSettings(detector="centerface")) for picture in pictures]
    for name, (change, move) in CONDITIONS.items():
        places = [
            [move(face.box, picture.shape[1], picture.shape[0]) for face in faces]
            for picture, faces in zip(pictures, seen, strict=True)
        ]
        yield name, [change(picture) for picture in pictures], places
    close, filling = [], []
    for picture, faces in zip(pictures, seen, strict=True):
        for face in faces:
            half = face.box.size / 0.91 / 2
            left, top = (round(max(0.0, middle - half)) for middle in face.box.centre)
            close.append(np.ascontiguousarray(picture[top : round(top + 2 * half), left : round(left + 2 * half)]))
            box = Box(face.box.left - left, face.box.top - top, face.box.right - left, face.box.bottom - top)
            filling.append([box])
    yield "close-ups, 91 %", close, filling
    crowded, boxes = crowd(engine, pictures)
    yield "class photo, 27 px", [crowded], [boxes]
    if len(folders) > 1:
        things = list(photos(folders[1]).values())
        yield "things", things, [[] for _ in things]


def count_true(found: tuple[Face, ...], sought: list[Box]) -> int:
    """Return how many of the sought faces were found, each by a find of its own."""
    left = list(sought)
    for face in found:
        place = next((box for box in left if same_face(face.box, box)), None)
        if place is not None:
            left.remove(place)
    return len(sought) - len(left)


def main() -> None:
    """Run from the command line."""
    engine = FaceFix()
    folders = [Path(text) for text in sys.argv[1:]] or [Path("tests/data")]
    for condition, pictures, places in cases(engine, folders):
        sought = sum(map(len, places))
        for name in DETECTORS:
            settings = FaceSettings(detector=name)
            started = time.process_time()
            found = [engine.detect(picture, settings) for picture in pictures]
            spent = (time.process_time() - started) / len(pictures) * 1000
            true = sum(map(count_true, found, places))
            false = sum(map(len, found)) - true
            say(f"{condition:20} {name:24} {true:4} of {sought:3}, {false:3} false, {spent:6.0f} ms of CPU an image")


if __name__ == "__main__":
    main()
