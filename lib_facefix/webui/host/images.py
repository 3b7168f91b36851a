"""The picture as the host has it: its pixels, what it was made from, and where it was inpainted."""

from __future__ import annotations

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
"""Share of a face's box that must lie in the inpainted area."""


def to_image(picture: torch.Tensor) -> Image:
    """Return (H, W, 3), 0..255, of (3, H, W), 0..1: the very bytes the host makes of it; it cuts fractions off."""
    values = 255.0 * np.moveaxis(picture.detach().cpu().numpy(), 0, 2)
    return np.ascontiguousarray(values.astype(np.uint8))


def write_changes(picture: torch.Tensor, before: Image, after: Image) -> torch.Tensor:
    """Return the host's picture with what differs between the two written in, so that it cuts off to just that."""
    if after is before:
        return picture
    if after.shape != before.shape:
        return _to_tensor(after).to(picture)
    changed = (before != after).any(axis=2)
    if not changed.any():
        return picture
    return torch.where(torch.from_numpy(changed).to(picture.device), _to_tensor(after).to(picture), picture)


def replace_colours(image: Pil.Image, after: Image) -> Pil.Image:
    """Return the picture with other colours; an opacity of its own stays."""
    made = Pil.fromarray(after)
    if image.mode == "RGBA":
        made.putalpha(image.getchannel("A"))
    made.info = dict(image.info)
    return made


def origin_of(p: Any, index: int) -> GenerationParams:
    """Return what the picture at this place of the batch was made from, styles and wildcards resolved."""

    def at(values: Sequence[Any], default: Any) -> Any:
        return values[min(index, len(values) - 1)] if values else default

    return GenerationParams(at(p.prompts, ""), at(p.negative_prompts, ""), int(at(p.seeds, 0)), int(at(p.subseeds, 0)))


def is_finished_later(p: Any) -> bool:
    """Whether the host changes the picture further after the batch: faces are then fixed in the finished picture."""
    inpainted = getattr(p, "image_mask", None) is not None
    return bool(inpainted or p.restore_faces or p.color_corrections is not None)


def select_by_inpaint_area(p: Any, plan: FixPlan, choice: str) -> FixPlan:
    """Return the plan without the faces that lie on the wrong side of the inpainted area.

    choice: "all", "inside" or "outside"; in a picture that is not inpainted all are chosen.
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
    """Let img2img draw nothing: its pictures come out byte for byte as they were put in.

    Raises `BadPicture` where pictures of several sizes would go into one batch.
    """
    pictures = [images.flatten(picture, shared.opts.img2img_background_color) for picture in p.init_images]
    if len({picture.size for picture in pictures}) > 1 and p.batch_size > 1:
        raise BadPicture("pictures of several sizes cannot be put through in one batch; make the batch size 1")
    p.width, p.height = pictures[0].size

    def init(*_: Any, **__: Any) -> None:
        p.mask_for_overlay = _inpainted_image(p)

    def sample(*_: Any, **__: Any) -> Any:
        first = p.iteration * p.batch_size
        wanted = (pictures[(first + place) % len(pictures)] for place in range(len(p.prompts)))
        return DecodedSamples(_to_tensor(np.asarray(picture)) * 2 - 1 for picture in wanted)

    p.init, p.sample = init, sample


def _inpainted_image(p: Any) -> Pil.Image | None:
    area = getattr(p, "image_mask", None)
    if area is None:
        return None
    area = area.split()[-1] if area.mode == "RGBA" else area.convert("L")
    return ImageOps.invert(area) if p.inpainting_mask_invert else area


def _to_tensor(image: Image) -> torch.Tensor:
    """Return (3, H, W), 0..1, in the middle of what the host cuts off to the same bytes."""
    values = np.moveaxis(image, 2, 0).astype(np.float32, order="C")
    values += 0.5
    values /= 255
    return torch.from_numpy(values)
