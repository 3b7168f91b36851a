"""Drawings of results: numbered boxes, tinted masks, and before/after sheets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pil
from PIL import ImageDraw, ImageFont

from .imaging.align import rescale_matrix
from .imaging.boxes import clip, grow
from .imaging.frames import Surrounded, cut
from .planning.plan import Outcome
from .types import Box, Face, Image, Mask

MARGIN = 12
"""Space between the parts of a sheet, in pixels."""
FACE_SIDE = 256
"""Side of a face on a sheet, in pixels."""
IMAGE_SIDE = 2 * FACE_SIDE + MARGIN
"""Longer side of a whole image on a sheet, in pixels."""
MAX_STRIPS = 40
"""Maximum number of faces of one image on a sheet."""
FACE_MARGIN = 0.35
"""Area around a single face on each side, in box sizes."""
INK, PAPER, GREEN = (32, 32, 32), (250, 250, 248), (0, 230, 90)
TINT, STRENGTH = np.array((255, 64, 64), np.float32), np.float32(0.4)
"""Colour of masks, and its opacity where a mask is 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One image before and after, for a sheet."""

    title: str
    before: Image
    after: Image
    """The fixed image; its size may differ."""
    outcomes: tuple[Outcome, ...]


def draw_boxes(image: Image, faces: Sequence[tuple[int, Face]]) -> Image:
    """Return a copy of the image with the box, landmarks and number of each face."""
    drawn = Pil.fromarray(image)
    pen = ImageDraw.Draw(drawn)
    thick = max(1, round(max(drawn.size) / 500))
    for number, face in faces:
        box = face.box
        pen.rectangle((box.left, box.top, box.right, box.bottom), outline=GREEN, width=thick)
        for x, y in [] if face.landmarks is None else face.landmarks:
            pen.ellipse((x - thick, y - thick, x + thick, y + thick), fill=GREEN)
        _label(pen, str(number), box.left, box.top, min(max(12.0, box.size / 5), max(drawn.size)))
    return np.array(drawn)


def tint_mask(image: Image, mask: Mask) -> Image:
    """Return a copy of the image, tinted where the mask (H, W), 0..1, allows changes."""
    tinted = image + mask[..., None] * STRENGTH * (TINT - image)
    return np.asarray(tinted + 0.5, np.uint8)


def crop_around(image: Image, box: Box) -> Image:
    """Return the part of an image around a face, at least one pixel."""
    height, width = image.shape[:2]
    part = clip(grow(box, FACE_MARGIN), width, height)
    left, top = min(int(part.left), width - 1), min(int(part.top), height - 1)
    return image[top : max(round(part.bottom), top + 1), left : max(round(part.right), left + 1)]


def draw_strips(pair: Pair) -> list[Pil.Image]:
    """Return the small images that a sheet shows of one image."""
    fixed = [outcome for outcome in pair.outcomes if outcome.verdict == "fixed"][:MAX_STRIPS]
    faces = [_face(pair, outcome) for outcome in fixed]
    after = Pil.fromarray(pair.after)
    after.thumbnail((IMAGE_SIDE, IMAGE_SIDE), Pil.Resampling.LANCZOS)
    before = Pil.fromarray(pair.before).resize(after.size, Pil.Resampling.LANCZOS)
    whole = _row(before, after, f"{pair.title}: before, after")
    return [whole, *(_beside(faces[i : i + 2]) for i in range(0, len(faces), 2))]


def draw_sheet(parts: Sequence[Pil.Image]) -> Image:
    """Return a sheet with the strips below one another."""
    width = max((part.width for part in parts), default=1) + 2 * MARGIN
    paper = Pil.new("RGB", (width, sum(part.height + MARGIN for part in parts) + MARGIN), PAPER)
    top = MARGIN
    for part in parts:
        paper.paste(part, (MARGIN, top))
        top += part.height + MARGIN
    return np.array(paper)


def _face(pair: Pair, outcome: Outcome) -> Pil.Image:
    """Return one face before and after, with a title."""
    face = outcome.job.face
    matrix = Surrounded(FACE_SIDE, margin=0.3).matrix(face)
    sizes = [(image.shape[1], image.shape[0]) for image in (pair.before, pair.after)]
    before = Pil.fromarray(cut(pair.before, matrix, FACE_SIDE).image)
    after = Pil.fromarray(cut(pair.after, rescale_matrix(matrix, *sizes), FACE_SIDE).image)
    identity = outcome.identity
    told = f", {identity.abbreviate()}" if identity else ""
    return _row(before, after, f"{outcome.job.number}: {face.box.size:.0f} px, {outcome.job.decision}{told}")


def _row(before: Pil.Image, after: Pil.Image, title: str) -> Pil.Image:
    """Return two images side by side under a title."""
    line = 22
    row = Pil.new("RGB", (before.width + after.width + MARGIN, before.height + line), PAPER)
    ImageDraw.Draw(row).text((0, 2), title, fill=INK, font=_font(14))
    row.paste(before, (0, line))
    row.paste(after, (before.width + MARGIN, line))
    return row


def _beside(parts: Sequence[Pil.Image]) -> Pil.Image:
    row = Pil.new("RGB", (sum(part.width + MARGIN for part in parts) - MARGIN, parts[0].height), PAPER)
    left = 0
    for part in parts:
        row.paste(part, (left, 0))
        left += part.width + MARGIN
    return row


def _label(pen: ImageDraw.ImageDraw, text: str, left: float, top: float, size: float) -> None:
    font = _font(round(size))
    pen.rectangle(pen.textbbox((left, top), text, font=font), fill=GREEN)
    pen.text((left, top), text, fill=INK, font=font)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has only one size
        return ImageFont.load_default()
