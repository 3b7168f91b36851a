"""Measurements of a face before it is fixed: head pose. For its damage, see the folder `damage`."""

import numpy as np

from ..types import Face, Mesh, Points, Pose
from .align import FFHQ_512, rotation, transform_points

CHEEK_TO_CHEEK = (234, 454)
FOREHEAD_TO_CHIN = (10, 152)
"""Mesh points that span the head, from the viewer's left to right and from top to bottom."""
PITCH_BIAS = -4.0
"""Pitch that these points give for a frontal face, in degrees."""
NOSE_LENGTH = 0.6
"""Length by which the nose protrudes, relative to the distance from eyes to mouth."""


def pose(face: Face) -> Pose:
    """Return the head pose from the mesh, roughly from the landmarks, or only the tilt from the detector."""
    if face.mesh is not None:
        return _pose_of_mesh(face.mesh)
    if face.landmarks is not None:
        return _pose_of_landmarks(face.landmarks)
    return Pose(0.0, 0.0, face.tilt)


def _pose_of_mesh(mesh: Mesh) -> Pose:
    """Return the head pose from a mesh; x points right, y down, and z away from the viewer."""
    right, down = (mesh.points[last] - mesh.points[first] for first, last in (CHEEK_TO_CHEEK, FOREHEAD_TO_CHIN))
    roll = float(np.degrees(np.arctan2(right[1], right[0])))
    looks = np.cross(down, right)  # direction in which the face looks
    x, y = transform_points(looks[None, :2], rotation(-roll))[0]
    yaw = np.degrees(np.arctan2(x, -looks[2]))
    pitch = np.degrees(np.arctan2(-y, np.hypot(x, looks[2])))
    return Pose(float(yaw), float(pitch) - PITCH_BIAS, roll)


def _pose_of_landmarks(landmarks: Points) -> Pose:
    """Return a rough head pose from the displacement of the nose relative to a frontal face."""
    eyes = landmarks[1] - landmarks[0]
    roll = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
    x, y = _nose_place(transform_points(landmarks, rotation(-roll)))
    straight_x, straight_y = _nose_place(FFHQ_512)
    yaw, pitch = np.degrees(np.arcsin(np.clip(np.array([x - straight_x, straight_y - y]) / NOSE_LENGTH, -1, 1)))
    return Pose(float(yaw), float(pitch), roll)


def _nose_place(landmarks: Points) -> tuple[float, float]:
    """Return the nose relative to the point between the eyes, in units of the distance from eyes to mouth."""
    eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    length = float(np.hypot(*(mouth - eyes))) or 1.0
    x, y = (landmarks[2] - eyes) / length
    return float(x), float(y)
