"""The sampling run that redraws faces: img2img of the host, with a mask for each picture of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from modules import shared
from modules.processing import StableDiffusionProcessingImg2Img
from modules.scripts import ScriptRunner
from numpy.typing import NDArray

from ...planning.redraw import MIN_ALPHA, latent_mask
from ...types import Mask, Patch
from .compat import add_noise, calling, re_noises

KEPT_NOISE = 100_000
"""What hosts that noise the kept part at every step add to the seed for it, so that it is not the noise drawn from."""


class CaptureScript(ScriptRunner):  # type: ignore[misc]
    """In the place of the picture's scripts: none of them runs; what was drawn is caught before it is rounded."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[torch.Tensor] = []

    def postprocess_batch_list(self, p: Any, pp: Any, *_: Any, **__: Any) -> None:  # noqa: ARG002 the host's form
        """Keep the pictures, each (3, h, w), 0..1."""
        self.pictures = [picture.detach().float().cpu() for picture in pp.images]


class FaceImg2Img(StableDiffusionProcessingImg2Img):  # type: ignore[misc]
    """Img2img of one batch of crops, each with a mask, a prompt and seeds of its own."""

    def __init__(self, masks: Sequence[Mask], **told: Any) -> None:
        """masks: (h, w) each, 0..1, of the size of the crops; told: all else that img2img is told."""
        super().__init__(**told)
        self.face_masks = np.stack(masks)
        self.catching = CaptureScript()
        self.scripts = self.catching
        self.cached_c, self.cached_uc = [None, None], [None, None]  # the picture's own stay in the host's cache

    def init(self, all_prompts: Any, all_seeds: Any, all_subseeds: Any) -> None:
        """Encode the crops, then set a mask for each of them."""
        super().init(all_prompts, all_seeds, all_subseeds)
        self.color_corrections = None  # the paste matches colours by itself
        drawn = torch.from_numpy(np.stack([latent_mask(mask) for mask in self.face_masks])).to(self.init_latent)
        self.nmask: Any = drawn[:, None].expand_as(self.init_latent)
        self.mask: Any = 1 - self.nmask

    def img2img_image_conditioning(
        self,
        source_image: Any,
        latent_image: Any,
        image_mask: Any = None,  # noqa: ARG002 there is one for each crop
        round_image_mask: bool = True,
    ) -> Any:
        """Give inpainting checkpoints the mask of each crop."""
        masks = torch.from_numpy(np.float32(self.face_masks > MIN_ALPHA))[:, None]
        return super().img2img_image_conditioning(source_image, latent_image, masks, round_image_mask)

    def sample(self, *args: Any, **kwargs: Any) -> Any:
        """Draw. Where the host noises the kept part from one generator for all, each crop gets its own."""
        if not re_noises(self):
            return super().sample(*args, **kwargs)
        keep, draw = self.mask, self.nmask
        self.mask = self.nmask = None
        noises = [torch.Generator(shared.device).manual_seed((seed + KEPT_NOISE) % 65536) for seed in kwargs["seeds"]]

        def noise_kept(params: Any) -> None:
            noise = torch.stack(
                [self._noise_like(latent, one) for latent, one in zip(self.init_latent, noises, strict=True)]
            )
            params.x = params.x * draw + add_noise(params.denoiser, self.init_latent, noise, params.sigma) * keep

        def lay_over(params: Any) -> None:
            params.x = params.x * draw + self.init_latent * keep

        with calling(cfg_denoiser=noise_kept, cfg_after_cfg=lay_over):
            samples = super().sample(*args, **kwargs)
        return samples * draw + self.init_latent * keep

    @staticmethod
    def _noise_like(latent: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(latent.shape, generator=generator, device=generator.device).to(latent)

    def collect_patches(self) -> list[Patch | None]:
        """Return what came out, (h, w, 3) each; None for what is no picture, nothing at all after an interruption."""
        return [_picture(picture.numpy()) for picture in self.catching.pictures]


def _picture(values: NDArray[np.float32]) -> Patch | None:
    """Return (h, w, 3), 0..255, of (3, h, w), 0..1; None where there are no numbers."""
    if not np.isfinite(values).all():
        return None
    return np.asarray(values.transpose(1, 2, 0) * np.float32(255), np.float32)
