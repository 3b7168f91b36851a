"""What stands in for networks that nobody may ship: names for the pixels of a face, from what is built in.

They see what the real networks see, the picture they are given, and nothing of how it was cut. Mesh, selfie
segmentation and the colour of the skin are all they know, so they are good for showing and testing masks, and for
nothing else.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.imaging.masks import polygon
from lib_facefix.maskers.parts import BrowsMasker, EyesMasker, LipsMasker, NoseMasker
from lib_facefix.maskers.person import PersonMasker
from lib_facefix.maskers.shape import EllipseMasker, HullMasker
from lib_facefix.protocols import Masker
from lib_facefix.types import Crop, Face, Image, Mask, Points

Where = NDArray[np.bool_]

PARTS: dict[str, Masker] = {"nose": NoseMasker(), "lips": LipsMasker(), "brows": BrowsMasker(), "eyes": EyesMasker()}
NAMES = ("background", "cloth", "hair", "neck", "skin", *PARTS)
"""What is told apart; what comes later is drawn over what comes before."""
TONE, LIGHT = 14, 60
"""By how much the skin's colour may differ from that of the nose: in a* and b*, and in lightness, steps of 255."""
HOLE = 1 / 25
"""Of the face's size: what is smaller is filled, or dropped."""


class StandInParser:
    """A `Parser`, for a face parser."""

    side = 512

    def picked(self, image: Image, classes: tuple[str, ...]) -> Where:
        """Return where an aligned face is of one of these classes."""
        return np.isin(labels(image), [NAMES.index(name) for name in classes if name in NAMES])


class StandInOccluder:
    """An `Occluder`, for XSeg: what is of another colour than skin it takes for something in front of the face."""

    side = 256

    def hidden(self, image: Image) -> Where:
        """Return where an aligned face is covered, or ends."""
        return ~shows(image)


def labels(image: Image) -> NDArray[np.intp]:
    """Return for each pixel its place in `NAMES`, of the face in the middle; all background where there is none."""
    named = np.zeros(image.shape[:2], np.intp)
    face = middle(image)
    if face is None or face.mesh is None:
        return named
    crop = Crop(image, np.eye(2, 3))
    hull, person, skin = HullMasker().mask(crop, face), person_masker().mask(crop, face), skin_coloured(image, face)
    drawn = {name: part.mask(crop, face) for name, part in PARTS.items()}
    rows = np.arange(image.shape[0])[:, None]
    forehead = rows <= lowest(drawn["brows"])
    beside, below = rows <= lowest(drawn["lips"]), rows > lowest(drawn["nose"])
    inside, outside = hull >= 0.5, (person >= 0.5) & (hull < 0.5)
    shown = largest(inside & skin)
    where = {
        "cloth": outside & ~beside,
        "hair": (outside & beside) | (inside & forehead & ~shown),
        "neck": outside & below & skin,
        "skin": inside & (shown | ~forehead),
        **{name: part >= 0.5 for name, part in drawn.items()},
    }
    for number, name in enumerate(NAMES[1:], start=1):
        named[where[name]] = number
    return named


def shows(image: Image) -> Where:
    """Return where the face in the middle shows: what of its hull is of the skin's colour."""
    face = middle(image)
    if face is None or face.mesh is None:
        return np.zeros(image.shape[:2], bool)
    hull = HullMasker().mask(Crop(image, np.eye(2, 3)), face) >= 0.5
    return largest(hull & skin_coloured(image, face))


def outline(image: Image, face: Face) -> Points:
    """Return what a segmenting detector would: around what is skin-coloured in the face's box, its corners left out."""
    within = EllipseMasker().mask(Crop(image, np.eye(2, 3)), face) * polygon(face.box.corners, image.shape[:2]) >= 0.5
    piece = largest(skin_coloured(image, face) & within)
    edges, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(max(edges, key=cv2.contourArea)[:, 0] + 0.5, np.float64)


def skin_coloured(image: Image, face: Face) -> Where:
    """Return where the picture is of the colour of this face's nose, or eyes, brows and lips are; specks left out."""
    crop = Crop(image, np.eye(2, 3))
    nose, *others = (part.mask(crop, face) >= 0.5 for part in PARTS.values())
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.int16)
    away = np.abs(lab - np.median(lab[nose], 0))
    alike = (away[..., 0] < LIGHT) & (away[..., 1:].max(2) < TONE)
    side = max(1, round(face.box.size * HOLE))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    around = cv2.dilate(np.logical_or.reduce(others).astype(np.uint8), disc)
    closed = cv2.morphologyEx(alike | around, cv2.MORPH_CLOSE, disc)
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc) > 0


def largest(piece: Where) -> Where:
    """Return the largest piece, its holes filled."""
    edges, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(piece.shape, np.uint8)
    if edges:
        cv2.drawContours(filled, [max(edges, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled > 0


def lowest(mask: Mask) -> int:
    """Return the last row in which it shows; -1 if there is none."""
    return int(np.flatnonzero((mask >= 0.5).any(1)).max(initial=-1))


def middle(image: Image) -> Face | None:
    """Return the face in the middle of an aligned crop."""
    faces = engine().detect(image, FaceSettings(angles="off"))
    away = [np.hypot(*np.subtract(face.box.centre, np.array(image.shape[1::-1]) / 2)) for face in faces]
    return faces[int(np.argmin(away))] if faces else None


@lru_cache(maxsize=1)
def engine() -> FaceFix:
    """Return what finds the face."""
    return FaceFix()


@lru_cache(maxsize=1)
def person_masker() -> PersonMasker:
    """Return what tells the person from the background."""
    return PersonMasker()
