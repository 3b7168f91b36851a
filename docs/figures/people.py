"""Draw docs/people*.jpg, docs/old-photo.jpg, and docs/fidelity.jpg: faces before and after, made by the library.

PYTHONPATH=. python docs/figures/people.py [FOLDER]

No training has seen these people, and none of them exists: `training/people` has the addresses and hashes of their
portraits. Portraits that FOLDER (by default build/pictures) does not have are downloaded into it. Each one is degraded
as a whole, as `training/judging` does it, and given to the library as a user would, without the clean portrait.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.types import Image
from training.judging.held_out import FACE_WIDTH, isolate
from training.judging.trials import degrade_as, shrink
from training.people.load import read_faces
from training.people.roster import read_people

ROOT = Path(__file__).parents[2]
DOCS, CACHE = ROOT / "docs", ROOT / "build" / "pictures"

FOUR = ("portrait-female-33", "sfhq-Glasses_Style-3-3", "sfhq-Ethnicity_x_Age_3-3-7", "sfhq-Hats-2-6")
HARD = ("portrait-female-13", "sfhq-Ethnicity_x_Age_3-5-6", "portrait-male-73", "sfhq-Glasses_Style-0-1")
MILD = ("portrait-female-63", "sfhq-Ethnicity-2-0", "portrait-male-43", "sfhq-Age_x_Ethnicity_x_Sex_1-5-5")
OLD, SLID = "portrait-female-93", "portrait-male-03"
"""People by their names in training/people/people.tsv."""
FIDELITIES = (0.8, 0.6, 0.3, 0.0)
LITTLE_GRAIN = 0.3

CLOSE, WIDE = 360 / FACE_WIDTH, 2.2
"""Side of the shown square, in face widths. Close up, pixels are shown as they are."""
UP = 0.06
"""How far the middle of the square is above the middle of the landmarks, in face widths."""
PAPER, INK = (250, 250, 248), (32, 32, 32)
GAP = 8
BETWEEN = 32
"""Pixels between pictures of two people that are side by side."""
LETTERS = 28
"""Width of a sheet in relation to the size of its letters: a phone's screen shows them 13 px high."""
LINE = 1.4
"""Height of the line for a label, in sizes of the letters."""
MOST_BYTES = 250_000

Cell = tuple[Image, str]
"""A picture and its label; "" for none."""


@dataclass(frozen=True)
class Portrait:
    """The picture of one person."""

    name: str
    picture: Image
    middle: tuple[float, float]
    """Of the landmarks, (x, y)."""
    face: float = FACE_WIDTH
    """Width of the face, in pixels."""

    def degrade(self, kind: str) -> Portrait:
        """Return a degraded copy of the same size."""
        return replace(self, picture=degrade_as(kind, self.picture, self.name))

    def reduce(self, factor: int) -> Portrait:
        """Return a copy with 1/factor of the width and height."""
        x, y = self.middle
        small = shrink(self.picture, factor)
        return replace(self, picture=small, middle=(x / factor, y / factor), face=self.face / factor)

    def restore(self, fix: FaceFix, **settings: float) -> Portrait:
        """Return what the library makes of it; raises ValueError if it does not restore just one face."""
        [result] = fix.fix([self.picture], FaceSettings.from_json({"method": "restore", **settings}))
        verdicts = [outcome.verdict for outcome in result.outcomes]
        if verdicts != ["fixed"]:
            raise ValueError(f"{self.name} has faces with the outcomes {verdicts}, not one that is fixed")
        return replace(self, picture=result.image)

    def show(self, side: float, pixels: int) -> Image:
        """Return the square around the face. side: in face widths, less if the picture ends; pixels: of the result."""
        height, width = self.picture.shape[:2]
        length = min(round(side * self.face), height, width)
        left = _place(self.middle[0], length, width)
        top = _place(self.middle[1] - UP * self.face, length, height)
        part = Pillow.fromarray(self.picture[top : top + length, left : left + length])
        return np.asarray(part.resize((pixels, pixels), Pillow.Resampling.LANCZOS))


def _place(middle: float, length: int, room: int) -> int:
    return min(max(0, round(middle - length / 2)), room - length)


def read_portraits(names: Sequence[str], folder: Path) -> dict[str, Portrait]:
    """Return the portraits of held-out people by name, from the folder or from their addresses."""
    people = [person for person in read_people() if person.name in names and person.use == "judge"]
    found = {}
    for person, picture in read_faces(people, [folder]):
        part, landmarks = isolate(picture, person.landmarks, person.width)
        x, y = landmarks.mean(axis=0)
        found[person.name] = Portrait(person.name, part, (float(x), float(y)))
    return found


def lay_out(rows: Sequence[Sequence[Cell]], together: int) -> Pillow.Image:
    """Return a sheet of square pictures of one size with their labels above. together: pictures of one person in a row.

    A row has a line for labels if one of its pictures has a label.
    """
    side = rows[0][0][0].shape[0]
    lefts = [GAP + column * (side + GAP) + column // together * (BETWEEN - GAP) for column in range(len(rows[0]))]
    width = lefts[-1] + side + GAP
    letters = width // LETTERS
    line = round(LINE * letters)
    heights = [side + GAP + (line if any(label for _, label in row) else 0) for row in rows]
    sheet = Pillow.new("RGB", (width, sum(heights) + GAP), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(letters)
    bottom = 0
    for row, height in zip(rows, heights, strict=True):
        bottom += height
        for left, (picture, label) in zip(lefts, row, strict=True):
            sheet.paste(Pillow.fromarray(picture), (left, bottom - side))
            pen.text((left + side / 2, bottom - side - line / 2), label, INK, font, anchor="mm")
    return sheet


def save(sheet: Pillow.Image, name: str) -> None:
    """Write a JPEG into docs, with the best quality that keeps it small; raises ValueError if none does."""
    for quality in range(92, 70, -2):
        file = BytesIO()
        sheet.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= MOST_BYTES:
            (DOCS / name).write_bytes(file.getvalue())
            return
    raise ValueError(f"{name} has more than {MOST_BYTES} bytes at any quality")


def draw_four(portraits: dict[str, Portrait], fix: FaceFix, side: int = 360) -> Pillow.Image:
    """Four people before and after, two in a row."""
    cells: list[Cell] = []
    for name in FOUR:
        degraded = portraits[name].degrade("hard")
        labels = ("before", "after") if len(cells) < 4 else ("", "")
        pair = degraded, degraded.restore(fix)
        cells += [(one.show(CLOSE, side), label) for one, label in zip(pair, labels, strict=True)]
    return lay_out([cells[:4], cells[4:]], together=2)


def draw_with_originals(
    portraits: dict[str, Portrait], names: Sequence[str], kind: str, fix: FaceFix, side: int = 360
) -> Pillow.Image:
    """One person in a row: before, after, and the original."""
    rows: list[list[Cell]] = []
    for name in names:
        degraded = portraits[name].degrade(kind)
        shown = degraded, degraded.restore(fix), portraits[name]
        labels = ("", "", "") if rows else ("before", "after", "original")
        rows.append([(one.show(CLOSE, side), label) for one, label in zip(shown, labels, strict=True)])
    return lay_out(rows, together=3)


def draw_old_photo(portrait: Portrait, fix: FaceFix, side: int = 420) -> Pillow.Image:
    """A portrait that looks like an old print, at the size of its scan: before, after, and after with little grain."""
    scan = portrait.degrade("old photo").reduce(2)
    shown = [(scan, "before"), (scan.restore(fix), "after")]
    shown.append((scan.restore(fix, grain=LITTLE_GRAIN), f"after, grain {LITTLE_GRAIN}"))
    return lay_out([[(one.show(WIDE, side), label) for one, label in shown]], together=3)


def draw_fidelities(portrait: Portrait, fix: FaceFix, side: int = 360) -> Pillow.Image:
    """One face at several fidelities, and its original."""
    degraded = portrait.degrade("hard")
    restored = [(degraded.restore(fix, fidelity=fidelity), f"{fidelity:g}") for fidelity in FIDELITIES]
    shown = [(degraded, "1 = before"), *restored, (portrait, "original")]
    cells = [(one.show(CLOSE, side), label) for one, label in shown]
    return lay_out([cells[:3], cells[3:]], together=3)


def main(folder: str = "") -> None:
    """Draw all sheets. folder: has the portraits, or will have them; build/pictures if blank."""
    portraits = read_portraits((*FOUR, *HARD, *MILD, OLD, SLID), Path(folder) if folder else CACHE)
    fix = FaceFix()
    save(draw_four(portraits, fix), "people.jpg")
    save(draw_with_originals(portraits, HARD, "hard", fix), "people-hard.jpg")
    save(draw_with_originals(portraits, MILD, "mild", fix), "people-mild.jpg")
    save(draw_old_photo(portraits[OLD], fix), "old-photo.jpg")
    save(draw_fidelities(portraits[SLID], fix), "fidelity.jpg")


if __name__ == "__main__":
    main(*sys.argv[1:])
