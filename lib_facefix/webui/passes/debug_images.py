"""Optional files beside the result: originals, masks, previews, crops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from modules import images, shared
from PIL import Image as Pil

from ...planning.plan import FixPlan
from ...planning.redraw import Redraw
from ...types import Image, Mask, Patch
from ...visualize import draw_boxes, tint_mask
from ..config.options import PageSettings

if TYPE_CHECKING:
    from .runner import BatchImage


class DebugImageSaver:
    """Saves optional files in the folder of the result, if the host saves results."""

    def __init__(self, p: Any, page: PageSettings) -> None:
        self._p, self._page = p, page
        self._saves = p.save_samples()

    def save_originals(self, pictures: Sequence[BatchImage]) -> None:
        """Save the original of each changed image."""
        if self._saves and self._page.save_before:
            for picture in pictures:
                if any(result.changed for result in picture.results):
                    self._save(picture.before, picture.index, "-before-facefix")

    @property
    def wants_masks(self) -> bool:
        """Whether results must hold their masks for `save_masks`."""
        return bool(self._saves and (self._page.save_masks or self._page.save_preview))

    def save_masks(self, picture: BatchImage, plan: FixPlan, mask: Mask) -> None:
        """Save the mask of a pass, (H, W), 0 to 1, and a preview of it on the image before the pass."""
        if self._page.save_masks:
            self._save(np.uint8(np.repeat(mask[..., None], 3, axis=2) * 255 + 0.5), picture.index, "-facefix-mask")
        if self._page.save_preview:
            faces = [(job.number, job.face) for job in plan.jobs]
            self._save(draw_boxes(tint_mask(picture.image, mask), faces), picture.index, "-facefix-preview")

    def save_crop(self, item: Redraw, drawn: Patch) -> None:
        """Save one crop, uint8 (h, w, 3), and its re-diffused version side by side."""
        if self._saves and self._page.save_crops:
            pair = np.concatenate([item.image, np.uint8(np.rint(drawn))], axis=1)
            self._save(pair, 0, f"-facefix-crop-{item.number}")

    def _save(self, image: Image, index: int, suffix: str) -> None:
        p = self._p
        seed, prompt = p.seeds[min(index, len(p.seeds) - 1)], p.prompts[min(index, len(p.prompts) - 1)]
        extension = shared.opts.samples_format
        images.save_image(Pil.fromarray(image), p.outpath_samples, "", seed, prompt, extension, p=p, suffix=suffix)
