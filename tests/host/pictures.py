"""Pictures with faces where a test wants them, made of the repository's photos."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parents[2]
FACES = (
    ("examples/astronaut.jpg", 226, 121, 107),
    ("tests/data/faceapi_sample6.jpg", 123, 211, 81),
    ("tests/data/faceapi_sample3.jpg", 225, 157, 79),
    ("tests/data/faceapi_sample6.jpg", 251, 162, 90),
    ("tests/data/faceapi_sample1.jpg", 162, 164, 68),
    ("tests/data/faceapi_sample3.jpg", 388, 124, 82),
    ("examples/group.jpg", 329, 86, 66),
    ("tests/data/faceapi_sample6.jpg", 426, 152, 75),
)
"""Photos, and of one face in each: its centre and its size, pixels. Upright ones that detectors are sure of."""
ROOM = 2.2
"""Side of what is shown of a photo, in sizes of the face."""
GREY = (110, 115, 120)


def portrait(number: int, side: int, room: float = ROOM) -> Image.Image:
    """Return one of the faces in a square of `side` pixels, PIL."""
    name, x, y, size = FACES[number % len(FACES)]
    half = size * room / 2
    with Image.open(ROOT / name) as photo:
        shown = photo.convert("RGB").crop((round(x - half), round(y - half), round(x + half), round(y + half)))
    resized: Image.Image = shown.resize((side, side), Image.Resampling.LANCZOS)
    return resized


def sheet(count: int, *, side: int = 192, across: int = 0, first: int = 0) -> Image.Image:
    """Return so many faces beside and below one another, each in a square of `side` pixels, PIL."""
    across = across or count
    picture = Image.new("RGB", (side * across, side * math.ceil(count / across)), GREY)
    for i in range(count):
        picture.paste(portrait(first + i, side), (side * (i % across), side * (i // across)))
    return picture


def crowd() -> Image.Image:
    """Return forty faces of about 40 px, none so near another that their masks could touch, PIL 640 x 400."""
    picture = Image.new("RGB", (640, 400), GREY)
    for i in range(40):
        picture.paste(portrait(i % 2, 64, room=1.8), (i % 8 * 80 + 8, i // 8 * 80 + 8))
    return picture


def tilted(degrees: float, *, side: int = 320, number: int = 0) -> Image.Image:
    """Return one face whose head is tilted clockwise, in the middle of a grey square, PIL."""
    reach = round(side / 1.6)
    picture = Image.new("RGB", (side, side), GREY)
    face = portrait(number, reach).rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=GREY)
    picture.paste(face, ((side - face.width) // 2, (side - face.height) // 2))
    return picture


def overlapping(*, side: int = 192) -> Image.Image:
    """Return two faces of which the right one covers a part of the left one, and a third far from both, PIL."""
    picture = Image.new("RGB", (side * 3, side), GREY)
    picture.paste(portrait(0, side), (0, 0))
    shown = round(side * 0.26)
    picture.paste(portrait(1, side).crop((shown, 0, side - shown, side)), (round(side * 0.6), 0))
    picture.paste(portrait(5, side), (side * 2, 0))
    return picture


def array(picture: Image.Image) -> NDArray[np.uint8]:
    """Return it as RGB uint8 (H, W, 3)."""
    return np.asarray(picture.convert("RGB"))
