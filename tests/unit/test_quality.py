import numpy as np
import pytest

from lib_facefix.imaging.align import FFHQ_512, rotation, transform_points
from lib_facefix.imaging.quality import CHEEK_TO_CHEEK, FOREHEAD_TO_CHIN, PITCH_BIAS, pose
from lib_facefix.types import Box, Face, Mesh, Pose

BOX = Box(100, 100, 400, 400)


def face_with(landmarks):
    return Face(BOX, 0.9, landmarks)


@pytest.mark.parametrize("degrees", [-170, -90, -30, 0, 12.5, 90, 179])
def test_turning_the_landmarks_turns_the_roll(degrees):
    straight = pose(face_with(FFHQ_512))
    seen = pose(face_with(transform_points(FFHQ_512, rotation(degrees, 0.4))))
    assert seen.roll - straight.roll == pytest.approx(degrees, abs=0.2)
    assert (seen.yaw, seen.pitch) == pytest.approx((straight.yaw, straight.pitch), abs=1e-6)


def test_the_template_looks_straight_ahead():
    seen = pose(face_with(FFHQ_512))
    assert (seen.yaw, seen.pitch, seen.roll) == pytest.approx((0, 0, 0), abs=0.5)


@pytest.mark.parametrize(
    ("nose", "axis", "sign"),
    [((40, 0), "yaw", 1), ((-40, 0), "yaw", -1), ((0, -30), "pitch", 1), ((0, 30), "pitch", -1)],
    ids=["right", "left", "up", "down"],
)
def test_a_nose_out_of_place_tells_where_the_face_looks(nose, axis, sign):
    landmarks = FFHQ_512.copy()
    landmarks[2] += nose
    assert getattr(pose(face_with(landmarks)), axis) * sign > 10


def test_landmarks_in_one_point_have_some_pose():
    assert all(np.isfinite([*(getattr(pose(face_with(np.full((5, 2), 7.0))), axis) for axis in Pose.__slots__)]))


def test_without_landmarks_the_detectors_tilt_is_the_roll():
    assert pose(Face(BOX, 0.9, tilt=33.0)) == Pose(0.0, 0.0, 33.0)


@pytest.mark.parametrize("degrees", [-100, 0, 45], ids=lambda degrees: f"rolled {degrees}")
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (30, 0), (-20, 0), (0, 25), (0, -15)])
def test_a_mesh_tells_where_the_head_looks(yaw, pitch, degrees):
    y, p = np.radians([yaw, pitch + PITCH_BIAS])
    right = np.array([np.cos(y), 0, np.sin(y)])
    out = np.array([np.sin(y) * np.cos(p), -np.sin(p), -np.cos(y) * np.cos(p)])
    down = np.cross(right, out)
    points = np.zeros((468, 3))
    for (first, last), axis in ((CHEEK_TO_CHEEK, right), (FOREHEAD_TO_CHIN, down)):
        points[first], points[last] = -50 * axis, 50 * axis
    points[:, :2] = transform_points(points[:, :2], rotation(degrees))
    seen = pose(Face(BOX, 0.9, FFHQ_512, mesh=Mesh(points, 0.9)))
    assert (seen.yaw, seen.pitch, seen.roll) == pytest.approx((yaw, pitch, degrees), abs=0.1)
