"""The host's images: their pixels, their generation parameters, and their inpainted area."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from modules import images, shared
from modules.processing import DecodedSamples
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageOps

from ...errors import BadPicture
from ...planning.plan import FaceJob, FixPlan
from ...settings.face_prompt import GenerationParams
from ...types import Image

MIN_INSIDE_SHARE = 0.5
"""Share of a face's box (0 to 1) that must be inpainted for the face to count as inside."""


def to_image(picture: torch.Tensor) -> Image:
    """Return uint8 (H, W, 3) of (3, H, W), 0 to 1, rounded down as the host does."""
    values = 255.0 * np.moveaxis(picture.detach().cpu().numpy(), 0, 2)
    return np.ascontiguousarray(values.astype(np.uint8))


def write_changes(picture: torch.Tensor, before: Image, after: Image) -> torch.Tensor:
    """Return the host's image with the changed pixels, whose values round down to exactly those of `after`."""
    if after is before:
        return picture
    if after.shape != before.shape:
        return _to_tensor(after).to(picture)
    changed = (before != after).any(axis=2)
    if not changed.any():
        return picture
    return torch.where(torch.from_numpy(changed).to(picture.device), _to_tensor(after).to(picture), picture)


def replace_colours(image: Pil.Image, after: Image) -> Pil.Image:
    """Return the image with other colours; its alpha channel is kept."""
    made = Pil.fromarray(after)
    if image.mode == "RGBA":
        made.putalpha(image.getchannel("A"))
    made.info = dict(image.info)
    return made


def origin_of(p: Any, index: int) -> GenerationParams:
    """Return the generation parameters of an image of the batch, with styles and wildcards resolved."""

    def at(values: Sequence[Any], default: Any) -> Any:
        return values[min(index, len(values) - 1)] if values else default

    return GenerationParams(at(p.prompts, ""), at(p.negative_prompts, ""), int(at(p.seeds, 0)), int(at(p.subseeds, 0)))


def is_finished_later(p: Any) -> bool:
    """Return whether the host still changes the image after the batch, so faces are fixed in the finished image."""
    inpainted = getattr(p, "image_mask", None) is not None
    return bool(inpainted or p.restore_faces or p.color_corrections is not None)


def select_by_inpaint_area(p: Any, plan: FixPlan, choice: str) -> FixPlan:
    """Return the plan with the faces on the wrong side of the inpainted area skipped.

    choice: "all", "inside" or "outside" the area. An image that is not inpainted keeps its plan.
    """
    area = getattr(p, "mask_for_overlay", None)
    if choice == "all" or area is None:
        return plan
    inpainted = np.asarray(area.convert("L").resize(plan.size), np.float32) / np.float32(255)
    return replace(plan, jobs=tuple(_left_unless(choice, job, inpainted) for job in plan.jobs))


def _left_unless(choice: str, job: FaceJob, inpainted: NDArray[np.float32]) -> FaceJob:
    box = job.face.box
    rows = slice(max(0, int(box.top)), max(1, int(np.ceil(box.bottom))))
    columns = slice(max(0, int(box.left)), max(1, int(np.ceil(box.right))))
    part = inpainted[rows, columns]
    inside = bool(part.size and part.mean() >= MIN_INSIDE_SHARE)
    if job.decision == "leave" or inside == (choice == "inside"):
        return job
    return replace(job, decision="leave", reason=f"{'inside' if inside else 'outside'} the inpainted area")


def bypass_img2img(p: Any) -> None:
    """Make img2img return its input images byte for byte.

    Raises `BadPicture` if a batch would have images of different sizes.
    """
    pictures = [images.flatten(picture, shared.opts.img2img_background_color) for picture in p.init_images]
    if len({picture.size for picture in pictures}) > 1 and p.batch_size > 1:
        raise BadPicture("one batch cannot have images of different sizes; set the batch size to 1")
    p.width, p.height = pictures[0].size

    def init(*_: Any, **__: Any) -> None:
        p.width, p.height = pictures[0].size  # some hosts round them
        p.init_latent = torch.zeros(1)  # some hosts make it a part of their key for encoded prompts
        area = getattr(p, "image_mask", None)
        if area is not None:
            area = area.split()[-1] if area.mode == "RGBA" else area.convert("L")
            area = ImageOps.invert(area) if p.inpainting_mask_invert else area
        p.mask_for_overlay = area

    def sample(*_: Any, **__: Any) -> Any:
        first = p.iteration * p.batch_size
        wanted = (pictures[(first + place) % len(pictures)] for place in range(len(p.prompts)))
        return DecodedSamples(_to_tensor(np.asarray(picture)) * 2 - 1 for picture in wanted)

    p.init, p.sample = init, sample


def _to_tensor(image: Image) -> torch.Tensor:
    """Return (3, H, W), 0 to 1, halfway between the values that the host rounds down to these bytes."""
    values = np.moveaxis(image, 2, 0).astype(np.float32, order="C")
    values += 0.5
    values /= 255
    return torch.from_numpy(values)
