"""The photos that the benchmarks run on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from lib_facefix.faces import Image
from lib_facefix.pictures import read_picture

ROOT = Path(__file__).parents[1]
FOUR_FACES = ROOT / "tests" / "data" / "faceapi_sample4.jpg"
ONE_FACE = ROOT / "examples" / "astronaut.jpg"


def photo(path: Path, longer: int) -> Image:
    """Return the photo with its longer side made `longer` pixels; raises `BadPicture`."""
    image = read_picture(path).image
    factor = longer / max(image.shape[:2])
    size = round(image.shape[1] * factor), round(image.shape[0] * factor)
    return np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.LANCZOS))
