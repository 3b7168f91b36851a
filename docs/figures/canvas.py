"""A sheet to draw on: lines, arrows and words, twice as fine as they are saved, so that edges come out smooth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

FINE = 2
INK, GREY, PAPER = (38, 42, 48), (130, 136, 144), (252, 252, 250)

Colour = tuple[int, int, int]
Place = tuple[float, float]
Anchor = Literal["la", "ma", "ra", "lm", "mm", "rm", "ls", "ms", "rs"]


class Canvas:
    """A sheet of `width` x `height` pixels; places count from its top left corner."""

    def __init__(self, width: int, height: int) -> None:
        self._sheet = Pillow.new("RGB", (width * FINE, height * FINE), PAPER)
        self._pen = ImageDraw.Draw(self._sheet)

    def picture(self, picture: Pillow.Image, box: tuple[float, float, float, float]) -> None:
        """Lay a picture into (left, top, right, bottom), its pixels left as they are."""
        left, top, right, bottom = (round(FINE * edge) for edge in box)
        enlarged = picture.resize((right - left, bottom - top), Pillow.Resampling.LANCZOS)
        self._sheet.paste(enlarged, (left, top))

    def line(self, places: Sequence[Place], colour: Colour, thick: float = 1.5) -> None:
        """Draw straight lines from place to place."""
        self._pen.line([(FINE * x, FINE * y) for x, y in places], colour, round(FINE * thick), joint="curve")

    def dashes(self, start: Place, end: Place, colour: Colour, dash: float = 5) -> None:
        """Draw a broken line."""
        length = math.dist(start, end)
        steps = max(1, round(length / dash))
        places = [tuple(a + (b - a) * i / steps for a, b in zip(start, end, strict=True)) for i in range(steps + 1)]
        for i in range(0, steps, 2):
            self.line([(places[i][0], places[i][1]), (places[i + 1][0], places[i + 1][1])], colour, 1)

    def box(self, box: tuple[float, float, float, float], colour: Colour, thick: float = 2.5) -> None:
        """Draw the outline of (left, top, right, bottom), the middle of the line on its edge."""
        left, top, right, bottom = box
        self.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], colour, thick)

    def fill(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        """Fill (left, top, right, bottom)."""
        self._pen.rectangle([FINE * edge for edge in box[:2]] + [FINE * edge - 1 for edge in box[2:]], fill=colour)

    def dot(self, place: Place, radius: float, colour: Colour, rim: Colour | None = None) -> None:
        """Draw a filled circle."""
        x, y, r = (FINE * value for value in (*place, radius))
        self._pen.ellipse((x - r, y - r, x + r, y + r), fill=colour, outline=rim, width=FINE if rim else 0)

    def arrow(self, places: Sequence[Place], colour: Colour, thick: float = 2.5, head: float = 11) -> None:
        """Draw a line through `places` that ends in an arrow head."""
        (x, y), (from_x, from_y) = places[-1], places[-2]
        angle = math.atan2(y - from_y, x - from_x)
        neck = x - 0.8 * head * math.cos(angle), y - 0.8 * head * math.sin(angle)
        self.line([*places[:-1], neck], colour, thick)
        wings = [(x - head * math.cos(angle + a), y - head * math.sin(angle + a)) for a in (0.42, -0.42)]
        self._pen.polygon([(FINE * px, FINE * py) for px, py in [(x, y), *wings]], fill=colour)

    def text(
        self,
        place: Place,
        words: str,
        colour: Colour = INK,
        size: float = 15,
        anchor: Anchor = "la",
        ground: bool = False,
    ) -> None:
        """Write rows of words; `anchor` as Pillow has it. `ground`: on a light ground, to be read on a picture."""
        font = ImageFont.load_default(size * FINE)
        x, y = place
        rows = [((FINE * x, FINE * (y + i * size * 1.35)), row) for i, row in enumerate(words.split("\n"))]
        if ground:
            edges = [self._pen.textbbox(at, row, font=font, anchor=anchor) for at, row in rows]
            left, top, right, bottom = (
                pick(edge) for pick, edge in zip((min, min, max, max), zip(*edges, strict=True), strict=True)
            )
            self._pen.rounded_rectangle((left - 8, top - 6, right + 8, bottom + 6), 8, fill=PAPER)
        for at, row in rows:
            self._pen.text(at, row, fill=colour, font=font, anchor=anchor)

    def save(self, path: Path) -> None:
        """Write the sheet as a PNG of 256 colours."""
        size = self._sheet.width // FINE, self._sheet.height // FINE
        small = self._sheet.resize(size, Pillow.Resampling.LANCZOS)
        palette = small.quantize(256, Pillow.Quantize.MEDIANCUT, kmeans=1)
        small.quantize(palette=palette, dither=Pillow.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def arc(centre: Place, radius: float, start: float, end: float) -> list[Place]:
    """Return places on a circle, from `start` to `end` degrees, clockwise from the right."""
    x, y = centre
    angles = [math.radians(start + (end - start) * i / 40) for i in range(41)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
