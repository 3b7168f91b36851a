"""The degradations that a restorer is judged under: fixed, and not the ones that training draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2
import numpy as np

from lib_facefix.types import Image
from training.degrade import HARD, MILD, degrade, jpeg, to_bytes

Degradation = Callable[[Image, np.random.Generator], Image]
"""From a clean picture with a face 256 px wide to a degraded one of the same size."""

SEPIA = np.array((1.05, 0.93, 0.74), np.float32)
SCRATCHES = 4
MOTION = 15
"""Length of the motion blur, in pixels."""
SEED = 11
VERSION = 1
"""To be raised whenever a degradation changes: results of other versions are not comparable."""


def shrink(picture: Image, factor: float) -> Image:
    """Reduce by pixel areas."""
    return np.asarray(cv2.resize(picture, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA), np.uint8)


def enlarge_like(small: Image, picture: Image) -> Image:
    """Enlarge to the size of `picture`, bicubic."""
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def add_grain(picture: Image, level: float, size: float, random: np.random.Generator) -> Image:
    """Film grain in luma, strongest in mid grey. level: standard deviation in grey levels; size: sigma in pixels."""
    noise = cv2.GaussianBlur(random.standard_normal(picture.shape[:2]).astype(np.float32), (0, 0), size)
    light = picture.astype(np.float32).mean(axis=2) / 255
    strength = level / noise.std() * (3.2 * light * (1 - light) + 0.2)
    return to_bytes(picture + (noise * strength)[..., None])


def add_scratches(picture: Image, number: int, random: np.random.Generator) -> Image:
    """Wavering vertical scratches, and three specks for each."""
    height, width = picture.shape[:2]
    result: Image = picture.copy()
    for _ in range(number):
        x = random.uniform(0, width) + np.cumsum(random.normal(0, 1.2, 20))
        y = np.linspace(random.uniform(-0.3, 0.5) * height, random.uniform(0.5, 1.3) * height, 20)
        line = np.stack((x, y), axis=1).round().astype(np.int32)
        grey, mask = float(random.choice([225, 240, 40])), np.zeros((height, width), np.float32)
        cv2.polylines(mask, [line[:, None]], False, 1.0, int(random.integers(1, 3)), cv2.LINE_AA)
        opacity = (mask * random.uniform(0.4, 0.9))[..., None]
        result = to_bytes(result * (1 - opacity) + grey * opacity)
    for _ in range(3 * number):
        centre = (int(random.uniform(0, width)), int(random.uniform(0, height)))
        colour = (230, 228, 220) if random.random() < 0.6 else (50, 45, 40)
        cv2.circle(result, centre, int(random.integers(1, 3)), colour, -1, cv2.LINE_AA)
    return result


def make_hard(picture: Image, random: np.random.Generator) -> Image:
    """Blur 2, a quarter of the size, noise 5, JPEG 50."""
    return degrade(picture, replace(HARD, reduction="area", enlargement="pil-bicubic"), random)


def make_mild(picture: Image, random: np.random.Generator) -> Image:
    """Blur 0.8, a quarter of the size, noise 2, JPEG 75."""
    return degrade(picture, replace(MILD, reduction="area", enlargement="pil-bicubic"), random)


def make_old_photo(picture: Image, random: np.random.Generator) -> Image:
    """A soft, faded sepia print with grain and scratches, scanned at half the size."""
    grey = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 1.6), cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = shrink(to_bytes((40 + 0.75 * grey)[..., None] * SEPIA), 2)
    worn = add_scratches(add_grain(small, 11, 0.8, random), SCRATCHES, random)
    return enlarge_like(jpeg(worn, 70), picture)


def make_motion(picture: Image, random: np.random.Generator) -> Image:
    """A straight motion blur of 15 px in any direction, noise 2, JPEG 85."""
    kernel = np.zeros((MOTION, MOTION), np.float32)
    kernel[MOTION // 2] = 1
    turn = cv2.getRotationMatrix2D((MOTION // 2, MOTION // 2), random.uniform(0, 180), 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (MOTION, MOTION)), np.float32)
    moved = cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return jpeg(to_bytes(moved + random.normal(0, 2, picture.shape)), 85)


def make_jpeg15(picture: Image, random: np.random.Generator) -> Image:  # noqa: ARG001 nothing is random
    """Half the size, JPEG 15."""
    return enlarge_like(jpeg(shrink(picture, 2), 15), picture)


def make_low_light(picture: Image, random: np.random.Generator) -> Image:
    """Half the size at 22 % of the light, shot and read noise, a phone's smoothing and gain, JPEG 75."""
    light = shrink(picture, 2).astype(np.float32) * 0.22
    shot = random.normal(0, 1, light.shape) * np.sqrt(light) * 0.75
    noisy = np.clip(light + shot + random.normal(0, 2, light.shape), 0, 255).astype(np.float32)
    smooth = np.asarray(cv2.bilateralFilter(noisy, 3, 8, 2), np.float32)
    return enlarge_like(jpeg(to_bytes(smooth * 4), 75), picture)


def make_grain(picture: Image, random: np.random.Generator) -> Image:
    """A little blur, and film grain with a standard deviation of 14."""
    return add_grain(np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8), 14, 1.0, random)


def make_tiny32(picture: Image, random: np.random.Generator) -> Image:  # noqa: ARG001 nothing is random
    """A face of 32 px, enlarged 8 times."""
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.4), np.uint8)
    return enlarge_like(jpeg(shrink(soft, 8), 85), picture)


def make_diffused(picture: Image, random: np.random.Generator) -> Image:
    """A small face as a diffusion model draws it: smooth, warped, oversharpened; enlarged 6 times."""
    small = np.asarray(cv2.bilateralFilter(shrink(picture, 6), 5, 25, 2), np.uint8)
    height, width = small.shape[:2]
    knots = random.normal(0, 0.9, (6, 6, 2)).astype(np.float32)
    field = cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    warped = cv2.remap(
        small, x + field[..., 0], y + field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    sharp = to_bytes(1.6 * warped - 0.6 * cv2.GaussianBlur(warped, (0, 0), 1.0))
    return enlarge_like(sharp, picture)


def leave_clean(picture: Image, random: np.random.Generator) -> Image:  # noqa: ARG001 nothing is random
    """No degradation."""
    return picture


KINDS: Mapping[str, Degradation] = {
    "hard": make_hard,
    "mild": make_mild,
    "old photo": make_old_photo,
    "motion": make_motion,
    "jpeg 15": make_jpeg15,
    "low light": make_low_light,
    "grain": make_grain,
    "tiny 32 px": make_tiny32,
    "diffused": make_diffused,
    "clean": leave_clean,
}


def degrade_as(kind: str, picture: Image, name: str) -> Image:
    """Return the picture under a degradation, with noise that depends on the person's name alone."""
    random = np.random.default_rng([SEED, *name.encode()])
    return KINDS[kind](picture, random)
