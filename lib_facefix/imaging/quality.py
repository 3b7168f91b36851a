"""What can be said of a face before it is fixed: where it looks, how sharp it is."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DegenerateLandmarks
from ..types import Face, Image, Mesh, Points, Pose
from .align import FFHQ_512, rotation, transform_points
from .frames import Surrounded, Upright
from .resample import warp

CHEEK_TO_CHEEK = (234, 454)
FOREHEAD_TO_CHIN = (10, 152)
"""Points of the mesh that span the head, from the viewer's left and from the top."""
LEANING = -4.0
"""Pitch in degrees that those points alone would give a face looking straight ahead."""
NOSE_LENGTH = 0.6
"""How far the nose stands out, in distances from eyes to mouth."""
DETAIL_SIDE = 256
"""Pixels of the upright crop in which sharpness is measured: about 130 px across the face."""
OCTAVES = (0.7, 1.4, 2.8, 5.6)
"""Sigmas in pixels between which the octaves lie."""
NOISE_FLOOR, NOISE = 1.5, 4.0
"""Detail weaker than this is taken for noise: in steps of 255, and in medians of the octave."""
SHARP_RATIO = 0.26
"""The finest octave's strength, as a part of the coarser one's, of the crispest photos (23 faces: 0.13 .. 0.27)."""


def pose(face: Face) -> Pose:
    """Return where the face looks: from its mesh, else roughly from its landmarks, else from the detector's tilt."""
    if face.mesh is not None:
        return _pose_of_mesh(face.mesh)
    if face.landmarks is not None:
        return _pose_of_landmarks(face.landmarks)
    return Pose(0.0, 0.0, face.tilt)


def sharpness(image: Image, face: Face) -> float:
    """Return how much of the finest detail the face has, 0 (none) .. 1.

    The strength of its finest octave against that two octaves coarser, in an upright crop of `DETAIL_SIDE`; both
    fall off alike in a sharp picture, blur takes the finest first. Detail is sparse, noise is everywhere: what does not
    stand out from the octave's median does not count. A face much smaller than the crop cannot be sharp.
    """
    crop = warp(image, _frame(face), (DETAIL_SIDE, DETAIL_SIDE))
    inner = slice(DETAIL_SIDE // 5, DETAIL_SIDE - DETAIL_SIDE // 8)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[inner, inner].astype(np.float32)
    blurred = [cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in OCTAVES]
    finest, coarse = blurred[0] - blurred[1], blurred[2] - blurred[3]
    noise = max(NOISE_FLOOR, NOISE * _median(np.abs(finest)))
    detail = np.clip(np.abs(finest) - noise, 0, None)
    strength, ground = (float(np.sqrt(np.mean(band**2))) for band in (detail, coarse))
    return min(1.0, strength / ground / SHARP_RATIO) if ground > 0 else 0.0


def _median(values: NDArray[np.float32]) -> float:
    """Return what `np.median` does, which would import all of `np.ma` (50 ms) to see whether they are masked."""
    middle = [(values.size - 1) // 2, values.size // 2]
    return float(np.mean(np.partition(values, middle, axis=None)[middle]))


def _frame(face: Face) -> NDArray[np.float64]:
    try:
        return Upright(DETAIL_SIDE).matrix(face)
    except DegenerateLandmarks:
        return Surrounded(DETAIL_SIDE).matrix(face)


def _pose_of_mesh(mesh: Mesh) -> Pose:
    """Return the angles of the head's own axes; x to the right, y down, z away from the viewer."""
    right, down = (mesh.points[last] - mesh.points[first] for first, last in (CHEEK_TO_CHEEK, FOREHEAD_TO_CHIN))
    roll = float(np.degrees(np.arctan2(right[1], right[0])))
    looks = np.cross(down, right)  # out of the face
    x, y = transform_points(looks[None, :2], rotation(-roll))[0]
    yaw = np.degrees(np.arctan2(x, -looks[2]))
    pitch = np.degrees(np.arctan2(-y, np.hypot(x, looks[2])))
    return Pose(float(yaw), float(pitch) - LEANING, roll)


def _pose_of_landmarks(landmarks: Points) -> Pose:
    """Return a rough pose: how far the nose has moved, as the head turned, off its place in a frontal face."""
    eyes = landmarks[1] - landmarks[0]
    roll = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
    x, y = _nose_place(transform_points(landmarks, rotation(-roll)))
    straight_x, straight_y = _nose_place(FFHQ_512)
    yaw, pitch = np.degrees(np.arcsin(np.clip(np.array([x - straight_x, straight_y - y]) / NOSE_LENGTH, -1, 1)))
    return Pose(float(yaw), float(pitch), roll)


def _nose_place(landmarks: Points) -> tuple[float, float]:
    """Return the nose's place from between the eyes, in distances from eyes to mouth."""
    eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    length = float(np.hypot(*(mouth - eyes))) or 1.0
    x, y = (landmarks[2] - eyes) / length
    return float(x), float(y)
