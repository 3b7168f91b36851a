"""Endless random training samples: a clean face and its degraded twin, cut the way the library cuts."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from lib_facefix.imaging.align import FFHQ_512, fit_similarity, scale_factor
from lib_facefix.imaging.frames import cut
from lib_facefix.types import Image, Matrix, Points
from training.damage import draw_damage, draw_old_photo, tone
from training.degrade import CLEAN, Recipe, degrade, draw_recipe
from training.faces import Source

Sample = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""Degraded and clean crop, each (3, S, S) RGB, 0..1."""

CROP = 512
FACE_IN_CROP = 290.0
"""About how wide a face is in the 512-pixel FFHQ crop."""
MIRRORED = [1, 0, 2, 4, 3]
"""Which landmark becomes which in a mirror."""
DAMAGED, UNTOUCHED = 0.30, 0.10
"""Shares of samples with other damage than small files have, and with none."""
OLD = 0.12
"""Share of old photos among the damaged: their clean crops are toned, too, since colour is not to be invented."""
LARGEST_STEP = 1.1
"""How far a face may be enlarged: it is the truth, so it must be sharp."""


def face_width(landmarks: Points) -> float:
    """The width in pixels of a face with these landmarks, by the scale of its fit to the FFHQ template."""
    return FACE_IN_CROP / scale_factor(fit_similarity(landmarks, FFHQ_512))


def smooth_field(size: int, amplitude: float, random: np.random.Generator) -> npt.NDArray[np.float32]:
    """A smooth random displacement, (size, size, 2) pixels; it makes new face shapes out of few faces."""
    knots = int(random.integers(4, 7))
    coarse = random.normal(0.0, amplitude, (knots, knots, 2)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float32, copy=False)


def draw_region(source: Source, width: float, random: np.random.Generator) -> tuple[Image, Points]:
    """The face's surroundings resampled so that the face is `width` pixels wide; perhaps warped and mirrored.

    Returns the square region and the landmarks in it.
    """
    step = face_width(source.landmarks) / width
    picture, landmarks = source.picture, source.landmarks
    while step > 1.5:  # remap does not prefilter
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
        step, landmarks = step / 2, landmarks / 2
    size = round(width * 2.3)
    field = smooth_field(size, 0.022 * width, random) * np.float32(random.random() < 0.6)
    centre = landmarks.mean(axis=0) + random.uniform(-0.1, 0.1, 2) * width * step
    y, x = np.mgrid[:size, :size].astype(np.float32) + np.float32(0.5 - size / 2)
    target = (landmarks - centre) / step + size / 2
    for _ in range(2):
        at = np.clip(target, 0, size - 1).astype(int)
        target = (landmarks - centre) / step + size / 2 - field[at[:, 1], at[:, 0]]
    map_x = ((x + field[..., 0]) * step + centre[0] - 0.5).astype(np.float32)
    map_y = ((y + field[..., 1]) * step + centre[1] - 0.5).astype(np.float32)
    region = cv2.remap(picture, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if random.random() < 0.5:
        mirrored: Points = np.stack((size - target[:, 0], target[:, 1]), axis=1)[MIRRORED]
        return np.ascontiguousarray(region[:, ::-1], np.uint8), mirrored
    return np.asarray(region, np.uint8), np.asarray(target)


def recolour(picture: Image, random: np.random.Generator) -> Image:
    """Other light, other skin, other film: channel gains, gamma, saturation, grey, sepia, fading."""
    if random.random() < 0.25:
        return picture
    values = np.arange(256, dtype=np.float32) / 255
    gains = random.normal(1.0, 0.06, 3) * random.uniform(0.75, 1.2)
    curves = [np.clip(values ** random.uniform(0.75, 1.35) * gain, 0, 1) for gain in gains]
    kind = random.random()
    saturation = 0.0 if kind < 0.1 else random.uniform(0.5, 1.3)
    grey = np.array((0.299, 0.587, 0.114), np.float32)
    mixing = saturation * np.eye(3, dtype=np.float32) + (1 - saturation) * grey[None].repeat(3, axis=0)
    if kind < 0.05:
        mixing = np.array((1.07, 0.94, 0.72), np.float32)[:, None] * mixing
    lift = random.uniform(0.0, 60.0) if random.random() < 0.1 else 0.0
    lut = np.rint(np.stack(curves, axis=-1) * (255 - lift) + lift).astype(np.uint8)
    mixed = cv2.transform(cv2.LUT(picture, lut[None]), mixing)
    return np.clip(mixed, 0, 255).astype(np.uint8, copy=False)


def draw_width(native: float, clean: bool, random: np.random.Generator) -> float:
    """How wide the face is in the picture, in pixels: mostly near the judged 256, never wider than it is sharp."""
    if clean:
        width = random.uniform(180, 420)
    else:
        width = random.uniform(235, 280) if random.random() < 0.75 else random.uniform(150, 400)
    return float(min(width, LARGEST_STEP * native))


def draw_matrix(landmarks: Points, random: np.random.Generator) -> Matrix:
    """The crop's matrix for landmarks found on a bad picture, that is, not quite right ones."""
    unit = face_width(landmarks) / FACE_IN_CROP
    found = landmarks + random.normal(0.0, random.uniform(0.0, 5.0), landmarks.shape) * unit
    return fit_similarity(found + random.normal(0.0, 3.0, 2) * unit, FFHQ_512)


def to_planes(crop: Image) -> npt.NDArray[np.float32]:
    """(S, S, 3) bytes to (3, S, S), 0..1."""
    return np.asarray(np.ascontiguousarray(crop.transpose(2, 0, 1), np.float32) / np.float32(255))


def spoil(region: Image, recipe: Recipe | None, random: np.random.Generator) -> tuple[Image, Image]:
    """The degraded region and the clean one; without a recipe, by damage that small files do not have."""
    if recipe is not None:
        return degrade(region, recipe, random), region
    if random.random() < OLD:
        region = tone(region, "sepia" if random.random() < 0.5 else "grey")
        return draw_old_photo(region, random), region
    return draw_damage(region, random), region


def draw_sample(source: Source, random: np.random.Generator) -> Sample:
    """One degraded crop and the clean crop it came from, cut by the same matrix."""
    kind = random.random()
    recipe = CLEAN if kind < UNTOUCHED else None if kind < UNTOUCHED + DAMAGED else draw_recipe(random)
    region, landmarks = draw_region(source, draw_width(face_width(source.landmarks), recipe == CLEAN, random), random)
    pair = spoil(recolour(region, random), recipe, random)
    matrix = draw_matrix(landmarks, random)
    degraded, clean = (to_planes(cut(picture, matrix, CROP).image) for picture in pair)
    return degraded, clean


def draw_place(picture: Image, random: np.random.Generator) -> Source:
    """Anywhere in a photo, turned and scaled at random, as if a face stood there."""
    height, width = picture.shape[:2]
    scale = float(np.exp(random.uniform(np.log(0.25), np.log(0.8)))) * min(1.0, min(height, width) / 700)
    turn = scale * np.exp(1j * random.normal(0.0, 0.3))
    shape = (FFHQ_512 - CROP / 2) @ np.array((1, 1j)) * turn
    centre = np.array((random.uniform(0.15, 0.85) * width, random.uniform(0.15, 0.85) * height))
    return Source(picture, np.stack((shape.real, shape.imag), axis=1) + centre)
