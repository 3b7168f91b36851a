"""Faces of two batches of images, compared in pairs."""

from dataclasses import dataclass

import numpy as np
import pytest

from lib_facefix.analysis.likeness import Comparison, Likeness
from lib_facefix.comfyui.likeness import Match, Report, compare_batches, match_faces, overlap
from lib_facefix.errors import BadPicture, FaceFixError
from lib_facefix.types import Box


@dataclass
class Job:
    number: int
    face: object


def compared(*pairs, unmeasured=({}, {})):
    return Comparison(tuple(Likeness(*pair) for pair in pairs), unmeasured)


def test_boxes_overlap_by_their_shared_part():
    assert overlap(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0


def test_the_face_at_the_same_place_is_the_counterpart_even_if_another_is_more_alike(face_at):
    left, right = Job(1, face_at(100, 100)), Job(2, face_at(400, 100))
    pairs = compared((1, 1, 0.7), (1, 2, 0.2), (2, 1, 0.3), (2, 2, 0.1))
    found = list(match_faces(pairs, [left, right], [left, right], same_size=True))
    assert [(pair.first, pair.second, pair.distance) for pair in found] == [(1, 1, 0.7), (2, 2, 0.1)]


def test_in_another_photo_the_most_alike_face_is_the_counterpart(face_at):
    left, right = Job(1, face_at(100, 100)), Job(2, face_at(400, 100))
    pairs = compared((1, 1, 0.7), (1, 2, 0.2), (2, 1, None), (2, 2, None))
    found = list(match_faces(pairs, [left, right], [left, right], same_size=False))
    assert [(pair.first, pair.second) for pair in found] == [(1, 2)]  # face 2 cannot be measured


def test_the_figure_is_the_largest_distance():
    report = Report(
        (Match(1, Likeness(1, 1, 0.2)), Match(1, Likeness(2, 2, 0.5))), ("second image, face 3: too small",)
    )
    assert report.distance == 0.5
    assert report.describe(many=False).splitlines()[:3] == [
        "face 1 and face 1: distance 0.200, alike",
        "face 2 and face 2: distance 0.500, somewhat alike",
        "second image, face 3: too small",
    ]
    assert report.describe(many=True).startswith("image 1, face 1")


def test_nothing_to_measure_is_explained():
    with pytest.raises(FaceFixError, match="first image, face 1: too blurred"):
        _ = Report((Match(1, Likeness(1, 1, None)),), ("first image, face 1: too blurred",)).distance
    with pytest.raises(FaceFixError, match="no face was found in one of the images"):
        _ = Report((), ()).distance


def test_batches_must_have_as_many_images_or_one():
    images = [np.zeros((4, 4, 3), np.uint8)] * 3
    with pytest.raises(BadPicture, match="3 images cannot be compared with 2"):
        compare_batches(None, images, images[:2], None)
