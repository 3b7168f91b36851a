"""Sideways and upside-down faces: any detector on the image rotated by 90, 180 and 270 degrees."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from ..imaging.align import transform_points
from ..imaging.boxes import bounding, clip, grow, nms_faces
from ..protocols import Detector, Landmarker
from ..types import Box, Face, Image, Matrix
from .marks import move_face

SMALLEST_DENOISED = 40
"""Smallest side, in pixels, of a part that is denoised: a median filter erases smaller faces."""
MAX_UPRIGHT_TILT = 20
"""Largest tilt of an upright head, in degrees; for a lying head BlazeFace reports 24 or more."""
SURE = 0.75
"""Score from which an upright find ends the search; faces in seven photos have 0.76 and more upright, and at most 0.72
in a wrong look."""
DOUBTFUL = 0.15
"""A find that scores less than this above the minimum must be confirmed: CenterFace sees faces on a full shelf, with
scores up to 0.64."""
CLEAR = 0.95
"""How sure the confirmation of a doubtful find must be if no find of the picture scores `SURE`. Of faces of 15 px and
more, the face mesh is surer than 0.98; of a headlamp and a drawn ape, at most 0.88 sure."""


TURNS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
"""Quarters by which an image is rotated counter-clockwise, and how OpenCV calls that."""


@runtime_checkable
class Thorough(Detector, Protocol):
    """A `Detector` that can look again where it has found nothing."""

    def glance(self, image: Image, min_score: float, *, closer: bool = False) -> tuple[Face, ...]:
        """Return some of the faces that `detect` finds, at a fraction of its cost; with `closer` smaller ones."""
        ...

    def look_from_afar(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces that fill the picture."""
        ...

    def look_denoised(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces seen when grain and scratches are filtered out."""
        ...


class TurnedDetector:
    """A `Detector` that runs another one on the upright and on the rotated image.

    angles: "off" searches the upright image only; "auto" also the rotated ones if no face is surely upright; "all"
    always does. confirm: returns how sure a second model is of a face, 0..1, and 0 if it sees none. A face seen only in
    a rotated, enlarged or denoised image must be confirmed; without `confirm` every detection counts.
    """

    def __init__(self, detector: Detector, angles: str, confirm: Callable[[Image, Face], float] | None = None) -> None:
        self._detector = detector
        self._angles = angles
        self._confirm = confirm

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first, in coordinates of the given image."""
        faces = list(self._detector.detect(image, min_score))
        confirm = self._confirm
        surely_upright = (confirm is None or confirm(image, face) for face in self._choose_upright(faces, 0))
        if self._angles != "all" and any(surely_upright):
            return tuple(self._without_doubtful(image, faces, min_score))
        again = self._detector if isinstance(self._detector, Thorough) else None
        sure = self._confirmed(image, faces)
        more = self._confirmed(image, again.look_from_afar(image, min_score)) if again else []
        close = more and (not sure or self._confirmed(image, self._choose_upright(more, 0)))
        if self._angles == "all" or (self._angles == "auto" and not close):
            more += self._search_turned(image, again, min_score)
        if again and not sure and not more:
            more += self._confirmed(image, again.look_denoised(image, min_score))
        if more and not sure:  # what was seen upright was no face, or the same one seen worse
            best = max(face.score for face in more)
            faces = [face for face in faces if face.score > best]
        found = nms_faces([*self._without_doubtful(image, faces, min_score), *more])
        return tuple(self._without_unclear(image, found, min_score))

    def _search_turned(self, image: Image, again: Thorough | None, min_score: float) -> list[Face]:
        """Return the confirmed faces of the turned looks, in the picture as it was given."""
        if not again:
            return [
                face
                for quarters in TURNS
                for face in self._look_turned(image, quarters, lambda turned: self._detector.detect(turned, min_score))
            ]
        seen = {
            quarters: self._look_turned(image, quarters, lambda turned: again.glance(turned, min_score))
            for quarters in TURNS
        }
        ways = [quarters for quarters in TURNS if self._choose_upright(seen[quarters], 90 * quarters)]
        if self._angles == "all" or not ways:  # else it is known which way is up
            ways = [
                quarters
                for quarters in TURNS
                if seen[quarters]
                or self._look_turned(image, quarters, lambda turned: again.glance(turned, min_score, closer=True))
            ]
        return [
            face
            for quarters in ways
            for face in self._look_turned(image, quarters, lambda turned: again.detect(turned, min_score))
        ]

    def _look_turned(self, image: Image, quarters: int, look: Callable[[Image], Iterable[Face]]) -> list[Face]:
        """Return the confirmed faces of one turned look, in the picture as it was given."""
        turned = np.asarray(cv2.rotate(image, TURNS[quarters]), np.uint8)
        back = _back(quarters, image.shape[1], image.shape[0])
        return self._confirmed(image, [_turn_face(face, back, 90 * quarters) for face in look(turned)])

    def _choose_upright(self, faces: Iterable[Face], clockwise: float) -> list[Face]:
        """Return the sure faces that stand upright in the picture turned counter-clockwise by so many degrees."""
        least = SURE if self._confirm else 0.0
        return [
            face
            for face in faces
            if face.score >= least and abs((face.tilt - clockwise + 180) % 360 - 180) <= MAX_UPRIGHT_TILT
        ]

    def _confirmed(self, image: Image, faces: Iterable[Face]) -> list[Face]:
        return [face for face in faces if self._confirm is None or self._confirm(image, face)]

    def _without_doubtful(self, image: Image, faces: Iterable[Face], min_score: float) -> list[Face]:
        """Return the faces without those that barely reach `min_score` and that are not confirmed."""
        if self._confirm is None:
            return list(faces)
        return [face for face in faces if face.score >= min_score + DOUBTFUL or self._confirm(image, face)]

    def _without_unclear(self, image: Image, faces: Sequence[Face], min_score: float) -> list[Face]:
        """Return the faces; if none is sure, without those that barely reach `min_score` and are not clearly one."""
        confirm = self._confirm
        if confirm is None or any(face.score >= SURE for face in faces):
            return list(faces)
        return [face for face in faces if face.score >= min_score + DOUBTFUL or confirm(image, face) >= CLEAR]


def rate_face(landmarker: Landmarker, image: Image, face: Face) -> float:
    """Return how sure a landmarker's mesh is of a detected face, 0..1, in the image as it is or else denoised."""
    mesh = landmarker.locate(image, face).mesh
    if mesh is not None:
        return mesh.score
    around = clip(grow(face.box, 0.75), image.shape[1], image.shape[0])
    left, top = math.floor(around.left), math.floor(around.top)
    part = image[top : math.ceil(around.bottom), left : math.ceil(around.right)]
    if min(part.shape[:2]) < SMALLEST_DENOISED:
        return 0.0
    clean = np.asarray(cv2.medianBlur(np.ascontiguousarray(part), 5), np.uint8)
    mesh = landmarker.locate(clean, move_face(face, -left, -top)).mesh
    return 0.0 if mesh is None else mesh.score


def _back(quarters: int, width: int, height: int) -> Matrix:
    """Return the transform from an image rotated counter-clockwise by `quarters` of 90 degrees to the original."""
    return np.array(
        {
            1: [(0.0, -1.0, width), (1.0, 0.0, 0.0)],
            2: [(-1.0, 0.0, width), (0.0, -1.0, height)],
            3: [(0.0, 1.0, 0.0), (-1.0, 0.0, height)],
        }[quarters]
    )


def _turn_face(face: Face, matrix: Matrix, clockwise: float) -> Face:
    """Return the face after a rotation of the image by a multiple of 90 degrees."""
    box: Box = bounding(transform_points(face.box.corners, matrix))
    landmarks, outline = (
        None if points is None else transform_points(points, matrix) for points in (face.landmarks, face.outline)
    )
    tilt = (face.tilt + clockwise + 180) % 360 - 180
    return replace(face, box=box, landmarks=landmarks, outline=outline, tilt=tilt)
