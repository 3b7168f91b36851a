"""Find the faces of all pictures and write `people.tsv`; labels in the table are kept.

    python -m training.people.survey --cache build/pictures

Faces that are new in the table have empty labels and the use "leave": look at them, then fill them in.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from lib_facefix.imaging.align import FFHQ_512, fit_similarity
from lib_facefix.imaging.frames import cut
from lib_facefix.types import Face, Image
from training.faces import locate_faces
from training.people.load import find_picture
from training.people.roster import TABLE, Person, format_people, measure_ita, parse_people
from training.people.sheets import Fingerprint, cut_cells, fingerprint, is_copy
from training.people.sources import PublishedFile, read_sources
from training.pictures import HELD_OUT, TRAINING, PackagedFile, read_picture

LEAST_WIDTH = 180.0
"""Pixels; smaller faces in sheets have too little detail to be the truth."""


def describe_face(picture: Image, face: Face, name: str, source: str, cell: tuple[int, int] | None) -> Person:
    """Return a face without labels."""
    assert face.landmarks is not None
    crop = cut(picture, fit_similarity(face.landmarks, FFHQ_512), 512).image
    return Person(
        name,
        "leave",
        source,
        cell,
        face.box.width,
        face.landmarks,
        measure_ita(crop),
        sex="",
        age="",
        glasses="",
        beard="",
    )


def find_faces(picture: Image) -> list[Face]:
    """Return all faces that can be aligned, the largest first."""
    found = [face for face in locate_faces(picture) if face.landmarks is not None]
    return sorted(found, key=lambda face: -face.box.width)


def survey_sheet(file: PublishedFile, sheet: Image, seen: list[Fingerprint]) -> Iterator[Person]:
    """Yield the faces of a sheet that are large enough, from pictures not seen before; adds to `seen`."""
    title = Path(file.path).stem.removeprefix("textual_search_2_").rpartition("_top_")[0].replace(" ", "_")
    for row, column, cell in cut_cells(sheet):
        bits = fingerprint(cell)
        if is_copy(bits, seen):
            continue
        seen.append(bits)
        large = [face for face in find_faces(cell) if face.box.width >= LEAST_WIDTH]
        for number, face in enumerate(large):
            name = f"sfhq-{title}-{row}-{column}" + (f"-{number}" if number else "")
            yield describe_face(cell, face, name, file.path, (row, column))


def survey(folders: Sequence[Path]) -> Iterator[Person]:
    """Yield all faces: of portraits the largest, of sheets the large ones, of photos all."""
    seen: list[Fingerprint] = []
    for file in read_sources():
        picture = read_picture(find_picture(file.path, folders))
        if file.set == "sheets":
            yield from survey_sheet(file, picture, seen)
        else:
            sex, _, number = file.path.split("/")
            name = f"portrait-{sex}-{int(Path(number).stem):02d}"
            yield describe_face(picture, find_faces(picture)[0], name, file.path, None)
    photos: tuple[PackagedFile, ...] = (*TRAINING, *HELD_OUT)
    for photo in photos:
        picture = read_picture(find_picture(photo.name, folders))
        found = [face for face in locate_faces(picture) if face.landmarks is not None]
        for count, face in enumerate(found, 1):
            yield describe_face(picture, face, f"{Path(photo.path).stem}-{count}", photo.name, None)


def keep_labels(person: Person, known: dict[str, Person]) -> Person:
    """Return the person with the use and the labels of the one of the same name, if there is one."""
    old = known.get(person.name)
    if old is None:
        return person
    return replace(person, use=old.use, sex=old.sex, age=old.age, glasses=old.glasses, beard=old.beard)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("build/pictures"), help="folder for fetched files")
    parser.add_argument("--local", type=Path, action="append", default=[], help="folder with copies of the pictures")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    known = {}
    if TABLE.exists():
        known = {person.name: person for person in parse_people(TABLE.read_text(encoding="utf-8").splitlines())}
    people = [keep_labels(person, known) for person in survey([options.cache, *options.local])]
    TABLE.write_text(format_people(people), encoding="utf-8")
    fresh = [person.name for person in people if person.name not in known]
    print(f"{len(people)} faces, {len(fresh)} new: {' '.join(fresh)}")  # noqa: T201 a command prints


if __name__ == "__main__":
    main()
