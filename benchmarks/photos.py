"""The photos that the benchmarks run on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from lib_facefix.pictures import read_picture
from lib_facefix.types import Image

ROOT = Path(__file__).parents[1]
FOUR_FACES = ROOT / "tests" / "data" / "faceapi_sample4.jpg"
ONE_FACE = ROOT / "examples" / "astronaut.jpg"


def photo(path: Path, longer: int) -> Image:
    """Return the photo with its longer side made `longer` pixels; raises `BadPicture`."""
    image = read_picture(path).image
    factor = longer / max(image.shape[:2])
    size = round(image.shape[1] * factor), round(image.shape[0] * factor)
    return np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.LANCZOS))


def square(path: Path, side: int, across: int = 1) -> Image:
    """Return the photo, widened by its edges to a square, `across` times beside and below itself, (side, side, 3)."""
    one = photo(path, side // across)
    missing = [side // across - length for length in one.shape[:2]]
    one = np.pad(one, (*((less // 2, less - less // 2) for less in missing), (0, 0)), mode="edge")
    return np.tile(one, (across, across, 1))
