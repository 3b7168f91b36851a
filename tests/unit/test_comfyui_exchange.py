"""Faces as SEGS of Impact Pack and as bounding boxes of ComfyUI."""

from collections import namedtuple

import numpy as np
import pytest

from lib_facefix.comfyui import exchange
from lib_facefix.comfyui.exchange import crop_region, read_bounding_boxes, read_segs, to_bounding_boxes, to_segs
from lib_facefix.errors import BadPicture, BadPlan
from lib_facefix.planning.planner import make_plan
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.types import Box, Face

FIELDS = ["cropped_image", "cropped_mask", "confidence", "crop_region", "bbox", "label", "control_net_wrapper"]
Foreign = namedtuple("Foreign", FIELDS, defaults=[None])


def test_a_face_becomes_a_segment_with_its_part_of_the_mask(picture, face_at):
    plan = make_plan(picture, [face_at(200, 150, size=100, score=0.8)], FaceSettings())
    mask = np.zeros((600, 800), np.float32)
    mask[120:180, 170:230] = 1
    (height, width), [seg] = to_segs(plan.size, plan.jobs, lambda job: mask, 2.0)
    assert (height, width) == (600, 800)
    assert seg.bbox == (150, 100, 250, 200)
    assert seg.crop_region == (100, 50, 300, 250)
    assert seg.cropped_mask.shape == (200, 200)
    assert seg.cropped_mask.sum() == 60 * 60
    assert (seg.cropped_mask[70, 70], seg.cropped_mask[69, 70]) == (1, 0)
    assert (seg.confidence, seg.label) == (0.8, "face")
    assert list(seg._fields) == FIELDS


@pytest.mark.parametrize(
    ("box", "region"),
    [
        pytest.param(Box(300, 200, 400, 300), (200, 100, 500, 400), id="inside"),
        pytest.param(Box(0, 0, 100, 100), (0, 0, 300, 300), id="moved in at the corner"),
        pytest.param(Box(700, 500, 800, 600), (500, 300, 800, 600), id="moved in at the other corner"),
        pytest.param(Box(200, 100, 600, 500), (0, 0, 800, 600), id="larger than the image"),
    ],
)
def test_a_crop_region_stays_inside_the_image(box, region):
    assert crop_region(box, (800, 600), 3.0) == region


def test_segments_of_impact_pack_become_faces_also_at_another_size():
    seg = Foreign(None, np.ones((4, 4)), np.array([0.9], np.float32), (0, 0, 100, 100), np.array([10, 20, 50, 80]), "x")
    [face] = read_segs(((300, 400), [seg]), (800, 600))
    assert face.box == Box(20, 40, 100, 160)
    assert face.score == pytest.approx(0.9)


def test_segments_of_another_image_are_refused():
    with pytest.raises(BadPlan, match="an image of 400x300 px, but this one has 300x400 px"):
        read_segs(((300, 400), []), (300, 400))
    with pytest.raises(BadPlan, match="not the SEGS of Impact Pack"):
        read_segs([1, 2, 3], (300, 400))


def test_segs_are_of_one_image(picture):
    assert exchange.check_single([picture]) is picture
    with pytest.raises(BadPicture, match="SEGS describe one image, but the batch has 2"):
        exchange.check_single([picture, picture])


def test_bounding_boxes_come_back(face_at):
    faces = [(face_at(200, 150, size=100, score=0.5),), ()]
    boxes = to_bounding_boxes(faces)
    assert boxes == [[{"x": 150, "y": 100, "width": 100, "height": 100, "score": 0.5, "label": "face"}], []]
    back = read_bounding_boxes(boxes, 2)
    assert [[(face.box, face.score) for face in found] for found in back] == [[(Box(150, 100, 250, 200), 0.5)], []]


@pytest.mark.parametrize(
    "given", [{"x": 1, "y": 2, "width": 3, "height": 4}, [{"x": 1, "y": 2, "width": 3, "height": 4}]]
)
def test_one_box_or_one_list_counts_for_every_image(given):
    assert [[face.box for face in found] for found in read_bounding_boxes(given, 3)] == [[Box(1, 2, 4, 6)]] * 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("text", "must be a list, not 'text'"),
        ([{"x": 1}], "needs numbers x, y, width and height"),
        ([5], "needs numbers x, y, width and height"),
        ([{"x": 1, "y": 1, "width": 0, "height": 4}], "width and height above 0"),
        ([[], [], []], "bounding boxes for 3 images, but 2 images"),
    ],
)
def test_other_data_are_refused(given, said):
    with pytest.raises(BadPlan, match=said):
        read_bounding_boxes(given, 2)


def test_small_faces_are_dropped_as_impact_pack_does():
    faces = [Face(Box(0, 0, 10, 30), 0.9), Face(Box(0, 0, 11, 30), 0.9)]
    assert list(exchange.iterate_large(faces, 10)) == faces[1:]
