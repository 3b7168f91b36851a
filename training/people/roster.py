"""The people in the pictures: where each face is, and what was seen of it. `people.tsv` lists them all."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from lib_facefix.types import Image, Points

TABLE = Path(__file__).with_name("people.tsv")
COLUMNS = (
    "name",
    "use",
    "source",
    "cell",
    "width",
    "landmarks",
    "ita",
    "sex",
    "age",
    "glasses",
    "beard",
)
USES = ("train", "judge", "leave")
SEXES = ("female", "male", "")
AGES = ("child", "adult", "old", "")
"""Below 13, 13 to 59, 60 and above."""
DARK, LIGHT = -20.0, 30.0
"""Individual typology angles, in degrees, between which skin counts as medium."""
CHEEKS = (slice(300, 340), slice(150, 190)), (slice(300, 340), slice(322, 362))
"""Rows and columns of both cheeks in the 512-pixel FFHQ crop."""
GREY = 2.5
"""Chroma in Lab below which a cheek has no colour to measure: a black and white picture."""


@dataclass(frozen=True, eq=False)
class Person:
    """One face of one picture. Labels are by eye, except the ages of portraits, which their prompts name."""

    name: str
    use: str
    """"train", "judge" (in no training), or "leave" (a drawing, or too dark to see)."""
    source: str
    """The path of a published file, or the name of a packaged one in the cache."""
    cell: tuple[int, int] | None
    """Row and column in a sheet; None if the picture is no sheet."""
    width: float
    """Width of the detector's box, in pixels."""
    landmarks: Points
    """(5, 2) in the picture, or in the cell."""
    ita: float | None
    """Individual typology angle of the cheeks, in degrees: about 60 for the lightest skin, -60 for the darkest.

    It is measured in the picture, so a face in the shade counts as darker. None for pictures without colour.
    """
    sex: str
    age: str
    glasses: str
    """"yes", "no", or "" if not labelled; sunglasses count."""
    beard: str
    """As above; a moustache counts, stubble only if it is dense."""

    @property
    def traits(self) -> dict[str, str]:
        """What weights and tables are balanced over; "" where it is not known."""
        return {
            "age": self.age,
            "tone": "" if self.ita is None else name_tone(self.ita),
            "sex": self.sex,
            "glasses": self.glasses,
            "beard": self.beard,
        }


def name_tone(ita: float) -> str:
    """Return "dark", "medium" or "light" for an individual typology angle in degrees."""
    return "dark" if ita < DARK else "medium" if ita <= LIGHT else "light"


def measure_ita(crop: Image) -> float | None:
    """Return the individual typology angle of the cheeks, atan((L - 50) / b), in degrees; None if they are grey.

    crop: FFHQ-aligned, (512, 512, 3), RGB. The formula is that of Chardon, Cretois and Hourseau, "Skin colour typology
    and suntanning pathways", 1991.
    """
    cheeks = np.concatenate([crop[cheek].reshape(1, -1, 3) for cheek in CHEEKS], axis=1)
    lab = cv2.cvtColor(cheeks.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    if np.median(np.hypot(lab[:, 1], lab[:, 2])) < GREY:
        return None
    lightness, _, yellow = np.median(lab, axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, yellow)))


def parse_people(lines: Iterable[str]) -> tuple[Person, ...]:
    """Read a table with the columns of `COLUMNS`; raises ValueError where a row makes no sense."""
    table = csv.DictReader(lines, delimiter="\t")
    if tuple(table.fieldnames or ()) != COLUMNS:
        raise ValueError(f"the first line must name the columns {', '.join(COLUMNS)}")
    people = tuple(_parse_row(row) for row in table)
    names = [person.name for person in people]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"more than one person is called {', '.join(sorted(twice))}")
    return people


def _parse_row(row: dict[str, str]) -> Person:
    known = {"use": USES, "sex": SEXES, "age": AGES, "glasses": ("yes", "no", ""), "beard": ("yes", "no", "")}
    for column, values in known.items():
        if row[column] not in values:
            raise ValueError(f"{row['name']}: {column} is {row[column]!r}, not one of {values}")
    landmarks = np.array([point.split(",") for point in row["landmarks"].split()], np.float64)
    if landmarks.shape != (5, 2):
        raise ValueError(f"{row['name']}: {row['landmarks']!r} are not five points")
    line, _, column = row["cell"].partition(",")
    return Person(
        name=row["name"],
        use=row["use"],
        source=row["source"],
        cell=(int(line), int(column)) if row["cell"] else None,
        width=float(row["width"]),
        landmarks=landmarks,
        ita=float(row["ita"]) if row["ita"] else None,
        sex=row["sex"],
        age=row["age"],
        glasses=row["glasses"],
        beard=row["beard"],
    )


def format_people(people: Iterable[Person]) -> str:
    """Return the table that `parse_people` reads."""
    lines = ["\t".join(COLUMNS)]
    for person in people:
        fields = {
            **{column: getattr(person, column) for column in COLUMNS},
            "cell": "" if person.cell is None else "{},{}".format(*person.cell),
            "width": f"{person.width:.1f}",
            "landmarks": " ".join(f"{x:.1f},{y:.1f}" for x, y in person.landmarks),
            "ita": "" if person.ita is None else f"{person.ita:.0f}",
        }
        lines.append("\t".join(str(fields[column]) for column in COLUMNS))
    return "\n".join(lines) + "\n"


@cache
def read_people() -> tuple[Person, ...]:
    """All people of `people.tsv`."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return parse_people(file)
