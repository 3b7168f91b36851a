"""Combinations of detectors: faces that any, most, or one and not another of them finds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..imaging.boxes import same_face
from ..protocols import Detector
from ..types import Face, Image


class Voting:
    """A `Detector` of the faces that at least `least` of its detectors find.

    Each face has box and score of the detection with the highest score; the others add missing landmarks or outlines.
    """

    def __init__(self, detectors: Sequence[Detector], least: int = 1) -> None:
        self._detectors, self._least = detectors, least

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; raises the error of any detector."""
        found = [(face, i) for i, detector in enumerate(self._detectors) for face in detector.detect(image, min_score)]
        agreed = (group for group in _groups(found) if len({i for _, i in group}) >= self._least)
        return tuple(_fill_in([face for face, _ in group]) for group in agreed)


class Excepting:
    """A `Detector` of the faces that the first detector finds and the second does not."""

    def __init__(self, found: Detector, unless: Detector) -> None:
        self._found, self._unless = found, unless

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; raises the error of either detector."""
        faces = self._found.detect(image, min_score)
        others = self._unless.detect(image, min_score) if faces else ()
        return tuple(face for face in faces if not any(same_face(face.box, other.box) for other in others))


def _groups(found: Sequence[tuple[Face, int]]) -> Iterator[list[tuple[Face, int]]]:
    """Yield the detections of each face, sorted by score, the groups as well as their members."""
    waiting = sorted(found, key=lambda one: -one[0].score)
    while waiting:
        best = waiting[0][0]
        yield [one for one in waiting if same_face(best.box, one[0].box)]
        waiting = [one for one in waiting if not same_face(best.box, one[0].box)]


def _fill_in(faces: Sequence[Face]) -> Face:
    """Return the first face, with the landmarks and the outline of the first that has them."""
    best = faces[0]
    marked = next((face for face in faces if face.landmarks is not None), best)
    outlined = next((face for face in faces if face.outline is not None), best)
    return replace(best, landmarks=marked.landmarks, tilt=marked.tilt, outline=outlined.outline)
