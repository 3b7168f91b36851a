import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.faces import Box
from lib_facefix.imaging.boxes import bounding, clip, grow, iou, overlap, suppress

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


def test_suppression_keeps_the_best_of_each_face():
    same, inside, beside = Box(1, 1, 101, 101), Box(30, 30, 60, 60), Box(90, 0, 190, 100)
    assert suppress([Box(0, 0, 100, 100), same, inside, beside], [0.7, 0.9, 0.8, 0.6], 0.5) == [1, 3]


def test_suppressing_nothing_gives_nothing():
    assert suppress([], [], 0.5) == []


@given(st.lists(st.tuples(boxes, st.floats(0, 1)), max_size=12))
def test_suppression_leaves_no_two_of_the_same_face_and_loses_none(found):
    all_boxes, scores = [box for box, _ in found], [score for _, score in found]
    kept = suppress(all_boxes, scores, 0.5)

    def alike(i, j):
        return overlap(all_boxes[i], all_boxes[j]) / min(all_boxes[i].area, all_boxes[j].area) > 0.5

    assert [scores[i] for i in kept] == sorted((scores[i] for i in kept), reverse=True)
    assert not any(alike(i, j) for i in kept for j in kept if i != j)
    for i in set(range(len(found))) - set(kept):
        assert any(alike(i, j) and scores[j] >= scores[i] for j in kept)
