"""How alike the faces of two images are. Embeddings never leave this file: it returns distances.

`python -m benchmarks.likeness` measured the limits; docs/compare.md has the figures and what they mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..models.store import ModelStore
from ..planning.plan import FaceJob
from ..registry import EMBEDDINGS, GUARDING
from ..types import Image
from .embedding import CHIP, Embedder, Embedding, cut_chip

MIN_SIZE = 32
"""Smallest face that can be compared, in pixels of the longer side of its box."""
MAX_YAW, MAX_PITCH = 45.0, 35.0
"""Largest turn to the side, and up or down, of a face to compare, in degrees. Not measured: a cautious choice."""
BLUR = 2.0
"""Sigma of the blur that shows how much detail a face has, in pixels of the chip."""
MIN_DETAIL = 0.075
"""Shortest distance by which that blur must move the embedding: a face that is blurred already hardly moves."""
NO_LANDMARKS, TOO_BLURRED = "the detector found no usable landmarks", "too blurred"
"""Reasons for which a face cannot be measured."""
ALIKE, UNALIKE = 0.45, 0.6
"""Distance below which faces are alike, and from which they are not alike."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The distance between a face of the first and a face of the second image."""

    first: int
    """Number of the face in the first image."""
    second: int
    """Number of the face in the second image."""
    distance: float | None
    """Distance of the embeddings, from 0 (same image) to about 1.4; None if a face cannot be measured."""

    @property
    def verdict(self) -> str:
        """The distance in words: "alike", "somewhat alike", "not alike", or "unmeasured"."""
        if self.distance is None:
            return "unmeasured"
        return "alike" if self.distance < ALIKE else "somewhat alike" if self.distance < UNALIKE else "not alike"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The likeness of all faces of two images."""

    pairs: tuple[Likeness, ...]
    """Every face of the first image with every face of the second, in order of their numbers."""
    unmeasured: tuple[Mapping[int, str], Mapping[int, str]]
    """Why faces of the first and of the second image cannot be measured, by number, as phrases for people."""


def compare_images(
    store: ModelStore, first: Image, first_faces: Sequence[FaceJob], second: Image, second_faces: Sequence[FaceJob]
) -> Comparison:
    """Return the likeness of every face of the first image with every face of the second.

    store: caches the network. first, second: RGB (H, W, 3), uint8, in which the faces were found. Raises `BadModel`.
    """
    embedder = store.load(EMBEDDINGS, GUARDING)
    sides = []
    for image, faces in ((first, first_faces), (second, second_faces)):
        sides.append(
            {job.number: measure_face(embedder, image, job) for job in sorted(faces, key=lambda one: one.number)}
        )
    ours, theirs = sides
    pairs = tuple(
        Likeness(number, other, _measure_distance(one, another))
        for number, one in ours.items()
        for other, another in theirs.items()
    )
    without = [{number: found for number, found in side.items() if isinstance(found, str)} for side in sides]
    return Comparison(pairs, (without[0], without[1]))


def measure_face(embedder: Embedder, image: Image, job: FaceJob) -> Embedding | str:
    """Return the embedding of a face, or why it cannot be measured, as a phrase for people.

    image: RGB (H, W, 3), uint8, in which the face was found.
    """
    if obstacle := find_obstacle(job):
        return obstacle
    chip = cut_chip(image, job.face, embedder)
    if chip is None:
        return NO_LANDMARKS
    found = embedder.embed_chip(chip)
    detail = np.linalg.norm(found - embedder.embed_chip(blur_chip(chip)))
    return TOO_BLURRED if detail < MIN_DETAIL else found


def find_obstacle(job: FaceJob) -> str:
    """Return why a face cannot be measured by its size or pose, as a phrase for people; blank if it may be."""
    size, yaw, pitch = job.face.box.size, abs(job.pose.yaw), abs(job.pose.pitch)
    if size < MIN_SIZE:
        return f"too small ({size:.0f} px; at least {MIN_SIZE} px are needed)"
    if yaw > MAX_YAW:
        return f"turned to the side ({yaw:.0f} degrees; at most {MAX_YAW:.0f})"
    if pitch > MAX_PITCH:
        return f"turned {'up' if job.pose.pitch > 0 else 'down'} ({pitch:.0f} degrees; at most {MAX_PITCH:.0f})"
    return ""


def blur_chip(chip: Image) -> Image:
    """Return a chip, RGB (side, side, 3), blurred. How far that moves its embedding is the detail of the face."""
    return np.asarray(cv2.GaussianBlur(chip, (0, 0), BLUR * chip.shape[0] / CHIP), np.uint8)


def _measure_distance(one: Embedding | str, other: Embedding | str) -> float | None:
    """Return the distance of two embeddings, or None if a face could not be measured."""
    if isinstance(one, str) or isinstance(other, str):
        return None
    return float(np.linalg.norm(one - other))
