import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.imaging.align import rotation, transform_points, translate
from lib_facefix.imaging.blend import match_colour, paste
from lib_facefix.imaging.frames import cut

SIDE = 96
RED = (255, 0, 0)


def around(x, y, scale, degrees):
    """Return the map that brings (x, y) of the picture to the middle of the crop."""
    turn = rotation(degrees, scale)
    return translate(turn, tuple(SIDE / 2 - transform_points(np.array([(x, y)], float), turn)[0]))


def disc(radius=SIDE // 4):
    y, x = np.indices((SIDE, SIDE)) + 0.5
    return (np.hypot(x - SIDE / 2, y - SIDE / 2) <= radius).astype(np.float32)


def noise(height, width, seed=2):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


positions = st.floats(-300, 600)


@given(
    st.integers(1, 250), st.integers(1, 250), positions, positions, st.floats(0.1, 6), st.floats(0, 360), st.integers()
)
def test_an_unchanged_crop_leaves_every_byte(width, height, x, y, scale, degrees, seed):
    canvas = noise(height, width)
    before = canvas.copy()
    mask = np.random.default_rng(abs(seed)).random((SIDE, SIDE), np.float32)
    crop = cut(canvas, around(x, y, scale, degrees), SIDE)
    paste(canvas, crop.image.copy(), mask, crop.matrix, base=crop.image)
    assert (canvas == before).all()


@given(positions, positions, st.floats(0.3, 4), st.floats(0, 360), st.booleans())
def test_every_byte_away_from_the_mask_stays(x, y, scale, degrees, replace):
    canvas = noise(240, 260)
    before = canvas.copy()
    crop = cut(canvas, around(x, y, scale, degrees), SIDE)
    patch = np.full_like(crop.image, RED)
    paste(canvas, patch, disc(), crop.matrix, base=None if replace else crop.image)
    rows, columns = np.indices(canvas.shape[:2]) + 0.5
    away = np.hypot(columns - x, rows - y) > (SIDE / 4 + 1) / scale + 3
    assert (canvas[away] == before[away]).all()


@pytest.mark.parametrize(
    ("scale", "degrees"),
    [
        (0.5, 0),
        (0.5, 45),
        (1.0, 0),
        (1.0, 45),
        (2.0, 0),
        (2.0, 45),
    ],
)
def test_a_mask_up_to_the_edge_of_the_crop_ends_with_it(scale, degrees):
    canvas = noise(300, 300)
    before = canvas.copy()
    crop = cut(canvas, around(150, 150, scale, degrees), SIDE)
    paste(canvas, np.full_like(crop.image, RED), np.ones((SIDE, SIDE), np.float32), crop.matrix)
    rows, columns = np.indices(canvas.shape[:2]) + 0.5
    there = transform_points(np.column_stack([columns.ravel(), rows.ravel()]), crop.matrix).reshape(300, 300, 2)
    outside = ((there < -scale) | (there > SIDE + scale)).any(2)  # by more than a pixel of the picture
    assert (canvas[outside] == before[outside]).all()
    assert (canvas[150, 150] == RED).all()


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7, 4.0], ids=lambda scale: f"x{scale:g}")
@pytest.mark.parametrize("degrees", [0, 30, 90, 200], ids=lambda degrees: f"{degrees} degrees")
@pytest.mark.parametrize("place", [(130.5, 120.25), (2, 3)], ids=["within", "over the edge"])
def test_paint_lands_where_it_should(scale, degrees, place):
    canvas = np.zeros((240, 260, 3), np.uint8)
    crop = cut(canvas, around(*place, scale, degrees), SIDE)
    paste(canvas, np.full_like(crop.image, 255), disc(), crop.matrix, base=crop.image)

    rows, columns = np.indices(canvas.shape[:2]) + 0.5
    distance = np.hypot(columns - place[0], rows - place[1])
    radius, edge = SIDE / 4 / scale, 1 + 0.6 / scale
    assert (canvas[distance < radius - edge] > 200).all()
    assert (canvas[distance > radius + edge] < 55).all()


def test_what_is_cut_and_pasted_lands_on_itself():
    canvas = noise(200, 200)
    before = canvas.copy()
    crop = cut(canvas, translate(np.eye(2, 3), (-50, -60)), SIDE)
    canvas[60:156, 50:146] = 0
    paste(canvas, crop.image, disc(), crop.matrix)
    inside = disc() == 1
    assert (canvas[60:156, 50:146][inside] == before[60:156, 50:146][inside]).all()
    assert not canvas[60:156, 50:146][~inside].any()


def test_without_a_base_the_patch_replaces_what_is_there():
    canvas, matrix = noise(SIDE, SIDE), np.eye(2, 3)
    paste(canvas, np.full((SIDE, SIDE, 3), RED, np.uint8), disc(), matrix)
    assert (canvas[disc() == 1] == RED).all()


def test_with_a_base_detail_finer_than_the_crop_is_kept():
    canvas = noise(8 * SIDE, 8 * SIDE).clip(60, 190)
    before = canvas.copy()
    crop = cut(canvas, rotation(0, 1 / 8), SIDE)
    paste(canvas, crop.image + np.uint8(10), disc(), crop.matrix, base=crop.image)
    middle = slice(3 * SIDE + 50, 5 * SIDE - 50)
    assert (canvas[middle, middle] == before[middle, middle] + 10).all()


def test_half_a_mask_shows_half_the_change():
    canvas = np.full((SIDE, SIDE, 3), 100, np.uint8)
    paste(canvas, np.full_like(canvas, 200), disc() * np.float32(0.5), np.eye(2, 3), base=canvas.copy())
    assert (canvas[SIDE // 2, SIDE // 2] == 150).all()


@pytest.mark.parametrize("change", [255, -255], ids=["up", "down"])
def test_a_change_beyond_white_or_black_does_not_wrap_round(change):
    canvas = np.full((SIDE, SIDE, 3), 128, np.uint8)
    base = np.full_like(canvas, 0 if change > 0 else 255)
    paste(canvas, 255 - base, disc(), np.eye(2, 3), base=base)
    assert (canvas[disc() == 1] == (255 if change > 0 else 0)).all()


def test_what_is_given_is_not_changed():
    canvas = noise(200, 200)
    crop = cut(canvas, around(100, 100, 1.3, 20), SIDE)
    given_arrays = [np.full_like(crop.image, RED), np.ones((SIDE, SIDE), np.float32), crop.matrix, crop.image]
    before = [array.copy() for array in given_arrays]
    patch, mask, matrix, base = given_arrays
    paste(canvas, patch, mask, matrix, base=base)
    match_colour(patch, base, mask, 10)
    assert all((now == then).all() for now, then in zip(given_arrays, before, strict=True))


@given(st.floats(1, 80), st.floats(0, 45))
def test_an_equal_patch_keeps_its_colours(width, radius):
    crop = noise(SIDE, SIDE)
    assert (match_colour(crop.copy(), crop, disc(radius), width) == crop).all()


@pytest.mark.parametrize("offset", [(20, 0, 0), (-15, 5, 30), (0, 0, -40)], ids=str)
def test_a_constant_offset_is_taken_back(offset):
    crop = noise(SIDE, SIDE) // 2 + 60
    patch = (crop.astype(int) + offset).astype(np.uint8)
    assert np.abs(match_colour(patch, crop, disc(), 20).astype(int) - crop).max() <= 1


def test_colours_inside_the_mask_have_no_say():
    crop = cv2.GaussianBlur(noise(SIDE, SIDE), (5, 5), 2)
    painted = np.where(disc()[..., None] > 0, np.uint8(RED), crop)
    assert (match_colour(painted, crop, disc(), 20) == painted).all()


@pytest.mark.parametrize("fill", [0, 1], ids=["an empty mask", "a full mask"])
def test_without_a_ring_colours_stay(fill):
    patch, crop = noise(SIDE, SIDE, 1), noise(SIDE, SIDE, 2)
    if fill == 0:
        patch = crop.copy()
    assert (match_colour(patch, crop, np.full((SIDE, SIDE), fill, np.float32), 20) == patch).all()


def test_an_empty_mask_changes_nothing():
    canvas = noise(50, 50)
    before = canvas.copy()
    paste(canvas, np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.float32), np.eye(2, 3))
    assert (canvas == before).all()
