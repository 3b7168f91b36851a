"""Grain of a photo: how strong it is around a face, and the part of it that a restored face lacks.

A restorer takes grain for noise and removes it, so that its face looks waxed in a grainy photo. The removed grain is
given back from the crop itself. This is the photo's own grain, with its level, size, and colour at every brightness,
and in proportion to what is missing. It needs no random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Image, Mask, Matrix, Patch
from .align import inverse, scale_factor, transform_points
from .bands import Plane, high_pass, luma_of

COARSEST, FINEST = 3.0, 1.0
"""Sigma of the blur that separates grain from the face, and of the one that finds its finest part, image pixels."""
BLOCK = 16
"""Side of the blocks in which energy is measured, in pixels of the crop."""
FLAT = 0.1
"""Rank among all blocks, by energy, of the one that counts as flat: edges and texture are in others."""
LEAST = 0.4, 0.7
"""Levels of the finest part of grain up to which there is none, and from which all of it counts, in grey levels."""
COLOURED = 0.8
"""Level of colour above which grain is coloured, in grey levels."""
FINENESS = 0.27, 0.31
"""Ratio of the finest part of grain to the whole. Below it, an enlarged image or JPEG has made coarse blotches.

White noise has 0.8, grain of a Gaussian of 1.2 px 0.3 to 0.5, noise that was enlarged 4 times 0.2 to 0.26."""
BLOCKY = 1.0, 1.6
"""Ratios of JPEG's steps at block edges to the finest part of grain up to which it is grain, and from which blocks."""
USUAL, RARE = 3.0, 6.0
"""Standard deviations up to which a value is grain, and from which it is an edge or a scratch."""
BRIGHTER = 1.6
"""Largest ratio of the face's level to that of its surroundings, as grain depends on brightness."""
CLIPPED = 6, 249
"""Mean brightness of blocks below and above which black or white hides grain."""


@dataclass(frozen=True, slots=True)
class Grain:
    """Grain around a face."""

    levels: tuple[float, float, float]
    """Standard deviations of brightness, red - brightness and blue - brightness in the face, in grey levels."""
    share: float
    """How surely it is grain, 0..1."""
    finest: float
    """Standard deviation of the finest part of the brightness, in grey levels; it is noise if there is no grain."""


def measure_grain(crop: Image, mask: Mask, matrix: Matrix, size: tuple[int, int], blocks: float = 0.0) -> Grain:
    """Return the grain of the surroundings of a face.

    crop: (h, w, 3); mask: (h, w), above 0 on the face; matrix: affine map from the image to the crop; size: width and
    height of the image in pixels; blocks: step at the edges of JPEG's blocks (`measure_blocks`), in grey levels. Only
    flat parts count, outside the mask and inside the image.
    """
    step = max(1.0, scale_factor(matrix))
    luma = luma_of(crop)
    grid = crop.shape[1] // BLOCK, crop.shape[0] // BLOCK
    inside = _find_inside(grid, matrix, size) & _find_exposed(luma, grid)
    face = np.asarray(cv2.resize(mask, grid, interpolation=cv2.INTER_AREA)) > 0
    around, own = inside & ~face, inside & face
    band = high_pass(luma, COARSEST * step)
    finest = high_pass(luma, FINEST * step)
    level, fine = _level(band, around), _level(finest, around)
    noise = _in_face(finest, own, fine)
    share = _ramp(fine, *LEAST) * _ramp(fine / max(level, 1e-6), *FINENESS)
    share *= 1 - _ramp(blocks / max(fine, 1e-6), *BLOCKY)
    if not share:
        return Grain((level, 0.0, 0.0), 0.0, noise)
    levels = [_in_face(band, own, level)]
    for chroma in _chroma_of(crop, luma):
        plane = high_pass(chroma, COARSEST * step)
        levels.append(_in_face(plane, own, _level(plane, around)))
    return Grain((levels[0], levels[1], levels[2]), share, noise)


def keep_grain(patch: Patch, crop: Image, grain: Grain, scale: float, amount: float) -> Patch:
    """Return the restored crop with the part of the photo's grain that it lacks.

    patch, crop: (h, w, 3), the restored crop and the original one; scale: pixels of the crop for one of the image;
    amount: share of the lacking grain that is added, 0..1. The same input gives the same bytes.
    """
    amount *= grain.share
    if not amount:
        return patch
    sigma = COARSEST * max(1.0, scale)
    planes = [(luma_of(crop), luma_of(patch))]
    if max(grain.levels[1:]) > COLOURED:
        planes += zip(_chroma_of(crop, planes[0][0]), _chroma_of(patch, planes[0][1]), strict=True)
    light, *chroma = (
        _find_lacking(before, after, level, sigma) * np.float32(amount)
        for (before, after), level in zip(planes, grain.levels, strict=False)
    )
    added = cv2.cvtColor(light, cv2.COLOR_GRAY2RGB)
    if chroma:
        red, blue = chroma
        added += np.dstack([red, (0.299 * red + 0.114 * blue) / -0.587, blue])
    return np.asarray(patch + added, np.float32)


def _find_lacking(before: Plane, after: Plane, level: float, sigma: float) -> Plane:
    """Return the grain of the original plane that the restored one lacks, (h, w), in grey levels.

    It is the fine change, without what exceeds grain: clearer eyes, edges, and removed scratches stay.
    """
    return _without_edges(high_pass(before - after, sigma), level)


def _without_edges(band: Plane, level: float) -> Plane:
    """Return the band without values larger than grain of this level; they fall to 0, as by Hampel's weights."""
    fall = (np.float32(RARE) - np.abs(band) / np.float32(level)) / np.float32(RARE - USUAL)
    return np.asarray(band * np.clip(fall, 0, 1), np.float32)


def _chroma_of(crop: Patch, luma: Plane) -> tuple[Plane, Plane]:
    """Return red - brightness and blue - brightness of a crop, (h, w) each."""
    return np.subtract(crop[..., 0], luma, dtype=np.float32), np.subtract(crop[..., 2], luma, dtype=np.float32)


def _level(band: Plane, chosen: NDArray[np.bool_]) -> float:
    """Return the standard deviation of a band in the flat ones of the chosen blocks; 0 if there are none."""
    energy = np.asarray(cv2.resize(band * band, chosen.shape[::-1], interpolation=cv2.INTER_AREA))[chosen]
    rank = int(energy.size * FLAT)
    return float(np.sqrt(np.partition(energy, rank)[rank])) if energy.size else 0.0


def _in_face(band: Plane, own: NDArray[np.bool_], around: float) -> float:
    """Return the level of grain in the face, which may exceed the one around it a little."""
    return min(max(_level(band, own), around), BRIGHTER * around)


def _find_exposed(luma: Plane, blocks: tuple[int, int]) -> NDArray[np.bool_]:
    means = np.asarray(cv2.resize(luma, blocks, interpolation=cv2.INTER_AREA))
    return np.asarray((means > CLIPPED[0]) & (means < CLIPPED[1]))


def _find_inside(blocks: tuple[int, int], matrix: Matrix, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which blocks of the crop, (rows, columns), lie inside the image; others repeat its edge."""
    columns, rows = np.meshgrid(np.arange(blocks[0]), np.arange(blocks[1]))
    centres = np.asarray((np.stack([columns, rows], -1).reshape(-1, 2) + 0.5) * BLOCK, np.float64)
    places = transform_points(centres, inverse(matrix))
    return np.asarray(((places > 0) & (places < size)).all(1).reshape(blocks[::-1]))


def _ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to `low`, 1 from `high`, and a straight line between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
