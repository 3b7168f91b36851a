"""Faces from landmarks: tilt, and five points from fewer."""

from dataclasses import replace

import numpy as np

from ..types import Box, Face, Points

MOUTH_WIDTH = 0.888
"""Width of the mouth in distances between the eyes, from facexlib's FFHQ template."""


def make_face(corners: Points, score: float, landmarks: Points | None = None) -> Face:
    """Return a face from the (2, 2) corners of its box, tilted like its (5, 2) landmarks."""
    (left, top), (right, bottom) = corners.tolist()
    return Face(Box(left, top, right, bottom), score, landmarks, 0.0 if landmarks is None else tilt_of(landmarks))


def tilt_of(landmarks: Points) -> float:
    """Return the clockwise tilt of the head in degrees, from (5, 2) landmarks, eyes first."""
    x, y = landmarks[1] - landmarks[0]
    return float(np.degrees(np.arctan2(y, x)))


def five_of(eyes: Points, nose: Points, mouth: Points) -> Points:
    """Return (5, 2) landmarks from (2, 2) eyes, the left one first, the nose, and the middle of the mouth."""
    half_mouth = (eyes[1] - eyes[0]) * (MOUTH_WIDTH / 2)
    return np.stack([*eyes, nose, mouth - half_mouth, mouth + half_mouth])


def move_face(face: Face, x: float, y: float) -> Face:
    """Return the face with its box and landmarks moved by (x, y) pixels."""
    box = Box(face.box.left + x, face.box.top + y, face.box.right + x, face.box.bottom + y)
    return replace(face, box=box, landmarks=None if face.landmarks is None else face.landmarks + np.array((x, y)))


def scale_face(face: Face, across: float, down: float) -> Face:
    """Return the face of an image that is enlarged by these factors."""
    box = Box(face.box.left * across, face.box.top * down, face.box.right * across, face.box.bottom * down)
    return replace(
        face, box=box, landmarks=None if face.landmarks is None else face.landmarks * np.array((across, down))
    )
