"""Draw docs/masks.jpg: every kind of mask on one face, and what is asked for in words.

python docs/figures/masks.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.faces import Image
from lib_facefix.imaging.boxes import grow

ROOT = Path(__file__).parents[2]
PHOTO, FIGURE = ROOT / "examples" / "astronaut.jpg", ROOT / "docs" / "masks.jpg"
SIDE, ACROSS, LINE, GAP = 240, 5, 24, 10
GREEN, EDGE = (0, 230, 90), (255, 255, 255)
PAPER, INK = (250, 250, 248), (32, 32, 32)
SHOWN: tuple[tuple[str, dict[str, object]], ...] = (
    ("hull", {}),
    ("ellipse", {}),
    ("box", {}),
    ("skin", {}),
    ("person", {}),
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


def main() -> None:
    """Draw the sheet and save it."""
    picture = np.array(Pillow.open(PHOTO).convert("RGB"))
    fix = FaceFix()
    face = max(fix.detect(picture), key=lambda found: found.box.size)
    around = grow(face.box, 0.5)
    part = np.ascontiguousarray(picture[int(around.top) : int(around.bottom), int(around.left) : int(around.right)])
    rows = -(-len(SHOWN) // ACROSS)
    sheet = Pillow.new("RGB", (ACROSS * (SIDE + GAP) + GAP, rows * (SIDE + LINE + GAP) + GAP), PAPER)
    for place, (mask, more) in enumerate(SHOWN):
        down, across = divmod(place, ACROSS)
        at = GAP + across * (SIDE + GAP), GAP + down * (SIDE + LINE + GAP)
        sheet.paste(Pillow.fromarray(tinted(fix, part, mask, more)), at)
        ImageDraw.Draw(sheet).text((at[0], at[1] + SIDE + 3), in_words(mask, more), INK, ImageFont.load_default(14))
    sheet.save(FIGURE, quality=90)


def tinted(fix: FaceFix, picture: Image, mask: str, more: dict[str, object]) -> Image:
    """Return the picture, SIDE pixels each way, green as far as the mask shows, with a line where it is half."""
    settings = FaceSettings.from_json({"mask": mask, "method": "restore", "at_most": 1, **more})
    shown = cv2.resize(fix.mask(picture, fix.plan(picture, settings)), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    drawn = small + shown[..., None] * np.float32(0.5) * (np.array(GREEN, np.float32) - small)
    sheet = np.asarray(np.clip(drawn, 0, 255), np.uint8)
    outlines, _ = cv2.findContours(np.asarray(shown >= 0.5, np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(sheet, outlines, -1, EDGE, 1, cv2.LINE_AA)
    return sheet


def in_words(mask: str, more: dict[str, object]) -> str:
    """Return what the face was asked for."""
    return ", ".join([mask, *(f"{name.removeprefix('mask_')} {value}" for name, value in more.items())])


if __name__ == "__main__":
    main()
