"""What the default detector finds where BlazeFace alone fails: small, grainy, close, and turned faces."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.detectors.adaptive import NOISY, measure_grain
from lib_facefix.imaging.boxes import same_face

PHOTOS = Path(__file__).parents[1] / "data"
ENGINE = FaceFix()
NAMES = ["astronaut", "faceapi_sample1", "faceapi_sample3", "faceapi_sample5"]


@lru_cache
def photo(name, side=640):
    with Pil.open(PHOTOS / f"{name}.jpg") as picture:
        small = picture.convert("RGB")
        small.thumbnail((side, side))
        return np.array(small)


@lru_cache
def faces_in(name):
    return ENGINE.detect(photo(name))


def chips():
    found = []
    for name in NAMES:
        picture = photo(name, 1200)
        for face in ENGINE.detect(picture):
            margin = face.box.width * 0.6
            top, left = (round(max(0, edge - margin)) for edge in (face.box.top, face.box.left))
            found.append(picture[top : round(face.box.bottom + margin), left : round(face.box.right + margin)])
    return found


def crowd(columns, rows, cell):
    """A picture of rows and columns of faces, each in a square of `cell` pixels."""
    source, random = chips(), np.random.default_rng(3)
    squares = [cv2.resize(chip, (cell, cell), interpolation=cv2.INTER_AREA) for chip in source]
    picked = random.integers(len(squares), size=(rows, columns))
    return np.vstack([np.hstack([squares[i] for i in row]) for row in picked])


@pytest.mark.parametrize("cell", [44, 60, 100])
def test_nearly_all_faces_of_a_class_photo_are_found(cell):
    picture = crowd(10, 8, cell)
    assert 76 <= len(ENGINE.detect(picture)) <= 80


@pytest.mark.parametrize("turn", [cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180])
def test_a_class_photo_may_lie(turn):
    picture = crowd(10, 6, 60)
    assert 50 <= len(ENGINE.detect(np.ascontiguousarray(cv2.rotate(picture, turn)))) <= 60


def grainy(picture, sigma):
    """A black-and-white picture with correlated film grain."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    grain = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 1, grey.shape), (0, 0), 0.8)
    grey = np.clip(grey + grain / grain.std() * sigma, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2)


def test_grain_does_not_hide_faces():
    found = [ENGINE.detect(grainy(photo(name, 960), 20)) for name in NAMES]
    assert sum(map(len, found)) >= 0.9 * 12


def test_scratches_on_a_sepia_print_do_not_hide_faces():
    large = cv2.resize(photo("faceapi_sample5"), None, fx=1.5, fy=1.5)
    picture = grainy(cv2.GaussianBlur(large, (0, 0), 1.2), 14).astype(float)
    picture = picture * (0.85, 0.75, 0.55) + (35, 25, 15)
    for x in np.random.default_rng(2).integers(0, picture.shape[1], 25).tolist():
        cv2.line(picture, (x, 0), (x + 20, picture.shape[0]), (235, 230, 215), 1)
    assert len(ENGINE.detect(np.clip(picture, 0, 255).astype(np.uint8))) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_grain_is_told_from_the_detail_of_a_sharp_photo(name):
    picture = photo(name)
    assert measure_grain(picture) < NOISY / 1.5 < NOISY < measure_grain(grainy(picture, 14))


@pytest.mark.parametrize("share", [0.91, 0.71, 0.45])
def test_a_face_that_fills_the_picture_is_found_once(share):
    for name in NAMES:
        picture = photo(name, 1200)
        for face in ENGINE.detect(picture):
            side = face.box.size / share
            left, top = (round(max(0, middle - side / 2)) for middle in face.box.centre)
            close = np.ascontiguousarray(picture[top : round(top + side), left : round(left + side)])
            found = [one for one in ENGINE.detect(close) if one.box.size > share * side * 0.6]
            assert len(found) == 1, (name, share)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_all_faces_of_a_picture_that_lies_are_found_without_being_asked_to(name, quarters):
    turned = np.ascontiguousarray(np.rot90(photo(name), quarters))
    assert len(ENGINE.detect(turned)) == len(faces_in(name))


@pytest.mark.parametrize("name", NAMES)
def test_faces_that_are_large_and_upright_are_blazefaces_own(name):
    blaze = ENGINE.detect(photo(name), FaceSettings(detector="blazeface"))
    assert all(any(same_face(one.box, other.box) for other in blaze) for one in faces_in(name))
    assert [one.box for one in faces_in(name)] == [one.box for one in blaze]


def things(kind):
    """A picture of a thing: a cup from above, coins, a clock, a window front, stars, a wall of noise."""
    random, picture = np.random.default_rng(5), np.full((480, 640, 3), 90, np.uint8)
    if kind == "cup":
        for radius, colour in ((190, (150, 30, 10)), (110, (235, 225, 215)), (90, (90, 45, 15)), (20, (200, 160, 110))):
            cv2.circle(picture, (320, 240), radius, colour, -1, cv2.LINE_AA)
    elif kind == "coins":
        for x in range(60, 640, 100):
            for y in range(60, 480, 100):
                cv2.circle(picture, (x, y), 35 + (x + y) % 9, (150, 150, 140), -1, cv2.LINE_AA)
                cv2.circle(picture, (x - 8, y - 6), 9, (110, 110, 100), -1, cv2.LINE_AA)
    elif kind == "clock":
        cv2.circle(picture, (320, 240), 200, (240, 240, 235), -1, cv2.LINE_AA)
        for hour in range(12):
            x, y = 320 + 170 * np.sin(hour * np.pi / 6), 240 - 170 * np.cos(hour * np.pi / 6)
            cv2.circle(picture, (round(x), round(y)), 9, (20, 20, 20), -1, cv2.LINE_AA)
        cv2.line(picture, (320, 240), (320, 110), (20, 20, 20), 8)
        cv2.line(picture, (320, 240), (410, 280), (20, 20, 20), 8)
    elif kind == "front":
        for x in range(20, 640, 80):
            for y in range(20, 480, 80):
                cv2.rectangle(picture, (x, y), (x + 40, y + 50), (30, 40, 60), -1)
    elif kind == "stars":
        picture[:] = 5
        for x, y, size in random.integers(0, (640, 480, 6), (300, 3)).tolist():
            cv2.circle(picture, (x, y), size, (255, 230, 200), -1, cv2.LINE_AA)
    else:
        picture = random.integers(0, 255, picture.shape).astype(np.uint8)
    return picture


@pytest.mark.parametrize("angles", ["auto", "all"])
@pytest.mark.parametrize("kind", ["cup", "coins", "clock", "front", "stars", "noise"])
def test_there_is_no_face_in_things(kind, angles):
    assert ENGINE.detect(things(kind), FaceSettings(angles=angles)) == ()


def test_an_aligned_crop_is_one_face_and_is_not_searched():
    settings = FaceSettings(detector="aligned")
    [face] = ENGINE.detect(np.full((512, 512, 3), 128, np.uint8), settings)
    assert face.landmarks[0] == pytest.approx((192.98, 239.95), abs=0.1)
    [smaller] = ENGINE.detect(np.full((300, 256, 3), 128, np.uint8), settings)
    assert smaller.landmarks[0] == pytest.approx((96.49, 119.97 + 22), abs=0.1)
    assert smaller.box.width == pytest.approx(face.box.width / 2)
