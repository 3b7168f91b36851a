"""The record of what was done to the images of a batch, as it travels between nodes. Needs no ComfyUI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import BadPlan

if TYPE_CHECKING:
    from ..planning.plan import FixResult
    from ..provenance import Edit, Edits

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Record:
    """What FaceFix did to each image of a batch."""

    size: Size
    """Width and height of the images, in pixels, to which the positions of faces refer."""
    edits: tuple[Edits, ...]
    """Edits by image, oldest first."""

    def resized(self, size: Size) -> Record:
        """Return the record of images that were enlarged or reduced since; positions are lost if they were cropped."""
        across, down = (now / was for now, was in zip(size, self.size, strict=True))
        keeps = abs(across / down - 1) < 0.01
        scaled = (tuple(_scale(edit, across, down, keeps=keeps) for edit in edits) for edits in self.edits)
        return self if size == self.size else Record(size, tuple(scaled))


def make_record(results: Sequence[FixResult], earlier: Record | None = None) -> Record:
    """Return the record of the results of a node. earlier: what was done to the same images before.

    Raises `BadPlan` if the earlier record is of another number of images.
    """
    from ..provenance import list_edits

    size = results[0].result_size if results else (0, 0)
    made = []
    for result in results:
        scale = [now / was for now, was in zip(result.result_size, result.size or result.result_size, strict=True)]
        made.append(list_edits(result.outcomes, result.upscaler, scale))
    if earlier is None:
        return Record(size, tuple(made))
    check_count(earlier, len(made))
    before = earlier.resized(size).edits
    return Record(size, tuple(old + new for old, new in zip(before, made, strict=True)))


def check_count(record: Record, count: int) -> None:
    """Raise `BadPlan` if a record is of another number of images."""
    if len(record.edits) != count:
        raise BadPlan(
            f"the record is of {len(record.edits)} images, but this node has {count}. Connect the image and the record "
            "of the same node"
        )


def make_mark(edits: Edits) -> str:
    """Return the XMP packet with a mark of these edits; blank if nothing was done."""
    from ..pictures.picture import Metadata
    from ..provenance import add_mark

    return add_mark(Metadata(), edits)[0].xmp.decode()


def _scale(edit: Edit, across: float, down: float, *, keeps: bool) -> Edit:
    if edit.box is None or not keeps:
        return replace(edit, box=None)
    left, top, right, bottom = edit.box
    return replace(edit, box=(round(left * across), round(top * down), round(right * across), round(bottom * down)))
