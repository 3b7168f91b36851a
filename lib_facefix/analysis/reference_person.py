"""Which faces of a picture are like the person of a reference photo."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import BadPicture
from ..models.lru_cache import file_version
from ..models.store import ModelStore
from ..registry import EMBEDDINGS
from ..types import Face, Image
from ..weights import expand_home
from .embedding import Embedder, Embedding

Detect = Callable[[Image], Sequence[Face]]


def compare_faces(
    store: ModelStore, image: Image, faces: Sequence[Face], photo: str, detect: Detect, seen_by: Hashable
) -> tuple[Face, ...]:
    """Return the faces with how unlike the person of the reference photo each is.

    store: keeps the embedding and the persons. photo: its path; it is looked at once, as long as neither it nor
    `seen_by`, what `detect` depends on, changes. Raises `BadPicture` where it shows no face, and `BadModel` where it
    is missing.
    """
    path, identity = expand_home(photo), store.load(EMBEDDINGS, "dlib")
    person = store.load_person((file_version(path), seen_by), lambda: _find_person(path, detect, identity))
    distances = identity.distances(image, faces, person)
    return tuple(replace(face, distance=distance) for face, distance in zip(faces, distances, strict=True))


def _find_person(path: Path, detect: Detect, identity: Embedder) -> Embedding:
    """Return whom the photo shows: of several faces the largest."""
    from ..pictures import read_picture  # which brings Pillow

    image = read_picture(path).image
    faces = detect(image)
    place = identity.embed(image, max(faces, key=lambda face: face.box.size)) if faces else None
    if place is None:
        raise BadPicture(f"the reference photo {path} shows no face that others could be compared with")
    return place
