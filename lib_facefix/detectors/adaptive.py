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
from .marks import move_face, scale_face
from .windows import starts, windows

WANTED = 30
"""Pixels that suspected faces are scaled to: CenterFace finds 199 of 200 in a crowd."""
UNSURE = 0.15
"""BlazeFace's finds that score less than this above the minimum are looked at by CenterFace too."""
PROBES = 2
"""Of so many suspected faces of a part the surroundings are searched; the rest only if there is a face in them."""
SURE = 0.65
"""Score of a find in the surroundings from which the rest is searched."""
CROWD = 8
"""Of so many suspected faces, if some are faces, the whole part is searched, not only their surroundings."""
AROUND = 3.0
"""How far around suspected faces CenterFace searches, in their sizes."""
MOST = 0.5
"""Share of a part from which the surroundings of one suspected face are as good as the whole part."""
SCALES = 0.05, 2.0
"""Smallest and largest scale at which CenterFace sees a part of the picture."""
NOISY = 6.0
"""Grain of this strength, in grey levels of 255, hides faces from BlazeFace; clean photos have 1 to 3."""
LEAST_GRAINY, NOISE_SIDE = 400, 1024
"""Longer side in pixels below which detail looks like grain, and the longer side at which grain is measured."""
GRAIN_AREA, CALM = 15, 0.25
"""Side in pixels of the areas in which grain is measured, and the share of calm ones among them."""
GLANCE_DENOISED_SIDE, DENOISED_SIDE = 352, 640
"""Longer sides in pixels at which CenterFace searches a denoised picture: at a glance, and thoroughly."""
GLANCE_FILTER_SIDE, FILTER_SIDE = 512, 960
"""Longer sides in pixels at which grain or scratches are filtered out: the grain of large scans is larger than the
filters."""
MEDIAN, MEDIAN_BEFORE = 5, 3
"""Sides in pixels of the median filters that take scratches away: alone, and before grain is taken away."""
STRENGTH = 25
"""Of non-local means: with it CenterFace finds 23 of 23 faces under grain of 20 levels, without 19."""
GLANCE_WINDOWS, WINDOWS = (3, 7), (5, 13)
"""Sides in pixels of the windows of non-local means, template and search: at a glance, and thoroughly."""
HINT, TINY = 0.25, 0.057
"""Score of a find in a denoised picture, and its size as a share of the longer side, below which there may be others
that are too small to be seen so."""
TRACE = 0.05
"""Score of a find at a glance from which a picture without scratches is searched at full detail."""
GLANCE_SIDE = 1536
"""Longer side in pixels to which a turned picture is reduced for a glance."""


class Adaptive:
    """A `Detector` that costs what BlazeFace costs, and asks CenterFace only where BlazeFace is known to fail."""

    def __init__(self) -> None:
        self._blaze = BlazeFace()

    @cached_property
    def _center(self) -> CenterFace:
        return CenterFace()

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        more: list[Face] = []
        if measure_grain(image) > NOISY and max(image.shape[:2]) >= LEAST_GRAINY:
            for glance in (True, False):
                seen = self._search_denoised(image, min(min_score, HINT), grainy=True, glance=glance)
                more = [face for face in seen if face.score >= min_score]
                if more and all(face.box.size > TINY * max(image.shape[:2]) for face in seen):
                    return tuple(more)
        looks = windows(image.shape[1], image.shape[0], coarse=True)
        faces, hints = self._blaze.search(image, min_score, looks)
        hints += [face.box for face in faces if face.score < min_score + UNSURE]
        if hints:
            more += self._search_near(image, hints, min_score)
        return _join(faces, more)

    def glance(self, image: Image, min_score: float, *, closer: bool = False) -> tuple[Face, ...]:
        """Return the faces seen in the image as a whole, or with `closer` in its larger windows."""
        scale = min(1.0, GLANCE_SIDE / max(image.shape[:2]))
        small = _reduce(image, GLANCE_SIDE)
        if measure_grain(small) > NOISY and max(small.shape[:2]) >= LEAST_GRAINY:
            return () if closer else self._search_denoised(image, min_score, grainy=True, glance=True)
        looks = windows(small.shape[1], small.shape[0], coarse=True)
        seen = self._blaze.search(small, min_score, looks[1:] if closer else looks[:1])[0]
        return tuple(_scale_back(face, image, small) for face in seen) if scale < 1 else seen

    def look_from_afar(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces of a close-up; some are no faces, so that each must be confirmed."""
        return self._blaze.look_from_afar(image, min_score)

    def look_denoised(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces that CenterFace sees without scratches, or the grain of a small image; image: RGB."""
        grainy = measure_grain(image) > NOISY
        if grainy and max(image.shape[:2]) >= LEAST_GRAINY:
            return ()  # `detect` has seen it so
        if not self._search_denoised(image, min(min_score, TRACE), grainy=grainy, glance=True):
            return ()
        return self._search_denoised(image, min_score, grainy=grainy)

    def _search_denoised(
        self, image: Image, min_score: float, *, grainy: bool, glance: bool = False
    ) -> tuple[Face, ...]:
        """Return what CenterFace finds in a reduced copy of the picture without grain or scratches."""
        small = _reduce(image, GLANCE_FILTER_SIDE if glance else FILTER_SIDE)
        if grainy:
            clean = _without_grain(small, *(GLANCE_WINDOWS if glance else WINDOWS))
        else:
            clean = np.asarray(cv2.medianBlur(small, MEDIAN), np.uint8)
        seen = self._center.look(clean, min_score, GLANCE_DENOISED_SIDE if glance else DENOISED_SIDE)
        return tuple(_scale_back(face, image, small) for face in seen)

    def _search_near(self, image: Image, hints: list[Box], min_score: float) -> list[Face]:
        """Return what CenterFace finds near the places where BlazeFace suspects faces, the likeliest first."""
        height, width = image.shape[:2]
        size = float(np.median([box.size for box in hints]))
        scale = min(max(WANTED / size, SCALES[0]), SCALES[1])
        side = math.floor(MAX_SIDE / scale)
        faces: list[Face] = []
        for top in starts(height, side):
            for left in starts(width, side):
                tile = Box(left, top, min(left + side, width), min(top + side, height))
                within = [box for box in hints if _holds(tile, box)]
                if within:
                    faces += self._search_part(image, tile, within, min_score, scale)
        return faces

    def _search_part(self, image: Image, part: Box, hints: list[Box], min_score: float, scale: float) -> list[Face]:
        """Return the faces near a few of the suspected ones, and if there are any, those near all of them."""
        margin = AROUND * float(np.median([box.size for box in hints]))
        whole = part
        if len(hints) < CROWD:
            whole = _widen(bounding(np.concatenate([box.corners for box in hints])), margin, part)
        faces: list[Face] = []
        for hint in hints[:PROBES]:
            near = _widen(hint, margin, part)
            if near.area >= MOST * whole.area:
                break
            seen = self._look_at(image, near, min_score, scale)
            faces += seen
            if any(face.score >= SURE for face in seen):
                break
        else:
            return faces
        return faces + self._look_at(image, whole, min_score, scale)

    def _look_at(self, image: Image, part: Box, min_score: float, scale: float) -> list[Face]:
        """Return what CenterFace finds in a part of the picture, scaled; places are those in the whole picture."""
        rows, columns = slice(int(part.top), int(part.bottom)), slice(int(part.left), int(part.right))
        seen = self._center.look(image[rows, columns], min_score, math.ceil(scale * part.size))
        return [move_face(face, part.left, part.top) for face in seen]


def measure_grain(image: Image) -> float:
    """Return how grainy the picture is, in grey levels of 255: its finest detail where it has little of that.

    Detail is here and there, grain is everywhere.
    """
    small = _reduce(image, NOISE_SIDE) if max(image.shape[:2]) > NOISE_SIDE else image
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    finest = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))
    nearby = cv2.blur(finest, (GRAIN_AREA, GRAIN_AREA))[::4, ::4].ravel()
    place = int(nearby.size * CALM)
    return 1.25 * float(np.partition(nearby, place)[place])


def _reduce(image: Image, side: int) -> Image:
    """Return the picture with a longer side of at most `side` pixels."""
    scale = min(1.0, side / max(image.shape[:2]))
    if scale == 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _without_grain(image: Image, template: int, search: int) -> Image:
    """Return the picture in shades of grey, without the grain that it has. template, search: sides of the windows."""
    grey = cv2.medianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), MEDIAN_BEFORE)
    clean = cv2.fastNlMeansDenoising(grey, None, STRENGTH, templateWindowSize=template, searchWindowSize=search)
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


def _scale_back(face: Face, image: Image, small: Image) -> Face:
    """Return the face of the reduced picture in the picture itself."""
    return scale_face(face, image.shape[1] / small.shape[1], image.shape[0] / small.shape[0])
