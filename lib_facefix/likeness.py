"""Which faces of a picture are like the person of a reference photo."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path

from .errors import BadPicture
from .faces import Face, Image
from .finding import identity, once
from .identity import Place
from .loaded import edition
from .weights import expand_home

Detect = Callable[[Image], Sequence[Face]]


def compared(image: Image, faces: Sequence[Face], photo: str, detect: Detect, seen_by: Hashable) -> tuple[Face, ...]:
    """Return the faces with how unlike the person of the reference photo each is.

    photo: its path; it is looked at once, as long as neither it nor `seen_by`, what `detect` depends on, changes.
    Raises `BadPicture` where it shows no face, and `BadModel` where it is not there.
    """
    path = expand_home(photo)
    person = once((edition(path), seen_by), lambda: _shown(path, detect))
    distances = identity().distances(image, faces, person)
    return tuple(replace(face, distance=distance) for face, distance in zip(faces, distances, strict=True))


def _shown(path: Path, detect: Detect) -> Place:
    """Return whom the photo shows: of several faces the largest."""
    from .pictures import read_picture  # which brings Pillow

    image = read_picture(path).image
    faces = detect(image)
    place = identity().place(image, max(faces, key=lambda face: face.box.size)) if faces else None
    if place is None:
        raise BadPicture(f"the reference photo {path} shows no face that others could be compared with")
    return place
