"""The faces of a picture, found by the library's own parts: what it will cut when used, it is trained on."""

from __future__ import annotations

from dataclasses import dataclass

from lib_facefix.detectors.blazeface import BlazeFace
from lib_facefix.landmarks.facemesh import FaceMesh
from lib_facefix.types import Face, Image, Points

MIN_SCORE = 0.4


@dataclass(frozen=True)
class Source:
    """A face, or a place that is treated like one, in a clean photo."""

    picture: Image
    landmarks: Points
    """(5, 2) in `picture`: eyes, nose, mouth corners, as the library's `Face` has them."""


def locate_faces(picture: Image) -> tuple[Face, ...]:
    """All faces with five landmarks and, where it is sure, a mesh; from left to right."""
    mesh = FaceMesh()
    found = BlazeFace().detect(picture, MIN_SCORE)
    return tuple(mesh.locate(picture, face) for face in sorted(found, key=lambda face: face.box.left))


def sources_in(picture: Image) -> list[Source]:
    """Every face of the picture as a source of training samples."""
    return [Source(picture, face.landmarks) for face in locate_faces(picture) if face.landmarks is not None]
