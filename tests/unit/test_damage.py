"""What is measured in a face: where it is damaged, and by how much."""

import cv2
import numpy as np
import pytest

from lib_facefix.imaging.damage.jpeg_grid import measure_blocks
from lib_facefix.imaging.damage.measure import measure_damage
from lib_facefix.imaging.damage.noise import measure_noise
from lib_facefix.imaging.damage.scratches import measure_scratches
from lib_facefix.imaging.damage.spectrum import measure_resolution
from lib_facefix.types import Box, Face

FACE = Face(Box(120, 100, 420, 420), 0.9)


def as_grey(image):
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def add_noise(values, deviation, size=0.0, seed=2):
    noise = np.random.default_rng(seed).standard_normal(values.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), size) if size else noise
    return values + noise / noise.std() * deviation


def reduce_and_enlarge(image, factor, kernel=cv2.INTER_CUBIC):
    small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1], interpolation=kernel)


@pytest.fixture
def grey(leaves):
    return as_grey(leaves(384, 384)).astype(np.float32)


@pytest.mark.parametrize("factor", [2, 3, 4, 8], ids=lambda factor: f"{factor} times")
@pytest.mark.parametrize(
    "kernel", [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4], ids=["", "cubic", "Lanczos"]
)
def test_an_enlargement_is_undone_in_thought(grey, factor, kernel):
    assert measure_resolution(reduce_and_enlarge(grey, factor, kernel)).overall == pytest.approx(factor, rel=0.35)


def test_a_sharp_region_cannot_be_reduced_without_loss(grey):
    assert measure_resolution(grey).overall == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("deviation", [3, 6, 12])
def test_noise_is_no_detail(grey, deviation):
    enlarged = reduce_and_enlarge(grey, 4)
    assert measure_resolution(add_noise(enlarged, deviation)).overall > 2.4


def test_sharpening_brings_no_detail_back(grey):
    enlarged = reduce_and_enlarge(grey, 4)
    assert measure_resolution(3 * enlarged - 2 * cv2.GaussianBlur(enlarged, (0, 0), 2)).overall > 2.3


def test_motion_takes_detail_in_one_direction(grey):
    moved = cv2.blur(grey, (11, 1))
    seen = measure_resolution(moved)
    assert seen.along > 3.5
    assert seen.across < 1.5


@pytest.mark.parametrize("shape", [(40, 40), (40, 300), (512, 400)], ids=str)
def test_a_flat_region_has_no_detail(shape):
    assert measure_resolution(np.full(shape, 90, np.float32)).overall == np.inf


@pytest.mark.parametrize("deviation", [2, 5, 10, 20])
def test_noise_is_measured_in_grey_levels(grey, deviation):
    soft = cv2.GaussianBlur(grey, (0, 0), 3) * 0.5 + 64
    fine, _ = measure_noise(add_noise(soft, deviation).astype(np.float32))
    assert fine == pytest.approx(deviation, rel=0.15)


@pytest.mark.parametrize("deviation", [8, 14])
def test_grain_is_measured_in_grey_levels(grey, deviation):
    soft = cv2.GaussianBlur(grey, (0, 0), 6) * 0.5 + 64
    fine, grain = measure_noise(add_noise(soft, deviation, 1.0).astype(np.float32))
    assert grain == pytest.approx(deviation, rel=0.25)
    assert fine < grain / 2


def test_detail_is_no_noise(grey):
    fine, grain = measure_noise(grey)
    assert fine < 2
    assert grain < 2


@pytest.mark.parametrize("offset", range(0, 8, 3), ids=lambda offset: f"grid at {offset}")
def test_blocks_are_found_wherever_the_grid_begins(leaves, offset):
    image = cv2.GaussianBlur(leaves(384, 384), (0, 0), 2)
    blocky = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 10])[1], cv2.IMREAD_GRAYSCALE)
    assert measure_blocks(blocky[offset:, 2 * offset :]) > 2
    assert measure_blocks(as_grey(image)[offset:, 2 * offset :]) < 0.3


@pytest.mark.parametrize("degrees", [0, 90, 10, 27, -27, 63], ids=lambda degrees: f"at {degrees} degrees")
@pytest.mark.parametrize("level", [235, 25], ids=["bright", "dark"])
def test_a_scratch_stands_out_in_any_direction(grey, degrees, level):
    soft = cv2.GaussianBlur(grey, (0, 0), 4) * 0.3 + 90
    way = 80 * np.array([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    ends = [tuple(int(value) for value in 192 + sign * way) for sign in (-1, 1)]
    scratched = cv2.line(soft.copy(), *ends, level, 1, cv2.LINE_AA)
    assert 160 * 0.4 < measure_scratches(scratched) < 160 * 1.7
    assert measure_scratches(soft) < 20


def test_neither_edges_nor_thick_lines_are_scratches(grey):
    soft = cv2.GaussianBlur(grey, (0, 0), 4) * 0.3 + 90
    edge, frame = soft.copy(), soft.copy()
    edge[:, 200:] -= 60
    cv2.rectangle(frame, (80, 100), (300, 280), 30, 7, cv2.LINE_AA)
    assert measure_scratches(edge) < 20
    assert measure_scratches(frame) < 20


@pytest.mark.parametrize(
    "box", [Box(0, 0, 0, 0), Box(-90, -90, -5, -5), Box(5, 5, 35, 35)], ids=["empty", "out", "tiny"]
)
def test_a_face_too_small_to_measure_is_taken_as_it_is(leaves, box):
    seen = measure_damage(leaves(100, 100), Face(box, 0.9))
    assert (seen.detail, seen.noise, seen.scratches) == (box.width, 0, 0)


@pytest.mark.parametrize("times", [1.5, 3], ids=lambda times: f"{times} times larger")
def test_detail_is_counted_in_pixels_of_the_image(leaves, times):
    image = leaves(520, 520)
    larger = cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    box = Box(*(times * side for side in (FACE.box.left, FACE.box.top, FACE.box.right, FACE.box.bottom)))
    assert measure_damage(image, FACE).detail == pytest.approx(300, rel=0.05)
    assert measure_damage(larger, Face(box, 0.9)).detail == pytest.approx(300, rel=0.25)
