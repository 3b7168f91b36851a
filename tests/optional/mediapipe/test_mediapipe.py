"""mediapipe itself: `solutions` or Tasks, whichever the installed version has."""

import importlib.metadata

import numpy as np
import pytest

pytest.importorskip("mediapipe")

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.detectors.mediapipe import FullRange, ShortRange
from lib_facefix.errors import BadModel

VERSION = importlib.metadata.version("mediapipe")
COUNTS = {"astronaut": 1, "faceapi_sample3": 3, "faceapi_sample5": 5, "faceapi_sample6": 4}


def test_the_version_is_one_that_is_served():
    major, minor, patch = map(int, VERSION.split(".")[:3])
    assert (major, minor) == (0, 10)
    assert 13 <= patch <= 21 or 33 <= patch <= 34


@pytest.mark.parametrize(("name", "count"), COUNTS.items(), ids=COUNTS)
def test_faces_of_a_photo_are_found_where_the_built_in_net_finds_them(photo, name, count):
    picture = photo(name)
    built_in = FaceFix().detect(picture)
    faces = FullRange().detect(picture, 0.5)
    assert 0 < len(faces) <= count
    for face in faces:
        twin = min(built_in, key=lambda other: np.hypot(*np.subtract(other.box.centre, face.box.centre)))
        assert np.hypot(*np.subtract(twin.box.centre, face.box.centre)) < 0.15 * twin.box.size
        assert np.abs(face.landmarks[:2] - twin.landmarks[:2]).max() < 0.25 * twin.box.size


def test_the_short_range_net_finds_a_large_face(photo):
    [face] = ShortRange().detect(photo("astronaut"), 0.5)
    assert 60 < face.box.size < 160


def test_through_the_settings(photo):
    assert len(FaceFix().detect(photo("faceapi_sample6"), FaceSettings(detector="mediapipe_face_full"))) == 4


def test_what_mediapipe_refuses_is_an_error_and_not_no_faces(photo):
    with pytest.raises(BadModel, match=r"mediapipe .* failed"):
        FullRange().detect(photo("astronaut"), "sure")


def test_no_socket_is_opened(photo, sockets_of):
    detector, picture = FullRange(), photo("faceapi_sample5")
    assert sockets_of(lambda: detector.detect(picture, 0.5)) == []
