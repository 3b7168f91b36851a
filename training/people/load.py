"""The faces to train on, with their weights, and the faces to judge with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lib_facefix.types import Image
from training.faces import Source
from training.people.balance import rake
from training.people.roster import Person, read_people
from training.people.sheets import cut_cells
from training.people.sources import fetch_published, read_sources
from training.pictures import HELD_OUT, TRAINING, fetch, read_picture


@dataclass(frozen=True)
class TrainingFace:
    """One face to train on."""

    name: str
    source: Source
    weight: float
    """How often it is drawn, in relation to the mean."""


def find_picture(source: str, folders: Sequence[Path]) -> Path:
    """Return the local file of a source, downloaded into the first folder if no folder has it."""
    published = {file.path: file for file in read_sources()}
    packaged = {file.name: file for file in (*TRAINING, *HELD_OUT)}
    if source in published:
        return fetch_published(published[source], folders)
    if source not in packaged:
        raise ValueError(f"{source} is in neither sources.tsv nor pictures.py")
    return fetch(packaged[source], folders[0])


def read_faces(people: Iterable[Person], folders: Sequence[Path]) -> Iterator[tuple[Person, Image]]:
    """Yield each person with the picture, or the sheet's cell, that shows them; each file is decoded once."""
    by_source = sorted(people, key=lambda person: person.source)
    for source, group in groupby(by_source, key=lambda person: person.source):
        picture = read_picture(find_picture(source, folders))
        members = list(group)
        cells: dict[tuple[int, int] | None, Image] = {None: picture}
        if any(person.cell for person in members):
            cells |= {(row, column): cell for row, column, cell in cut_cells(picture)}
        for person in members:
            yield person, cells[person.cell]


def load_training_faces(folders: Sequence[Path]) -> list[TrainingFace]:
    """Return all faces to train on. Pictures are looked for in `folders`, and downloaded into the first one."""
    people = sorted((person for person in read_people() if person.use == "train"), key=lambda person: person.source)
    weights = rake([person.traits for person in people])
    return [
        TrainingFace(person.name, Source(picture, person.landmarks), float(weight))
        for (person, picture), weight in zip(read_faces(people, folders), weights, strict=True)
    ]
