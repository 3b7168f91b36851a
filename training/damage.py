"""Damage beyond small files: motion, film grain, low light, scratches, toned paper, and what diffusion does to faces.

Pure functions on (H, W, 3) uint8 pictures; `draw_damage` draws one of them at a random strength.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from lib_facefix.types import Image
from training.degrade import jpeg, to_bytes

Floats = NDArray[np.float32]
LUMA = np.array((0.299, 0.587, 0.114), np.float32)
ENLARGEMENTS = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4)


def shrink(picture: Image, factor: float) -> Image:
    """Reduce to 1/factor of the width and height."""
    height, width = (max(8, round(side / factor)) for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def enlarge(picture: Image, like: Image, random: np.random.Generator) -> Image:
    """Back to the size of `like`, by one of the usual kernels."""
    size = like.shape[1], like.shape[0]
    return np.asarray(cv2.resize(picture, size, interpolation=int(random.choice(ENLARGEMENTS))), np.uint8)


def blur(picture: Image, sigma: float) -> Image:
    """Gaussian blur; at most 0 leaves the picture alone."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8) if sigma > 0 else picture


def move(picture: Image, length: float, degrees: float) -> Image:
    """Blur along a line of `length` pixels."""
    side = int(length) | 1
    kernel = np.zeros((side, side), np.float32)
    kernel[side // 2] = 1
    middle = side / 2 - 0.5
    turned = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((middle, middle), degrees, 1), (side, side))
    moved = cv2.filter2D(picture, -1, turned / turned.sum(), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def add_grain(picture: Image, level: float, size: float, grey: bool, random: np.random.Generator) -> Image:
    """Film grain: noise of `level` grey levels in the middle tones, less in shadows and lights.

    size: sigma in pixels of the blur that gives the grain its size.
    """
    noise = random.standard_normal((*picture.shape[:2], 1 if grey else 3), dtype=np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), size).reshape(*picture.shape[:2], -1)
    tone = picture.astype(np.float32).mean(-1, keepdims=True) / 255
    return to_bytes(picture + level * soft / soft.std() * (3.2 * tone * (1 - tone) + 0.2))


def darken_and_lift(picture: Image, light: float, random: np.random.Generator) -> Image:
    """A photo taken in `light` (0..1) of what it needs: photon and reading noise, smoothed, and lifted again."""
    seen = picture.astype(np.float32) * np.float32(light)
    photon, reading = random.uniform(0.3, 1.0), random.uniform(0.5, 3.0)
    seen += random.standard_normal(seen.shape, dtype=np.float32) * np.sqrt(np.maximum(seen, 0)) * np.float32(photon)
    seen += random.standard_normal(seen.shape, dtype=np.float32) * np.float32(reading)
    seen = np.clip(seen, 0, 255)
    if random.random() < 0.6:
        seen = np.asarray(cv2.bilateralFilter(seen, 3, 8, 2), np.float32)
    return to_bytes(seen * (0.88 / light))


def scratch(picture: Image, number: int, random: np.random.Generator) -> Image:
    """Scratches from top to bottom, and specks of dust."""
    height, width = picture.shape[:2]
    scratched = picture.astype(np.float32)
    for _ in range(number):
        x = random.uniform(0, width) + np.cumsum(random.normal(0, 1.2, 20))
        y = np.linspace(random.uniform(-0.3, 0.5) * height, random.uniform(0.5, 1.3) * height, 20)
        line = np.stack((x, y), 1)
        if random.random() < 0.3:
            line = (line - line.mean(0))[:, ::-1] + line.mean(0)
        mask = np.zeros((height, width), np.float32)
        thickness = int(random.integers(1, 3))
        cv2.polylines(mask, [line.round().astype(np.int32)[:, None]], False, 1.0, thickness, cv2.LINE_AA)
        share = (mask * random.uniform(0.4, 0.95))[..., None]
        scratched += share * (float(random.choice((225, 240, 40))) - scratched)
    for _ in range(number * 3):
        at = int(random.uniform(0, width)), int(random.uniform(0, height))
        colour = (230, 228, 220) if random.random() < 0.6 else (50, 45, 40)
        cv2.circle(scratched, at, int(random.integers(1, 3)), colour, -1, cv2.LINE_AA)
    return to_bytes(scratched)


def tone(picture: Image, kind: str) -> Image:
    """Black and white ("grey") or brown ("sepia"), the latter with the little contrast of old paper."""
    light = picture.astype(np.float32) @ LUMA
    if kind == "sepia":
        light = 40 + 0.75 * light
        return to_bytes(light[..., None] * np.array((1.05, 0.93, 0.74), np.float32))
    return to_bytes(light[..., None].repeat(3, -1))


def redraw_small(picture: Image, factor: float, strength: float, random: np.random.Generator) -> Image:
    """A small face as diffusion draws it: smeared, its shapes moved, sharpened too much; then enlarged.

    strength: how far shapes move, in pixels of the small picture.
    """
    small = cv2.bilateralFilter(shrink(picture, factor), 5, random.uniform(10, 30), 2)
    height, width = small.shape[:2]
    field = cv2.resize(
        random.normal(0, strength, (6, 6, 2)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    y, x = np.mgrid[:height, :width].astype(np.float32)
    small = cv2.remap(small, x + field[..., 0], y + field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    small = to_bytes(small * 1.55 - 0.55 * cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32))
    return enlarge(small, picture, random)


def draw_motion(picture: Image, random: np.random.Generator) -> Image:
    """A moved camera."""
    moved = move(picture, random.uniform(5, 19), random.uniform(0, 180))
    noisy = moved + random.normal(0, random.exponential(3), moved.shape)
    return jpeg(to_bytes(noisy), int(random.integers(50, 95)))


def draw_blocks(picture: Image, random: np.random.Generator) -> Image:
    """A JPEG saved for the smallest file."""
    small = shrink(picture, random.uniform(1.0, 4.0))
    return enlarge(jpeg(small, int(random.integers(8, 41))), picture, random)


def draw_grain(picture: Image, random: np.random.Generator) -> Image:
    """A scan of grainy film."""
    small = blur(shrink(picture, random.uniform(1.0, 3.5)), random.uniform(0.3, 1.2))
    grainy = add_grain(small, random.uniform(4, 18), random.uniform(0.5, 1.2), bool(random.random() < 0.6), random)
    return enlarge(jpeg(grainy, int(random.integers(50, 96))), picture, random)


def draw_low_light(picture: Image, random: np.random.Generator) -> Image:
    """A telephone in a dim room."""
    dark = darken_and_lift(shrink(picture, random.uniform(1.0, 3.0)), random.uniform(0.12, 0.4), random)
    return enlarge(jpeg(dark, int(random.integers(50, 95))), picture, random)


def draw_tiny(picture: Image, random: np.random.Generator) -> Image:
    """A face of few pixels, enlarged."""
    factor = random.uniform(4, 9)
    tiny = shrink(blur(picture, factor * random.uniform(0.1, 0.5)), factor)
    return enlarge(jpeg(tiny, int(random.integers(60, 98))), picture, random)


def draw_old_photo(picture: Image, random: np.random.Generator) -> Image:
    """A scan of an old print: soft, toned, grainy, scratched. `picture` must have its tone already."""
    small = shrink(blur(picture, random.uniform(0.5, 2.2)), random.uniform(1.2, 3.0))
    small = add_grain(small, random.uniform(3, 14), random.uniform(0.5, 1.2), True, random)
    small = scratch(small, int(random.integers(0, 6)), random)
    return enlarge(jpeg(small, int(random.integers(55, 95))), picture, random)


def draw_mush(picture: Image, random: np.random.Generator) -> Image:
    """A small face of a generated picture, its shapes hardly moved: there is no truth for others."""
    return redraw_small(picture, random.uniform(3, 7), random.uniform(0, 0.35), random)


DAMAGES: tuple[tuple[float, Callable[[Image, np.random.Generator], Image]], ...] = (
    (0.19, draw_motion),
    (0.19, draw_blocks),
    (0.14, draw_grain),
    (0.14, draw_low_light),
    (0.16, draw_tiny),
    (0.06, draw_mush),
)
"""Each kind's share, and what draws it."""


def draw_damage(picture: Image, random: np.random.Generator) -> Image:
    """The picture, damaged in one of these ways at a random strength."""
    shares = np.array([share for share, _ in DAMAGES])
    number = int(random.choice(len(DAMAGES), p=shares / shares.sum()))
    return DAMAGES[number][1](picture, random)
