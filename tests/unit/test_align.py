import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.errors import DegenerateLandmarks
from lib_facefix.imaging.align import (
    FFHQ_512,
    compose,
    fit_similarity,
    inverse,
    rotation,
    scale_factor,
    transform_points,
    translate,
)
from lib_facefix.imaging.frames import Surrounded, Upright, cut, width_and_height
from lib_facefix.types import Box, Face


def similarity(*, degrees=0.0, scale=1.0, shift=(0.0, 0.0)):
    a = np.radians(degrees)
    c, s = scale * np.cos(a), scale * np.sin(a)
    return np.array([(c, -s, shift[0]), (s, c, shift[1])])


places = st.floats(-2000, 2000)
similarities = st.builds(
    similarity, degrees=st.floats(0, 360), scale=st.floats(0.02, 20), shift=st.tuples(places, places)
)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(similarity(), id="identity"),
        pytest.param(similarity(degrees=90), id="lying on its side"),
        pytest.param(similarity(degrees=180), id="upside down"),
        pytest.param(similarity(degrees=-33, scale=3), id="tilted and large"),
        pytest.param(similarity(scale=0.05, shift=(700, -20)), id="tiny, partly outside"),
    ],
)
def test_fit_recovers_a_known_similarity(known):
    assert fit_similarity(FFHQ_512, transform_points(FFHQ_512, known)) == pytest.approx(known)


@given(similarities)
def test_fit_recovers_any_similarity(known):
    assert fit_similarity(FFHQ_512, transform_points(FFHQ_512, known)) == pytest.approx(known, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("mirror", [(-1, 1), (1, -1)], ids=["left and right", "up and down"])
def test_fit_never_mirrors_a_face(mirror):
    assert np.linalg.det(fit_similarity(FFHQ_512, FFHQ_512 * mirror)[:, :2]) > 0


def test_fit_takes_the_least_squares_of_points_that_do_not_agree():
    source, target = np.array([(0.0, 0.0), (2.0, 0.0)]), np.array([(0.0, 0.0), (4.0, 0.0)])
    middle = np.vstack([source, (1.0, 0.0)]), np.vstack([target, (2.0, 3.0)])
    assert transform_points(middle[0], fit_similarity(*middle)).mean(0) == pytest.approx((2, 1))


def test_fit_refuses_landmarks_in_one_point():
    with pytest.raises(DegenerateLandmarks, match=r"all 5 landmarks are at \(3, 4\)"):
        fit_similarity(np.tile((3.0, 4.0), (5, 1)), FFHQ_512)


def test_fit_refuses_a_target_in_one_point():
    with pytest.raises(DegenerateLandmarks, match="no rotation and scale"):
        fit_similarity(FFHQ_512, np.tile((3.0, 4.0), (5, 1)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", [0, 1], ids=["source", "target"])
def test_fit_refuses_what_is_not_finite(bad, which):
    points = [FFHQ_512.copy(), FFHQ_512.copy()]
    points[which][2, 1] = bad
    with pytest.raises(DegenerateLandmarks, match="not a number"):
        fit_similarity(*points)


@pytest.mark.parametrize(
    ("degrees", "lands"), [(0, (1, 0)), (90, (0, 1)), (180, (-1, 0)), (270, (0, -1))], ids=lambda value: str(value)
)
def test_rotation_turns_clockwise_as_the_viewer_sees_it(degrees, lands):
    assert transform_points(np.array([(1.0, 0.0)]), rotation(degrees))[0] == pytest.approx(lands)


@given(similarities)
def test_inverse_leads_back(there):
    assert transform_points(transform_points(FFHQ_512, there), inverse(there)) == pytest.approx(FFHQ_512, abs=1e-5)


@given(similarities, similarities)
def test_compose_is_one_map_after_the_other(first, second):
    step_by_step = transform_points(transform_points(FFHQ_512, first), second)
    assert transform_points(FFHQ_512, compose(second, first)) == pytest.approx(step_by_step, rel=1e-9, abs=1e-6)


@given(similarities, places, places)
def test_shifted_moves_after_the_map(matrix, x, y):
    assert transform_points(FFHQ_512, translate(matrix, (x, y))) == pytest.approx(
        transform_points(FFHQ_512, matrix) + np.array((x, y)), abs=1e-6
    )


@given(similarities, similarities)
def test_scales_multiply(first, second):
    assert scale_factor(compose(second, first)) == pytest.approx(scale_factor(first) * scale_factor(second))


@pytest.mark.parametrize(
    "hopeless",
    [
        pytest.param(np.zeros((2, 3)), id="everything in one point"),
        pytest.param(np.array([(1.0, 1, 0), (1, 1, 0)]), id="everything on one line"),
        pytest.param(np.full((2, 3), np.nan), id="not a number"),
        pytest.param(np.array([(1.0, 0, np.inf), (0, 1, 0)]), id="infinitely far"),
    ],
)
def test_inverse_refuses_a_map_without_a_way_back(hopeless):
    with pytest.raises(DegenerateLandmarks, match="no area"):
        inverse(hopeless)


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_an_upright_frame_puts_the_landmarks_on_the_template(face_at, size):
    face = face_at(300, 200, size=77, degrees=120)
    assert transform_points(face.landmarks, Upright(size).matrix(face)) == pytest.approx(FFHQ_512 * size / 512)


def test_an_upright_frame_needs_landmarks():
    with pytest.raises(DegenerateLandmarks, match="no landmarks"):
        Upright().matrix(Face(Box(0, 0, 50, 50), 0.9))


def test_a_surrounded_frame_shows_the_box_and_its_margin():
    matrix = Surrounded(512, margin=0.5).matrix(Face(Box(100, 100, 200, 150), 0.9))
    around = transform_points(np.array([(50.0, 25.0), (250.0, 225.0)]), matrix)
    assert around == pytest.approx(np.array([(0, 0), (512, 512)]))


@pytest.mark.parametrize("degrees", [0, 45, 90, 180, -170, -90, 30.5])
@pytest.mark.parametrize("size", [512, (512, 512), (448, 576), (640, 256)], ids=str)
def test_a_surrounded_frame_shows_a_tilted_head_upright_and_undistorted(face_at, degrees, size):
    face = face_at(300, 200, size=100, degrees=degrees)
    landmarks = transform_points(face.landmarks, Surrounded(size, margin=0.5, degrees=degrees).matrix(face))
    width, height = width_and_height(size)
    scale = min(width, height) / 200
    assert landmarks == pytest.approx((FFHQ_512 - 256) / 512 * 100 * scale + (width / 2, height / 2))


@pytest.mark.parametrize(
    ("size", "left_top"),
    [((512, 512), (50, 25)), ((256, 256), (50, 25)), ((512, 256), (0, 50)), ((256, 512), (50, -75))],
    ids=str,
)
def test_a_surrounded_frame_of_any_shape_holds_the_box_and_its_margin_in_its_middle(size, left_top):
    matrix = Surrounded(size, margin=0.5).matrix(Face(Box(100, 100, 200, 150), 0.9))
    middle = np.array((150.0, 125.0))
    seen = transform_points(np.array([left_top, middle, 2 * middle - left_top]), matrix)
    assert seen == pytest.approx(np.array([(0, 0), (size[0] / 2, size[1] / 2), size]))


@pytest.mark.parametrize(
    ("degrees", "extent"),
    [
        (0, (200, 150)),
        (44, (200, 150)),
        (-44, (200, 150)),
        (46, (150, 200)),
        (90, (150, 200)),
        (-90, (150, 200)),
        (134, (150, 200)),
        (136, (200, 150)),
        (180, (200, 150)),
        (-170, (200, 150)),
        (-270, (150, 200)),
    ],
)
@pytest.mark.parametrize("size", [64, (512, 256)], ids=str)
def test_the_extent_of_a_surrounded_frame_is_that_of_the_head_once_it_stands(degrees, extent, size):
    assert Surrounded(size, 0.5, degrees).extent(Face(Box(100, 100, 200, 150), 0.9)) == extent


@pytest.mark.parametrize(
    ("degrees", "size", "seen"),
    [
        (0, (300, 300), ((0, 50), (300, 250))),
        (90, (300, 300), ((50, 0), (250, 300))),
        (-90, (300, 300), ((50, 0), (250, 300))),
        (90, (400, 300), ((100, 0), (300, 300))),
        (-90, (200, 400), ((0, 50), (200, 350))),
        (180, (300, 400), ((0, 100), (300, 300))),
    ],
)
def test_a_surrounded_frame_holds_a_head_that_lies_and_its_margin_wholly(degrees, size, seen):
    matrix = Surrounded(size, margin=0.25, degrees=degrees).matrix(Face(Box(100, 100, 200, 150), 0.9))
    corners = transform_points(Box(75, 75, 225, 175).corners, matrix)
    assert np.array((corners.min(0), corners.max(0))) == pytest.approx(np.array(seen))


@pytest.mark.parametrize("size", [(96, 40), (40, 96), 64], ids=str)
def test_a_cut_is_as_wide_and_high_as_asked(picture, size):
    width, height = width_and_height(size)
    crop = cut(picture, translate(np.eye(2, 3), (-40, -30)), size)
    assert (crop.image == picture[30 : 30 + height, 40 : 40 + width]).all()


@pytest.mark.parametrize("box", [Box(5, 5, 5, 5), Box(9, 9, 3, 3)], ids=["empty", "inside out"])
def test_a_surrounded_frame_refuses_a_box_without_extent(box):
    with pytest.raises(DegenerateLandmarks, match="no area"):
        Surrounded().matrix(Face(box, 0.9))


def test_a_crop_keeps_the_way_it_was_cut_by(picture):
    matrix = translate(np.eye(2, 3), (-40, -30))
    crop = cut(picture, matrix, 64)
    assert crop.matrix is matrix
    assert (crop.image == picture[30:94, 40:104]).all()
