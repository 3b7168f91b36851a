"""Draw docs/coordinates.png: what the library says about one face, where it says it.

python docs/figures/coordinates.py
"""

from __future__ import annotations

from pathlib import Path

from canvas import GREY, INK, Canvas, Colour, Place, arc
from PIL import Image as Pillow

from lib_facefix import FaceFix, FaceJob
from lib_facefix.imaging.boxes import grow

ROOT = Path(__file__).parents[2]
PHOTO, FIGURE = ROOT / "examples" / "astronaut.jpg", ROOT / "docs" / "coordinates.png"
WIDTH, HEIGHT = 1380, 912
GREEN, BLUE, ORANGE, RED = (0, 168, 84), (24, 92, 190), (226, 106, 0), (204, 36, 56)
LANDMARKS = ("left eye", "right eye", "nose", "left corner of the mouth", "right corner of the mouth")


class Frame:
    """A part of the picture, enlarged, at a place of the sheet."""

    def __init__(self, left: float, top: float, scale: float, origin: Place = (0, 0)) -> None:
        self._left, self._top, self._origin = left, top, origin
        self.scale = scale

    def __call__(self, x: float, y: float) -> Place:
        """Return where on the sheet the picture's (x, y) lies: corner coordinates only need a factor and a shift."""
        return self._left + (x - self._origin[0]) * self.scale, self._top + (y - self._origin[1]) * self.scale


def main() -> None:
    """Draw the figure and save it."""
    picture = Pillow.open(PHOTO).convert("RGB")
    job = FaceFix().plan(picture).jobs[0]
    sheet = Canvas(WIDTH, HEIGHT)
    draw_picture(sheet, picture, job)
    draw_face(sheet, picture, job)
    draw_pixels(sheet, picture)
    sheet.save(FIGURE)


def draw_picture(sheet: Canvas, picture: Pillow.Image, job: FaceJob) -> None:
    """Draw the whole picture with its axes, and the box with its four values."""
    width, height = picture.size
    at = Frame(96, 118, 1.4)
    sheet.text((24, 20), "The picture: positions in pixels from its top left corner", INK, 20)
    sheet.picture(picture, (*at(0, 0), *at(width, height)))
    draw_axes(sheet, at, width, height)
    draw_box(sheet, at, job)
    sheet.dot(at(0, 0), 6, RED)
    sheet.text((at(0, 0)[0] - 10, at(0, 0)[1] - 24), "(0, 0)", RED, 16, "rm")
    sheet.text((at(width, height)[0], at(width, height)[1] + 12), f"({width}, {height})", RED, 16, "ra")
    sheet.dot(at(width, height), 6, RED)


def draw_axes(sheet: Canvas, at: Frame, width: int, height: int) -> None:
    """Draw x to the right and y down, with a mark every hundred pixels."""
    (left, top), (right, bottom) = at(0, 0), at(width, height)
    sheet.arrow([(left, top), (right + 34, top)], INK)
    sheet.arrow([(left, top), (left, bottom + 34)], INK)
    sheet.text((right + 40, top), "x", INK, 20, "lm")
    sheet.text((left, bottom + 38), "y", INK, 20, "ma")
    for mark in range(100, max(width, height), 100):
        if mark < width:
            x = at(mark, 0)[0]
            sheet.line([(x, top - 6), (x, top)], INK)
            sheet.text((x, top - 10), str(mark), GREY, 13, "ms")
        if mark < height:
            y = at(0, mark)[1]
            sheet.line([(left - 6, y), (left, y)], INK)
            sheet.text((left - 10, y), str(mark), GREY, 13, "rm")


def draw_box(sheet: Canvas, at: Frame, job: FaceJob) -> None:
    """Draw the face's box, and lead each of its edges to its axis."""
    box = job.face.box
    (left, top), (right, bottom) = at(box.left, box.top), at(box.right, box.bottom)
    axis_x, axis_y = at(0, 0)
    sheet.box((left, top, right, bottom), GREEN)
    for x, name, value in ((left, "left", box.left), (right, "right", box.right)):
        sheet.dashes((x, top), (x, axis_y - 26), GREEN)
        sheet.text((x, axis_y - 30), f"{name} {value:.1f}", GREEN, 15, "ms")
    for y, name, value in ((top, "top", box.top), (bottom, "bottom", box.bottom)):
        sheet.dashes((left, y), (axis_x, y), GREEN)
        sheet.text((axis_x + 10, y + 9), f"{name} {value:.1f}", GREEN, 15, "la", ground=True)
    values = ", ".join(f"{edge:.1f}" for edge in (box.left, box.top, box.right, box.bottom))
    words = f"face {job.number}: box [{values}]\nsize {box.size:.1f} px, the longer side"
    sheet.text((left, bottom + 14), words, GREEN, 16, "la", ground=True)


def draw_face(sheet: Canvas, picture: Pillow.Image, job: FaceJob) -> None:
    """Draw the face enlarged, with its landmarks and the ways it can turn."""
    around = grow(job.face.box, 0.3)
    side = 420.0
    at = Frame(914, 60, side / around.size, (around.left, around.top))
    part = picture.transform(
        (840, 840),
        Pillow.Transform.EXTENT,
        (around.left, around.top, around.right, around.bottom),
        Pillow.Resampling.BICUBIC,
    )
    sheet.text((914, 20), "The face: landmarks, mesh, pose", INK, 20)
    sheet.picture(part, (914, 60, 914 + side, 60 + side))
    if job.face.mesh is not None:
        for x, y in job.face.mesh.points[:, :2]:
            sheet.dot(at(x, y), 1.2, (120, 230, 255))
    draw_pose(sheet, at, job)
    draw_landmarks(sheet, at, job)


def draw_landmarks(sheet: Canvas, at: Frame, job: FaceJob) -> None:
    """Number the five landmarks and name them beside the face."""
    landmarks = job.face.landmarks
    assert landmarks is not None
    for number, (x, y) in enumerate(landmarks):
        sheet.dot(at(x, y), 11, BLUE, (255, 255, 255))
        sheet.text(at(x, y), str(number), (255, 255, 255), 15, "mm")
    words = ", ".join(f"{number} {name}" for number, name in enumerate(LANDMARKS[:3]))
    rest = ", ".join(f"{number + 3} {name}" for number, name in enumerate(LANDMARKS[3:]))
    sheet.text((914, 490), f"{words},\n{rest}", BLUE, 15)
    sheet.text((914, 534), "dots: the 468 points of the mesh", GREY, 15)


def draw_pose(sheet: Canvas, at: Frame, job: FaceJob) -> None:
    """Draw which way each angle grows, and this face's angles."""
    assert job.face.landmarks is not None
    nose = at(*job.face.landmarks[2])
    x, y = nose
    sheet.arrow([(x + 16, y), (x + 150, y)], ORANGE, 4, 16)
    sheet.text((x + 88, y + 18), f"yaw > 0\nhere {job.pose.yaw:.1f}", ORANGE, 15, "la", ground=True)
    sheet.arrow([(x, y - 16), (x, y - 140)], ORANGE, 4, 16)
    sheet.text((x + 16, y - 134), f"pitch > 0\nhere {job.pose.pitch:.1f}", ORANGE, 15, "la", ground=True)
    sheet.arrow(arc((x, y), 186, 215, 262), ORANGE, 4, 16)
    sheet.text((x - 186, y - 190), f"roll > 0\nhere {job.pose.roll:.1f}", ORANGE, 15, "la", ground=True)


def draw_pixels(sheet: Canvas, picture: Pillow.Image) -> None:
    """Draw the first pixels as squares: where a corner lies, where a centre, what a box holds."""
    across, down = 6, 4
    at = Frame(952, 628, 56)
    sheet.text((914, 580), "Its first pixels: corners and centres", INK, 20)
    for y in range(down):
        for x in range(across):
            sheet.fill((*at(x, y), *at(x + 1, y + 1)), pale(picture.getpixel((x, y))))
    for x in range(across + 1):
        sheet.line([at(x, 0), at(x, down)], GREY, 1)
    for y in range(down + 1):
        sheet.line([at(0, y), at(across, y)], GREY, 1)
    mark(sheet, at(0, 0), "(0, 0)", RED, "rm", (-10, -2))
    mark(sheet, at(0.5, 0.5), "(0.5, 0.5)", BLUE, "ma", (0, 8))
    sheet.box((*at(2, 1), *at(5, 3)), GREEN, 3)
    sheet.text(at(3.5, 2), "box [2, 1, 5, 3]\nimage[1:3, 2:5]", GREEN, 15, "ms", ground=True)
    mark(sheet, at(across, down), f"({across}, {down})", RED, "lm", (10, 0))
    sheet.text((914, 866), "6 x 4 pixels. OpenCV calls the blue centre (0, 0).", GREY, 15)


def mark(sheet: Canvas, place: Place, words: str, colour: Colour, anchor: str, by: Place) -> None:
    """Draw a dot with its coordinates beside it."""
    sheet.dot(place, 5, colour)
    sheet.text((place[0] + by[0], place[1] + by[1]), words, colour, 14, anchor)  # type: ignore[arg-type]


def pale(colour: object) -> Colour:
    """Return the pixel's colour lightened, so that words can be read on it."""
    assert isinstance(colour, tuple)
    red, green, blue = (round(175 + 0.3 * channel) for channel in colour)
    return red, green, blue


if __name__ == "__main__":
    main()
