import numpy as np
import pytest

from lib_facefix.planning.plan import FaceJob, Outcome
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Pose
from lib_facefix.visualize import (
    FACE_SIDE,
    GREEN,
    IMAGE_SIDE,
    MARGIN,
    MAX_STRIPS,
    Pair,
    crop_around,
    draw_boxes,
    draw_sheet,
    draw_strips,
    tint_mask,
)


def before_after(pairs):
    """Return a sheet with all strips of the pairs."""
    return draw_sheet([strip for pair in pairs for strip in draw_strips(pair)])


def outcomes(faces, verdict="fixed"):
    return tuple(
        Outcome(FaceJob(n, face, "restore", "", Treatment(), Pose(0, 0, 0), 0.5), verdict)
        for n, face in enumerate(faces, start=1)
    )


@pytest.fixture
def pair(picture, face_at):
    return Pair("family.jpg", picture, 255 - picture, outcomes([face_at(300, 200), face_at(600, 400)]))


def test_boxes_landmarks_and_numbers_are_drawn_on_a_copy(picture, face_at):
    before, face = picture.copy(), face_at(300, 200)
    drawn = draw_boxes(picture, [(1, face), (12, face_at(5, 5))])
    assert (drawn.shape, drawn.dtype) == (picture.shape, np.uint8)
    assert (picture == before).all()
    assert (drawn[200, 240] == GREEN).all()  # the left edge of the box
    x, y = face.landmarks[2].astype(int)
    assert (drawn[y, x] == GREEN).all()
    assert (drawn[400:] == picture[400:]).all()


def test_without_faces_nothing_is_drawn(picture):
    assert (draw_boxes(picture, []) == picture).all()


def test_a_sheet_shows_the_picture_and_its_faces_before_and_after(pair):
    arrays = pair.before.copy(), pair.after.copy()
    sheet = before_after([pair])
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] >= 4 * FACE_SIDE + 2 * MARGIN
    assert sheet.shape[0] >= IMAGE_SIDE * 600 // 800 + FACE_SIDE + 2 * MARGIN
    assert (pair.before == arrays[0]).all()
    assert (pair.after == arrays[1]).all()


def test_each_fixed_face_takes_room_and_others_none(picture, face_at):
    faces = [face_at(100 + 150 * i, 300) for i in range(5)]
    heights = [
        before_after([Pair("", picture, picture, outcomes(faces[:count], verdict))]).shape[0]
        for count, verdict in ((0, "fixed"), (5, "left"), (5, "failed"), (1, "fixed"), (3, "fixed"))
    ]
    assert heights[0] == heights[1] == heights[2] < heights[3] < heights[4]


def test_a_sheet_has_an_end_however_many_faces_there_are(picture, face_at):
    full = before_after([Pair("", picture, picture, outcomes([face_at(300, 200)] * MAX_STRIPS))])
    over = before_after([Pair("", picture, picture, outcomes([face_at(300, 200)] * (MAX_STRIPS + 9)))])
    assert full.shape == over.shape


def test_a_sheet_of_nothing_is_a_picture_all_the_same():
    assert min(before_after([]).shape[:2]) > 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (3000, 1, 3)], ids=str)
def test_odd_pictures_can_be_shown(shape, face_at):
    image = np.zeros(shape, np.uint8)
    assert before_after([Pair("odd", image, image, outcomes([face_at(0, 0, size=3)]))]).ndim == 3
    assert draw_boxes(image, [(1, face_at(0, 0, size=3))]).shape == shape


def test_an_enlarged_picture_is_shown_whole_beside_its_smaller_original():
    before = np.zeros((100, 200, 3), np.uint8)
    after = np.zeros((200, 400, 3), np.uint8)
    after[-1] = 255  # the last row must not be cut off
    [strip] = draw_strips(Pair("one", before, after, ()))

    assert strip.size[1] >= 200
    assert np.array(strip)[-1, 400 + MARGIN : 800 + MARGIN].min() == 255


def test_what_may_change_is_tinted_on_a_copy(picture):
    before, mask = picture.copy(), np.zeros(picture.shape[:2], np.float32)
    mask[100:200, 50:60] = 1
    tinted = tint_mask(picture, mask)
    assert tinted.dtype == np.uint8
    assert (picture == before).all()
    assert ((tinted != picture).any(axis=2) == (mask > 0)).mean() > 0.99
    assert (tinted[mask == 0] == picture[mask == 0]).all()
    assert tinted[150, 55, 0] > tinted[150, 55, 1]


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        pytest.param(Box(100, 100, 200, 300), (340, 170, 3), id="with room on all sides"),
        pytest.param(Box(-50, -50, 50, 50), (85, 85, 3), id="partly outside"),
        pytest.param(Box(5000, 5000, 5100, 5100), (1, 1, 3), id="outside"),
    ],
)
def test_the_part_around_a_face_lies_inside_the_picture(picture, box, shape):
    assert crop_around(picture, box).shape == shape
