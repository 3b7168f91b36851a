import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.imaging.boxes import bounding, clip, grow, iou, nms, nms_faces, overlap, same_face
from lib_facefix.types import Box, Face

places = st.integers(-100, 100)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), places, places, st.integers(1, 90), st.integers(1, 90))


def test_a_box_knows_its_measures():
    box = Box(10, 20, 40, 30)
    assert (box.width, box.height, box.area, box.size, box.centre) == (30, 10, 300, 30, (25, 25))
    assert box.corners.tolist() == [[10, 20], [40, 20], [40, 30], [10, 30]]


def test_a_box_turned_inside_out_has_no_area():
    assert Box(10, 10, 5, 5).area == 0


@given(boxes)
def test_the_bounding_box_of_corners_is_the_box(box):
    assert bounding(box.corners) == box


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        pytest.param(Box(10, 10, 20, 20), Box(10, 10, 20, 20), id="within"),
        pytest.param(Box(-5, -6, 20, 90), Box(0, 0, 20, 50), id="over three edges"),
        pytest.param(Box(200, 10, 210, 20), Box(100, 10, 100, 20), id="outside"),
    ],
)
def test_clipping_keeps_what_is_inside(box, inside):
    assert clip(box, 100, 50) == inside


def test_growing_adds_a_share_on_each_side():
    assert grow(Box(10, 10, 20, 30), 0.5) == Box(5, 0, 25, 40)


@given(boxes, boxes)
def test_overlap_is_the_pixels_that_both_cover(a, b):
    covered = np.zeros((2, 300, 300), bool)
    for layer, box in zip(covered, (a, b), strict=True):
        layer[box.top + 100 : box.bottom + 100, box.left + 100 : box.right + 100] = True
    both, either = np.logical_and(*covered).sum(), np.logical_or(*covered).sum()
    assert overlap(a, b) == overlap(b, a) == both
    assert iou(a, b) == pytest.approx(both / either)


def test_boxes_without_area_share_nothing():
    assert iou(Box(5, 5, 5, 5), Box(5, 5, 5, 5)) == 0


def corners_of(boxes):
    return np.array([[(box.left, box.top), (box.right, box.bottom)] for box in boxes], float).reshape(-1, 2, 2)


def test_suppression_keeps_the_best_of_each_face():
    same, inside, beside = Box(1, 1, 101, 101), Box(30, 30, 60, 60), Box(90, 0, 190, 100)
    corners, scores = corners_of([Box(0, 0, 100, 100), same, inside, beside]), [0.7, 0.9, 0.8, 0.6]
    assert nms(corners, scores, 0.5, of_smaller=True).tolist() == [1, 3]
    assert nms(corners, scores, 0.5).tolist() == [1, 2, 3]


def test_suppressing_nothing_gives_nothing():
    assert nms(corners_of([]), [], 0.5).tolist() == []
    assert nms_faces([]) == ()


@given(st.lists(st.tuples(boxes, st.floats(0, 1)), max_size=12))
def test_suppression_leaves_no_two_of_the_same_face_and_loses_none(found):
    faces = [Face(box, score) for box, score in found]
    kept = nms_faces(faces)
    assert [face.score for face in kept] == sorted((face.score for face in kept), reverse=True)
    assert not any(same_face(a.box, b.box) for a in kept for b in kept if a is not b)
    for face in faces:
        assert any(face is one or (same_face(face.box, one.box) and one.score >= face.score) for one in kept)


@given(st.lists(st.tuples(boxes, st.floats(1 / 64, 1, width=32)), min_size=1, max_size=12), st.sampled_from([0.4, 0.7]))
def test_suppression_by_iou_is_that_of_opencv(found, threshold):
    sizes = [(box.left, box.top, box.width, box.height) for box, _ in found]
    scores = [score for _, score in found]
    kept = cv2.dnn.NMSBoxes(sizes, scores, 0.0, threshold)
    assert nms(corners_of([box for box, _ in found]), scores, threshold).tolist() == list(kept)
