"""The default: BlazeFace everywhere, CenterFace where faces are small or the picture is grainy."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

import cv2
import numpy as np

from ..imaging.boxes import bounding, same_face
from ..types import Box, Face, Image
from .blazeface import BlazeFace
from .centerface import MAX_SIDE, CenterFace
from .marks import move_face
from .windows import starts

WANTED = 30
"""Pixels that suspected faces are scaled to: CenterFace finds 199 of 200 in a crowd."""
UNSURE = 0.15
"""BlazeFace's finds that score less than this above the minimum are looked at by CenterFace too."""
MANY = 3
"""Of so many suspected faces the whole part of the picture is searched, of fewer their surroundings first."""
SURE = 0.65
"""Score of a find in the surroundings from which the whole part is searched."""
AROUND = 3.0
"""How far around suspected faces CenterFace searches, in their sizes."""
SCALES = 0.05, 2.0
"""Smallest and largest scale at which CenterFace sees a part of the picture."""
NOISY = 6.0
"""Grain of this strength, in grey levels of 255, hides faces from BlazeFace; clean photos have 1 to 3."""
NOISE_SIDE = 1024
"""Longer side in pixels at which grain is measured."""
GRAIN_AREA, CALM = 15, 0.25
"""Side in pixels of the areas in which grain is measured, and the share of calm ones among them."""
GRAIN_SIDE = 640
"""Longer side in pixels at which CenterFace searches a denoised picture."""
CLEAN_SIDE = 960
"""Longer side in pixels to which it is reduced before: the grain of large scans is larger than the filters."""
MEDIAN, MEDIAN_BEFORE = 5, 3
"""Sides in pixels of the median filters that take scratches away: alone, and before grain is taken away."""
STRENGTH = 25
"""Of non-local means: with it CenterFace finds 23 of 23 faces under grain of 20 levels, with a median alone 20."""


class Adaptive:
    """A `Detector` that costs what BlazeFace costs, and asks CenterFace only where BlazeFace is known to fail."""

    def __init__(self) -> None:
        self._blaze = BlazeFace()

    @cached_property
    def _center(self) -> CenterFace:
        return CenterFace()

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        faces, hints = self._blaze.search(image, min_score)
        hints += [face.box for face in faces if face.score < min_score + UNSURE]
        more = self._search_near(image, hints, min_score) if hints else []
        if measure_grain(image) > NOISY:
            more += self.look_denoised(image, min_score)
        return _join(faces, more)

    def glance(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces that BlazeFace finds."""
        return self._blaze.detect(image, min_score)

    def look_from_afar(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces of a close-up; some are no faces, so that each must be confirmed."""
        return self._blaze.look_from_afar(image, min_score)

    def look_denoised(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces that CenterFace sees without grain and scratches; image: RGB."""
        scale = min(1.0, CLEAN_SIDE / max(image.shape[:2]))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
        seen = self._center.look(_without_grain(np.asarray(small, np.uint8)), min_score, GRAIN_SIDE)
        return tuple(
            _scale_face(face, image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]) for face in seen
        )

    def _search_near(self, image: Image, hints: list[Box], min_score: float) -> list[Face]:
        """Return what CenterFace finds near the places where BlazeFace suspects faces."""
        height, width = image.shape[:2]
        size = float(np.median([box.size for box in hints]))
        scale = min(max(WANTED / size, SCALES[0]), SCALES[1])
        side = math.floor(MAX_SIDE / scale)
        faces: list[Face] = []
        for top in starts(height, side):
            for left in starts(width, side):
                tile = Box(left, top, min(left + side, width), min(top + side, height))
                within = [box.corners for box in hints if _holds(tile, box)]
                if not within:
                    continue
                near = _widen(bounding(np.concatenate(within)), AROUND * size, tile)
                parts = [tile] if len(within) >= MANY else [near, tile]
                for part in parts:
                    seen = self._look_at(image, part, min_score, scale)
                    faces += seen
                    if not any(face.score >= SURE for face in seen):
                        break
        return faces

    def _look_at(self, image: Image, part: Box, min_score: float, scale: float) -> list[Face]:
        """Return what CenterFace finds in a part of the picture, scaled; places are those in the whole picture."""
        rows, columns = slice(int(part.top), int(part.bottom)), slice(int(part.left), int(part.right))
        seen = self._center.look(image[rows, columns], min_score, math.ceil(scale * part.size))
        return [move_face(face, part.left, part.top) for face in seen]


def measure_grain(image: Image) -> float:
    """Return how grainy the picture is, in grey levels of 255: its finest detail where it has little of that.

    Detail is here and there, grain is everywhere.
    """
    scale = min(1.0, NOISE_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    finest = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))
    nearby = cv2.blur(finest, (GRAIN_AREA, GRAIN_AREA))[::4, ::4].ravel()
    place = int(nearby.size * CALM)
    return 1.25 * float(np.partition(nearby, place)[place])


def _without_grain(image: Image) -> Image:
    """Return the picture without scratches and, in shades of grey, without the grain that it may have."""
    if measure_grain(image) <= NOISY:
        return np.asarray(cv2.medianBlur(image, MEDIAN), np.uint8)
    grey = cv2.medianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), MEDIAN_BEFORE)
    clean = cv2.fastNlMeansDenoising(grey, None, STRENGTH, templateWindowSize=5, searchWindowSize=13)
    return np.asarray(cv2.cvtColor(clean, cv2.COLOR_GRAY2RGB), np.uint8)


def _widen(box: Box, margin: float, within: Box) -> Box:
    """Return `box` with a margin, as whole pixels inside `within`."""
    left, top = max(math.floor(box.left - margin), within.left), max(math.floor(box.top - margin), within.top)
    right, bottom = min(math.ceil(box.right + margin), within.right), min(math.ceil(box.bottom + margin), within.bottom)
    return Box(left, top, right, bottom)


def _holds(tile: Box, box: Box) -> bool:
    x, y = box.centre
    return tile.left <= x <= tile.right and tile.top <= y <= tile.bottom


def _join(faces: tuple[Face, ...], more: list[Face]) -> tuple[Face, ...]:
    """Return the faces, as sure as the surer look is, and what only the other look found; best first."""
    found = list(faces)
    for face in sorted(more, key=lambda one: -one.score):
        known = next((i for i, other in enumerate(found) if same_face(face.box, other.box)), None)
        if known is None:
            found.append(face)
        else:
            found[known] = replace(found[known], score=max(face.score, found[known].score))
    return tuple(sorted(found, key=lambda one: -one.score))


def _scale_face(face: Face, across: float, down: float) -> Face:
    box = Box(face.box.left * across, face.box.top * down, face.box.right * across, face.box.bottom * down)
    marks = None if face.landmarks is None else face.landmarks * np.array((across, down))
    return Face(box, face.score, marks, face.tilt)
