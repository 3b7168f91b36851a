"""Faces as the types of other packs: SEGS of Impact Pack, and bounding boxes of ComfyUI. Needs no ComfyUI."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import BadPicture, BadPlan, quote_value
from ..types import Box, Face

if TYPE_CHECKING:
    from ..facefix import FaceFix
    from ..planning.plan import FaceJob
    from ..types import Image, Mask

LABEL = "face"
Region = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""


class Seg(NamedTuple):
    """One segment, with the names that Impact Pack reads."""

    cropped_image: Any
    cropped_mask: Mask
    """Mask of the crop region, (h, w), 0 to 1."""
    confidence: float
    crop_region: Region
    bbox: Region
    label: str
    control_net_wrapper: Any = None


Segs = tuple[tuple[int, int], list[Seg]]
"""Height and width of the image, and its segments."""


def check_single(images: Sequence[Image]) -> Image:
    """Return the only image of a batch; raises `BadPicture` if there are several, as SEGS describe one image."""
    if len(images) != 1:
        raise BadPicture(f"SEGS describe one image, but the batch has {len(images)}. Pick one with Image From Batch")
    return images[0]


def to_segs(
    size: tuple[int, int], jobs: Sequence[FaceJob], mask_of: Callable[[FaceJob], Mask], crop_factor: float
) -> Segs:
    """Return the faces of an image as segments.

    size: width and height of the image, in pixels. mask_of: returns the mask of a face, (H, W) of the image, 0 to 1.
    crop_factor: size of the crop region in sizes of the face's box.
    """
    width, height = size
    segs = []
    for job in jobs:
        left, top, right, bottom = region = crop_region(job.face.box, size, crop_factor)
        cropped = np.ascontiguousarray(mask_of(job)[top:bottom, left:right], np.float32)
        segs.append(Seg(None, cropped, float(job.face.score), region, _to_region(job.face.box), LABEL))
    return (height, width), segs


def crop_region(box: Box, size: tuple[int, int], factor: float) -> Region:
    """Return the region of `factor` sizes of a box around it, moved inside the image, and cut if it does not fit.

    size: width and height of the image, in pixels.
    """
    starts, ends = [], []
    for low, high, limit in ((box.left, box.right, size[0]), (box.top, box.bottom, size[1])):
        length = min(round((high - low) * factor), limit)
        start = min(max(round((low + high - length) / 2), 0), limit - length)
        starts.append(start)
        ends.append(start + length)
    return starts[0], starts[1], ends[0], ends[1]


def read_segs(segs: Any, size: tuple[int, int]) -> tuple[Face, ...]:
    """Return the faces that segments describe, without landmarks; raises `BadPlan` for other data or another size.

    size: width and height of the image, in pixels. Segments of another size with the same shape are scaled to it.
    """
    try:
        (height, width), items = segs
        boxes = [(tuple(map(float, item.bbox)), float(np.max(item.confidence))) for item in items]
    except (TypeError, ValueError, AttributeError) as error:
        raise BadPlan(f"these are not the SEGS of Impact Pack: {error}") from error
    across, down = size[0] / width, size[1] / height
    if abs(across / down - 1) > 0.01:
        raise BadPlan(
            f"the SEGS are of an image of {width}x{height} px, but this one has {size[0]}x{size[1]} px. Connect the "
            "same image to both nodes"
        )
    return tuple(
        Face(Box(left * across, top * down, right * across, bottom * down), min(max(score, 0.0), 1.0))
        for (left, top, right, bottom), score in boxes
    )


def to_bounding_boxes(faces: Sequence[Sequence[Face]]) -> list[list[dict[str, Any]]]:
    """Return the boxes of the faces of each image as ComfyUI writes them."""
    return [[_to_bounding_box(face) for face in found] for found in faces]


def read_bounding_boxes(boxes: Any, count: int) -> list[tuple[Face, ...]]:
    """Return the faces of each of `count` images, without landmarks; raises `BadPlan` for other data.

    boxes: one box, a list of boxes for every image, or a list of such lists, one for each image.
    """
    if isinstance(boxes, Mapping):
        boxes = [boxes]
    if not isinstance(boxes, Sequence) or isinstance(boxes, str):
        raise BadPlan(f"bounding boxes must be a list, not {quote_value(boxes)}")
    per_image = list(boxes) if boxes and isinstance(boxes[0], list | tuple) else [list(boxes)] * count
    if len(per_image) != count:
        raise BadPlan(f"there are bounding boxes for {len(per_image)} images, but {count} images")
    return [tuple(map(_read_box, found)) for found in per_image]


def add_landmarks(engine: FaceFix, image: Image, faces: Sequence[Face]) -> tuple[Face, ...]:
    """Return the faces with the landmarks and mesh that the built-in model locates."""
    from ..facefix import MESH_LANDMARKER
    from ..registry import LANDMARKERS

    landmarker = engine.models.load(LANDMARKERS, MESH_LANDMARKER)
    return tuple(landmarker.locate(image, face) for face in faces)


def _to_bounding_box(face: Face) -> dict[str, Any]:
    left, top, right, bottom = _to_region(face.box)
    return {
        "x": left, "y": top, "width": right - left, "height": bottom - top, "score": float(face.score), "label": LABEL
    }  # fmt: skip


def _to_region(box: Box) -> Region:
    return round(box.left), round(box.top), round(box.right), round(box.bottom)


def _read_box(box: Any) -> Face:
    try:
        left, top, width, height = (float(box[name]) for name in ("x", "y", "width", "height"))
        score = float(box.get("score", 1.0))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise BadPlan(f"a bounding box needs numbers x, y, width and height, not {quote_value(box)}") from error
    if not (width > 0 and height > 0):
        raise BadPlan(f"a bounding box must have a width and height above 0, not {quote_value(box)}")
    return Face(Box(left, top, left + width, top + height), min(max(score, 0.0), 1.0))


def iterate_large(faces: Sequence[Face], least: int) -> Iterator[Face]:
    """Yield the faces whose box has both sides longer than `least` pixels, as Impact Pack drops others."""
    return (face for face in faces if min(face.box.width, face.box.height) > least)
