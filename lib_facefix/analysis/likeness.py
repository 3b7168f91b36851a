"""How alike the faces of two images are. Embeddings never leave this file: it returns distances.

Distances, limits and their meaning were measured as described in docs/compare.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..models.store import ModelStore
from ..planning.plan import FaceJob
from ..registry import EMBEDDINGS
from ..types import Image
from .embedding import Embedding

MIN_SIZE = 32
"""Smallest face that can be compared, in pixels of the longer side of its box."""
MIN_SHARPNESS = 0.02
"""Lowest sharpness of a face that can be compared (see `imaging.quality`), from 0 to 1."""
MAX_YAW, MAX_PITCH = 45.0, 35.0
"""Largest turn to the side, and up or down, of a face that can be compared, in degrees."""
ALIKE, UNALIKE = 0.5, 0.6
"""Distance below which faces are alike, and from which they are not alike."""


@dataclass(frozen=True, slots=True, eq=False)
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
        """The distance in words: "alike", "unclear", "not alike", or "unmeasured"."""
        if self.distance is None:
            return "unmeasured"
        return "alike" if self.distance < ALIKE else "unclear" if self.distance < UNALIKE else "not alike"


def compare_images(
    store: ModelStore, first: Image, first_faces: Sequence[FaceJob], second: Image, second_faces: Sequence[FaceJob]
) -> list[Likeness]:
    """Return the likeness of every face of the first image with every face of the second, in order of their numbers.

    store: caches the network. first, second: RGB (H, W, 3), uint8, in which the faces were found. Raises `BadModel`.
    """
    ours, theirs = (
        dict(_embed_faces(store, image, faces)) for image, faces in ((first, first_faces), (second, second_faces))
    )
    return [
        Likeness(number, other, _measure_distance(ours[number], theirs[other]))
        for number in sorted(ours)
        for other in sorted(theirs)
    ]


def explain_unmeasured(job: FaceJob) -> str:
    """Return why the face cannot be compared, as a phrase for people, or blank if it can."""
    if job.face.landmarks is None:
        return "the detector found no landmarks"
    if job.face.box.size < MIN_SIZE:
        return f"too small ({job.face.box.size:.0f} px; at least {MIN_SIZE} px are needed)"
    if abs(job.pose.yaw) > MAX_YAW:
        return f"turned to the side ({abs(job.pose.yaw):.0f} degrees; at most {MAX_YAW:.0f})"
    if abs(job.pose.pitch) > MAX_PITCH:
        return f"turned {'up' if job.pose.pitch > 0 else 'down'} ({abs(job.pose.pitch):.0f} degrees; at most {MAX_PITCH:.0f})"
    if job.sharpness < MIN_SHARPNESS:
        return f"too blurred (sharpness {job.sharpness:.2f}; at least {MIN_SHARPNESS:g})"
    return ""


def _embed_faces(store: ModelStore, image: Image, faces: Sequence[FaceJob]) -> Iterator[tuple[int, Embedding | None]]:
    """Yield the number of each face with its embedding, or with None if it cannot be measured."""
    embedder = store.load(EMBEDDINGS, "dlib")
    for job in faces:
        yield job.number, None if explain_unmeasured(job) else embedder.embed(image, job.face)


def _measure_distance(one: Embedding | None, other: Embedding | None) -> float | None:
    return None if one is None or other is None else float(np.linalg.norm(one - other))
