"""What each built-in detector finds, and what that costs, under hard conditions.

    python -m benchmarks.recall PHOTOS [THINGS]    folders of photos with faces, and of pictures without

Sought are the faces that CenterFace finds in the photos as they are. A count above them has false finds.
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


CONDITIONS: dict[str, Callable[[Any], Any]] = {
    "as they are": lambda picture: picture,
    "grain, sigma 20": grainy,
    "dark (a quarter)": lambda picture: (picture * 0.25).astype(np.uint8),
    "sepia": sepia,
    "upside down": lambda picture: np.ascontiguousarray(np.rot90(picture, 2)),
    "on the side": lambda picture: np.ascontiguousarray(np.rot90(picture)),
}


def crowd(engine: FaceFix, pictures: list[Any]) -> Any:
    """Return a class photo of 20 x 10 faces."""
    squares = []
    for picture in pictures:
        for face in engine.detect(picture, FaceSettings(detector="centerface")):
            margin = face.box.width * 0.6
            top, left = (round(max(0.0, edge - margin)) for edge in (face.box.top, face.box.left))
            part = picture[top : round(face.box.bottom + margin), left : round(face.box.right + margin)]
            squares.append(cv2.resize(part, (CELL, CELL), interpolation=cv2.INTER_AREA))
    picked = np.random.default_rng(3).integers(len(squares), size=(10, 20))
    return np.vstack([np.hstack([squares[i] for i in row]) for row in picked])


def cases(engine: FaceFix, folders: list[Path]) -> Iterator[tuple[str, list[Any], int]]:
    """Yield each condition: its name, its pictures, and how many faces they show."""
    pictures = list(photos(folders[0]).values())
    seen = [engine.detect(picture, FaceSettings(detector="centerface")) for picture in pictures]
    for name, change in CONDITIONS.items():
        yield name, [change(picture) for picture in pictures], sum(map(len, seen))
    close = []
    for picture, faces in zip(pictures, seen, strict=True):
        for face in faces:
            half = face.box.size / 0.91 / 2
            left, top = (round(max(0.0, middle - half)) for middle in face.box.centre)
            close.append(np.ascontiguousarray(picture[top : round(top + 2 * half), left : round(left + 2 * half)]))
    yield "close-ups, 91 %", close, len(close)
    yield "class photo, 27 px", [crowd(engine, pictures)], 200
    if len(folders) > 1:
        yield "things", list(photos(folders[1]).values()), 0


def main() -> None:
    """Run from the command line."""
    engine = FaceFix()
    folders = [Path(text) for text in sys.argv[1:]] or [Path("tests/data")]
    for condition, pictures, sought in cases(engine, folders):
        for name in DETECTORS:
            settings = FaceSettings(detector=name)
            started = time.process_time()
            counts = [len(engine.detect(picture, settings)) for picture in pictures]
            spent = (time.process_time() - started) / len(pictures) * 1000
            say(f"{condition:20} {name:24} {sum(counts):4} of {sought:3}, {spent:6.0f} ms of CPU an image")


if __name__ == "__main__":
    main()
