"""Draw docs/masks.jpg: every kind of mask on one face, and what is asked for in words.

python docs/figures/masks.py [DETECTOR]

A face parser and XSeg are used where they are here, and a detector that segments where one is named. Where there is
none, something stands in, and the sheet says so.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from stand_ins import StandInOccluder, StandInParser, outline

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.imaging.boxes import grow
from lib_facefix.models.store import ModelStore
from lib_facefix.planning.planner import make_plan
from lib_facefix.registry import OCCLUDERS, PARSERS, Registry
from lib_facefix.settings.mask_expression import mask_terms, parse_mask
from lib_facefix.settings.runtime import Runtime
from lib_facefix.types import Face, Image

ROOT = Path(__file__).parents[2]
PHOTO, FIGURE = ROOT / "examples" / "astronaut.jpg", ROOT / "docs" / "masks.jpg"
SIDE, ACROSS, LINE, GAP = 240, 5, 24, 10
FINER = 4
"""How many times as finely as its pixels the line around a mask is drawn."""
GREEN, EDGE = (0, 230, 90), (255, 255, 255)
PAPER, INK = (250, 250, 248), (32, 32, 32)
SHOWN: tuple[tuple[str, dict[str, object]], ...] = (
    ("hull", {}),
    ("ellipse", {}),
    ("box", {}),
    ("skin", {}),
    ("person", {}),
    ("segmentation", {}),
    ("parsing", {}),
    ("parsing:hair", {}),
    ("occluders", {}),
    ("hull - occluders", {}),
    ("eyes", {"mask_feather": 0.05}),
    ("brows", {"mask_feather": 0.05}),
    ("lips", {"mask_feather": 0.05}),
    ("nose", {"mask_feather": 0.05}),
    ("eyes + lips", {"mask_feather": 0.05}),
    ("box & person", {}),
    ("hull - eyes - lips", {}),
    ("hull", {"mask_grow": 0.2}),
    ("hull", {"mask_grow": -0.1, "mask_feather": 0.3}),
    ("hull", {"mask_invert": True}),
)
"""Masks, and the settings that differ from the defaults."""
MADE_WITH: dict[str, Registry[Any]] = {"parsing": PARSERS, "occluders": OCCLUDERS}
"""Masks, and what holds the models that they are made with."""


class WithStandIns(ModelStore):
    """Models of which those that make masks have stand-ins."""

    def load(self, registry: Registry[Any], name: str, *more: Hashable) -> Any:
        """Return the model, or what stands in for it."""
        if registry not in MADE_WITH.values() or self.available(registry):
            return super().load(registry, name, *more)
        return StandInParser() if registry is PARSERS else StandInOccluder()

    def stood_in(self) -> list[str]:
        """Return the masks that are made with stand-ins."""
        return [mask for mask, registry in MADE_WITH.items() if not self.available(registry)]


def main(detector: str = "") -> None:
    """Draw the sheet and save it. detector: one that segments; if blank, something stands in for it."""
    picture = np.array(Pillow.open(PHOTO).convert("RGB"))
    models = WithStandIns(Runtime())
    stood_in = {*models.stood_in(), *([] if detector else ["segmentation"])}
    fix = FaceFix(models=models)
    around = grow(largest(fix, picture).box, 0.5)
    left, top = int(around.left), int(around.top)
    part = np.ascontiguousarray(picture[top : int(around.bottom), left : int(around.right)])
    face = largest(fix, part)
    seen = largest(fix, picture, detector).outline if detector else np.add(outline(part, face), (left, top))
    face = replace(face, outline=None if seen is None else seen - (left, top))
    rows = -(-len(SHOWN) // ACROSS)
    sheet = Pillow.new("RGB", (ACROSS * (SIDE + GAP) + GAP, rows * (SIDE + LINE + GAP) + GAP), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for place, (mask, more) in enumerate(SHOWN):
        down, across = divmod(place, ACROSS)
        x, y = GAP + across * (SIDE + GAP), GAP + down * (SIDE + LINE + GAP)
        sheet.paste(Pillow.fromarray(tinted(fix, part, face, mask, more)), (x, y))
        pen.text((x, y + SIDE + 3), in_words(mask, more), INK, font)
        if stood_in.intersection(part_of.name for part_of in mask_terms(parse_mask(mask))):
            pen.text((x + SIDE, y + SIDE + 3), "(stand-in)", INK, font, anchor="ra")
    sheet.save(FIGURE, quality=90)


def largest(fix: FaceFix, picture: Image, detector: str = "blazeface") -> Face:
    """Return the largest face of the picture."""
    return max(fix.detect(picture, FaceSettings(detector=detector)), key=lambda found: found.box.size)


def tinted(fix: FaceFix, picture: Image, face: Face, mask: str, more: dict[str, object]) -> Image:
    """Return the picture, SIDE pixels each way, green as far as the mask shows, with a line where it is half."""
    settings = FaceSettings.from_json({"mask": mask, "method": "restore", **more})
    mask_here = fix.mask(picture, make_plan(picture, [face], settings))
    shown = cv2.resize(mask_here, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    drawn = small + shown[..., None] * np.float32(0.5) * (np.array(GREEN, np.float32) - small)
    sheet = np.asarray(np.clip(drawn, 0, 255), np.uint8)
    finer = cv2.resize(shown, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    outlines, _ = cv2.findContours(np.asarray(finer >= 0.5, np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.polylines(sheet, [4 * edge - 6 for edge in outlines], True, EDGE, 1, cv2.LINE_AA, shift=4)
    return sheet


def in_words(mask: str, more: dict[str, object]) -> str:
    """Return what the face was asked for."""
    return ", ".join([mask, *(f"{name.removeprefix('mask_')} {value}" for name, value in more.items())])


if __name__ == "__main__":
    main(*sys.argv[1:])
