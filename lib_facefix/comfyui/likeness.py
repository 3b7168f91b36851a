"""How alike the faces of two batches of images are. Needs no ComfyUI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BadPicture, FaceFixError

if TYPE_CHECKING:
    from ..analysis.likeness import Comparison, Likeness
    from ..facefix import FaceFix
    from ..planning.plan import FaceJob
    from ..settings.face_settings import FaceSettings
    from ..types import Box, Image

MIN_OVERLAP = 0.3
"""Overlap (intersection over union) of two boxes from which they show the same face before and after."""
CAVEAT = "Likeness is no evidence of who someone is."


@dataclass(frozen=True, slots=True)
class Match:
    """A face of the first image, and the face of the second that it is compared with."""

    image: int
    """Number of the image in the batch, from 1."""
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Report:
    """The comparison of two batches."""

    matches: tuple[Match, ...]
    unmeasured: tuple[str, ...]
    """Sentences about faces that could not be measured."""

    @property
    def distance(self) -> float:
        """Largest distance of all matches, 0 (same image) to about 1.4; raises `FaceFixError` if there is none."""
        distances = [match.likeness.distance for match in self.matches if match.likeness.distance is not None]
        if not distances:
            raise FaceFixError("; ".join(self.unmeasured) or "no face was found in one of the images")
        return max(distances)

    def describe(self, many: bool) -> str:
        """Return a line for each pair. many: whether the batch has several images."""
        return "\n".join([*(_describe(match, many) for match in self.matches), *self.unmeasured, CAVEAT])


def compare_batches(engine: FaceFix, first: Sequence[Image], second: Sequence[Image], settings: FaceSettings) -> Report:
    """Compare each image with its counterpart, or one image with all others.

    first, second: RGB (H, W, 3), uint8. Raises `BadPicture` if the numbers of images differ and neither is 1.
    """
    from ..analysis.likeness import compare_images

    if len(first) != len(second) and 1 not in (len(first), len(second)):
        raise BadPicture(f"{len(first)} images cannot be compared with {len(second)}. Connect as many, or one image")
    count = max(len(first), len(second))
    matches: list[Match] = []
    unmeasured: list[str] = []
    sides = [[engine.plan(image, settings).jobs for image in images] for images in (first, second)]
    for place in range(count):
        one, other = (place % len(images) for images in (first, second))
        faces, counterparts = sides[0][one], sides[1][other]
        compared = compare_images(engine.models, first[one], faces, second[other], counterparts)
        same_size = first[one].shape == second[other].shape
        matches += [Match(place + 1, pair) for pair in match_faces(compared, faces, counterparts, same_size=same_size)]
        unmeasured += [
            f"{word} image{f' {place + 1}' if count > 1 else ''}, face {number}: {reason}"
            for word, reasons in zip(("first", "second"), compared.unmeasured, strict=True)
            for number, reason in reasons.items()
        ]
    return Report(tuple(matches), tuple(unmeasured))


def match_faces(
    compared: Comparison, faces: Sequence[FaceJob], counterparts: Sequence[FaceJob], *, same_size: bool
) -> Iterator[Likeness]:
    """Yield the best pair of each face of the first image: at the same place, or else the most alike.

    same_size: whether the images have the same size, so that places can be compared.
    """
    boxes: Mapping[int, Box] = {job.number: job.face.box for job in counterparts}
    for job in faces:
        pairs = [pair for pair in compared.pairs if pair.first == job.number]
        overlaps = {pair.second: overlap(job.face.box, boxes[pair.second]) if same_size else 0.0 for pair in pairs}
        at_place = [pair for pair in pairs if overlaps[pair.second] >= MIN_OVERLAP]
        if at_place:
            yield max(at_place, key=lambda pair: overlaps[pair.second])
        elif measured := [pair for pair in pairs if pair.distance is not None]:
            yield min(measured, key=lambda pair: pair.distance or 0.0)


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.area + other.area - shared) if shared else 0.0


def _describe(match: Match, many: bool) -> str:
    pair = match.likeness
    where = f"image {match.image}, " if many else ""
    shown = "not measured" if pair.distance is None else f"distance {pair.distance:.3f}, {pair.verdict}"
    return f"{where}face {pair.first} and face {pair.second}: {shown}"
