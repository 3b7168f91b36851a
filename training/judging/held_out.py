"""The people to judge with, whom no training shows: clean crops, and the same crops degraded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lib_facefix.imaging.align import FFHQ_512, fit_similarity
from lib_facefix.imaging.frames import cut
from lib_facefix.types import Image, Points
from training.degrade import resize
from training.judging.trials import VERSION, degrade_as
from training.people.load import read_faces
from training.people.roster import Person, read_people
from training.pictures import read_picture

FACE_WIDTH = 256
"""Width of the detector's box in the clean picture, in pixels."""
SURROUNDINGS = 3.0
"""Side of the part of the picture that is kept, in face widths."""
SETS = ("portrait", "sfhq", "photo")
"""What the people's names begin with; photos have other names."""


@dataclass(frozen=True)
class HeldOutFace:
    """One person, clean and degraded, cut by the landmarks of the clean picture."""

    person: Person
    truth: Image
    """(512, 512, 3), FFHQ-aligned."""
    degraded: dict[str, Image]
    """By kind of degradation; as `truth`."""


def isolate(picture: Image, landmarks: Points, width: float) -> tuple[Image, Points]:
    """Return the surroundings of a face, scaled so that the face is 256 px wide, and the landmarks in them.

    width: of the face in `picture`, in pixels. The sides of the result are multiples of 4.
    """
    half = round(SURROUNDINGS / 2 * width)
    x, y = (round(float(value)) for value in landmarks.mean(axis=0))
    left, top = max(0, x - half), max(0, y - half)
    part = np.ascontiguousarray(picture[top : y + half, left : x + half])
    rows, columns = (round(side * FACE_WIDTH / width / 4) * 4 for side in part.shape[:2])
    scale = np.array((columns / part.shape[1], rows / part.shape[0]))
    return resize(part, columns, rows, "pil-bicubic"), (landmarks - (left, top)) * scale


def set_of(person: Person) -> str:
    """Return "portrait", "sfhq" or "photo"."""
    first = person.name.partition("-")[0]
    return first if first in SETS else "photo"


def choose_people(number: int | None = None, sets: Sequence[str] = SETS) -> list[Person]:
    """Return the people to judge with, or about `number` of them, spread evenly over the list."""
    people = [person for person in read_people() if person.use == "judge" and set_of(person) in sets]
    if number is None or number >= len(people):
        return people
    return [people[index] for index in np.linspace(0, len(people) - 1, number).round().astype(int)]


def read_held_out(
    people: Sequence[Person], kinds: Sequence[str], folders: Sequence[Path], cache: Path
) -> Iterator[HeldOutFace]:
    """Yield each person with the crops of these kinds; crops that are not in `cache` yet are made and kept there."""
    shelf = cache / f"crops-{VERSION}"
    shelf.mkdir(parents=True, exist_ok=True)
    lacking = {
        person.name for person in people if not all(_place(shelf, person, k).exists() for k in ("truth", *kinds))
    }
    for person, picture in read_faces([person for person in people if person.name in lacking], folders):
        clean, landmarks = isolate(picture, person.landmarks, person.width)
        matrix = fit_similarity(landmarks, FFHQ_512)
        _keep(cut(clean, matrix, 512).image, _place(shelf, person, "truth"))
        for kind in kinds:
            degraded = degrade_as(kind, clean, person.name)
            _keep(cut(degraded, matrix, 512).image, _place(shelf, person, kind))
    for person in people:
        crops = {kind: read_picture(_place(shelf, person, kind)) for kind in kinds}
        yield HeldOutFace(person, read_picture(_place(shelf, person, "truth")), crops)


def _place(shelf: Path, person: Person, kind: str) -> Path:
    return shelf / f"{person.name}-{kind.replace(' ', '_')}.png"


def _keep(crop: Image, path: Path) -> None:
    if not cv2.imwrite(str(path), crop[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise OSError(f"{path} cannot be written")
