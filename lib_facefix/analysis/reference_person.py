"""Comparison of faces with the person in a reference photo."""

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import BadPicture, BadSetting
from ..models.lru_cache import file_version
from ..models.store import ModelStore
from ..registry import EMBEDDINGS, GUARDING
from ..types import Face, Image
from ..weights import expand_home
from .embedding import Embedder, Embedding

Detect = Callable[[Image], Sequence[Face]]


def compare_faces(
    store: ModelStore, image: Image, faces: Sequence[Face], photo: str | Image, detect: Detect, seen_by: Hashable
) -> tuple[Face, ...]:
    """Return the faces with their distance to the person in the reference photo.

    store: caches the network and persons. photo: the photo or its path, which is analysed again only if it or
    `seen_by` (the settings that `detect` depends on) changes. Raises `BadPicture` if the photo shows no face, and
    `BadModel` if the file is missing.
    """
    identity = store.load(EMBEDDINGS, GUARDING)
    if isinstance(photo, str):
        path = expand_home(photo)
        person = store.load_person((file_version(path), seen_by), lambda: _read_person(path, detect, identity))
    else:
        seen = hashlib.sha256(photo.tobytes()).hexdigest(), photo.shape
        person = store.load_person((seen, seen_by), lambda: _find_person(photo, "", detect, identity))
    distances = identity.distances(image, faces, person)
    return tuple(replace(face, distance=distance) for face, distance in zip(faces, distances, strict=True))


def check_photo(photo: str) -> None:
    """Raise `BadSetting` if the reference photo does not exist."""
    if not expand_home(photo).is_file():
        raise BadSetting(f"the reference photo {photo} does not exist. Check the name")


def _read_person(path: Path, detect: Detect, identity: Embedder) -> Embedding:
    """Return the embedding of the largest face in a photo file; raises `BadPicture` if there is none."""
    from ..pictures import read_picture  # here: it imports Pillow

    return _find_person(read_picture(path).image, f" {path}", detect, identity)


def _find_person(image: Image, name: str, detect: Detect, identity: Embedder) -> Embedding:
    """Return the embedding of the largest face in a photo; raises `BadPicture`, with its name, if there is none."""
    faces = detect(image)
    person = identity.embed(image, max(faces, key=lambda face: face.box.size)) if faces else None
    if person is None:
        raise BadPicture(f"no face was found in the reference photo{name}. Choose a photo with a clearly visible face")
    return person
