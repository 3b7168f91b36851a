"""Measurements of a face before it is fixed: head pose and sharpness."""

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
"""Mesh points that span the head, from the viewer's left to right and from top to bottom."""
PITCH_BIAS = -4.0
"""Pitch that these points give for a frontal face, in degrees."""
NOSE_LENGTH = 0.6
"""Length by which the nose protrudes, relative to the distance from eyes to mouth."""
DETAIL_SIDE = 256
"""Side of the upright crop for measuring sharpness, in pixels; the face is about 130 px wide."""
OCTAVES = (0.7, 1.4, 2.8, 5.6)
"""Sigmas of the Gaussian filters that separate octaves, in pixels."""
NOISE_FLOOR, NOISE = 1.5, 4.0
"""Limits below which detail counts as noise: in grey levels (0..255), and in medians of the octave."""
SHARP_RATIO = 0.26
"""Ratio of fine to coarse detail in the sharpest photos (0.13 to 0.27 in 23 faces), which has sharpness 1."""


def pose(face: Face) -> Pose:
    """Return the head pose from the mesh, roughly from the landmarks, or only the tilt from the detector."""
    if face.mesh is not None:
        return _pose_of_mesh(face.mesh)
    if face.landmarks is not None:
        return _pose_of_landmarks(face.landmarks)
    return Pose(0.0, 0.0, face.tilt)


def sharpness(image: Image, face: Face) -> float:
    """Return the sharpness of a face, from 0 (blurred) to 1 (crisp).

    image: RGB (H, W, 3), uint8. Compares the finest octave with the one two octaves coarser, in an upright crop of
    `DETAIL_SIDE`: blur removes the finest octave first. Detail is sparse but noise is everywhere, so only values above
    the octave's median count. A face much smaller than the crop cannot be sharp.
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
    """Return the median. `np.median` would import `np.ma`, which takes 50 ms."""
    middle = [(values.size - 1) // 2, values.size // 2]
    return float(np.mean(np.partition(values, middle, axis=None)[middle]))


def _frame(face: Face) -> NDArray[np.float64]:
    try:
        return Upright(DETAIL_SIDE).matrix(face)
    except DegenerateLandmarks:
        return Surrounded(DETAIL_SIDE).matrix(face)


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
