"""What a camera, a small file and a careless resize do to a picture: pure functions on numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from lib_facefix.types import Image

PILLOW_KERNELS = {
    "pil-bilinear": PillowImage.Resampling.BILINEAR,
    "pil-bicubic": PillowImage.Resampling.BICUBIC,
    "pil-lanczos": PillowImage.Resampling.LANCZOS,
}
OPENCV_KERNELS = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
REDUCTIONS = ("area", "pil-bicubic", "pil-lanczos", "pil-bilinear")
ENLARGEMENTS = ("cubic", "pil-bicubic", "linear", "pil-lanczos")


@dataclass(frozen=True)
class Recipe:
    """One degradation. The steps follow the order of the fields; the neutral value leaves a step out."""

    blur_before: float = 0.0
    """Sigma in pixels of the full-size picture."""
    factor: float = 1.0
    """The picture is reduced to 1/factor of its width and height."""
    reduction: str = "area"
    blur_after: float = 0.0
    """Sigma in pixels of the reduced picture."""
    noise: float = 0.0
    """Sigma of Gaussian noise, in grey levels of 255."""
    grey_noise: bool = False
    """The same noise in all three channels."""
    shot_noise: float = 0.0
    """Sigma of noise that grows with the root of the brightness, at full white, in grey levels of 255."""
    jpeg: int = 0
    """JPEG quality, 1..100; 0 for none."""
    enlargement: str = "pil-bicubic"


HARD = Recipe(blur_before=2.0, factor=4.0, noise=5.0, jpeg=50)
MILD = Recipe(blur_before=0.8, factor=4.0, noise=2.0, jpeg=75)
CLEAN = Recipe()


def to_bytes(values: NDArray[np.floating[Any]]) -> Image:
    """Round and clip to 0..255."""
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def blurred_after(recipe: Recipe) -> Recipe:
    """The same recipe with its blur moved behind the reduction, where it is stronger."""
    return replace(recipe, blur_before=0.0, blur_after=recipe.blur_before)


def resize(picture: Image, width: int, height: int, kernel: str) -> Image:
    """Resize by one of the kernels named above; Pillow's are widened when they reduce, OpenCV's are not."""
    if (height, width) == picture.shape[:2]:
        return picture
    if kernel in PILLOW_KERNELS:
        image = PillowImage.fromarray(picture).resize((width, height), PILLOW_KERNELS[kernel])
        return np.asarray(image)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=OPENCV_KERNELS[kernel]), np.uint8)


def blur(picture: Image, sigma: float) -> Image:
    """Gaussian blur; a sigma of 0 leaves the picture alone."""
    if sigma <= 0:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)


def add_noise(picture: Image, recipe: Recipe, random: np.random.Generator) -> Image:
    """Gaussian and brightness-dependent noise, rounded and clipped."""
    if recipe.noise <= 0 and recipe.shot_noise <= 0:
        return picture
    values = picture.astype(np.float32)
    shape = (*picture.shape[:2], 1 if recipe.grey_noise else 3)
    noisy = values + recipe.noise * random.standard_normal(shape, dtype=np.float32)
    if recipe.shot_noise > 0:
        spread = recipe.shot_noise * np.sqrt(values / 255.0)
        noisy = noisy + spread * random.standard_normal(shape, dtype=np.float32)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def jpeg(picture: Image, quality: int) -> Image:
    """Through a JPEG file of this quality and back; 0 leaves the picture alone."""
    if quality <= 0:
        return picture
    _, file = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    bgr = cv2.imdecode(file, cv2.IMREAD_COLOR)
    assert bgr is not None  # it was written a line above
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)


def reduce(picture: Image, recipe: Recipe, random: np.random.Generator) -> Image:
    """The degraded picture at its reduced size."""
    height, width = (max(1, round(side / recipe.factor)) for side in picture.shape[:2])
    small = resize(blur(picture, recipe.blur_before), width, height, recipe.reduction)
    return jpeg(add_noise(blur(small, recipe.blur_after), recipe, random), recipe.jpeg)


def degrade(picture: Image, recipe: Recipe, random: np.random.Generator) -> Image:
    """The degraded picture, enlarged back to the size of `picture`."""
    height, width = picture.shape[:2]
    return resize(reduce(picture, recipe, random), width, height, recipe.enlargement)


def near(recipe: Recipe, after: float, random: np.random.Generator) -> Recipe:
    """`recipe` with its strengths moved a little and its kernels drawn anew.

    after: share of recipes that blur behind the reduction, 0..1.
    """
    moved = replace(
        recipe,
        blur_before=recipe.blur_before * random.uniform(0.8, 1.2),
        factor=recipe.factor * random.uniform(0.93, 1.07),
        reduction=str(random.choice(REDUCTIONS, p=(0.4, 0.35, 0.2, 0.05))),
        noise=recipe.noise * random.uniform(0.7, 1.3),
        grey_noise=bool(random.random() < 0.15),
        jpeg=int(recipe.jpeg + random.integers(-6, 7)),
        enlargement=str(random.choice(ENLARGEMENTS, p=(0.45, 0.4, 0.1, 0.05))),
    )
    return blurred_after(moved) if random.random() < after else moved


def any_recipe(random: np.random.Generator) -> Recipe:
    """A degradation from anywhere in the range that users bring."""
    factor = float(np.exp(random.uniform(0.0, np.log(7.0))))
    return Recipe(
        blur_before=random.uniform(0.2, 0.9 * factor) if random.random() < 0.6 else 0.0,
        factor=factor,
        reduction=str(random.choice(REDUCTIONS)),
        blur_after=random.uniform(0.3, 2.0) if random.random() < 0.35 else 0.0,
        noise=float(random.exponential(5.0)) if random.random() < 0.7 else 0.0,
        grey_noise=bool(random.random() < 0.3),
        shot_noise=float(random.exponential(4.0)) if random.random() < 0.3 else 0.0,
        jpeg=int(random.integers(30, 96)) if random.random() < 0.8 else 0,
        enlargement=str(random.choice(ENLARGEMENTS, p=(0.4, 0.3, 0.2, 0.1))),
    )


def draw_recipe(random: np.random.Generator) -> Recipe:
    """Small files: the two judged points densely, and everything else."""
    kind = random.random()
    if kind < 0.34:
        return near(HARD, 0.35, random)
    if kind < 0.68:
        return near(MILD, 0.30, random)
    return any_recipe(random)
