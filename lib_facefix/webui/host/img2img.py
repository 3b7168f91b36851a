"""The sampling run for faces: the host's img2img, with one mask for each image of the batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from modules import shared
from modules.processing import StableDiffusionProcessingImg2Img
from modules.scripts import ScriptRunner

from ...planning.redraw import MIN_ALPHA
from ...types import Mask, Patch
from .compat import add_noise, renoises_kept_part, sampling_callbacks
from .latents import latent_side, make_latent_masks, pad_crops
from .references import check_model, drop_crops

KEPT_NOISE_SEED_OFFSET = 100_000
"""Added to the seed for the noise of the kept part, so that it differs from the initial noise."""


class CaptureScript(ScriptRunner):  # type: ignore[misc]
    """Replaces the scripts of the image's run, and captures the results before they are rounded."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[torch.Tensor] = []

    def postprocess_batch_list(self, p: Any, pp: Any, *_: Any, **__: Any) -> None:  # noqa: ARG002 the host's form
        """Keep the images, each (3, h, w), 0 to 1."""
        self.pictures = [picture.detach().float().cpu() for picture in pp.images]


class FaceImg2Img(StableDiffusionProcessingImg2Img):  # type: ignore[misc]
    """Img2img of one batch of crops, each with its own mask, prompts and seeds."""

    init_images: Any

    def __init__(self, masks: Sequence[Mask], **parameters: Any) -> None:
        """masks: one (h, w) for each crop, 0 to 1, in the size of the crops. parameters: those of img2img."""
        super().__init__(**parameters)
        self.face_masks = np.stack(masks)
        self.crop_height, self.crop_width = self.face_masks.shape[1:]
        self.finite: list[bool] = []
        """Whether the latents of each crop are numbers, after sampling."""
        self.catching = CaptureScript()
        self.scripts = self.catching
        self.cached_c, self.cached_uc = [None, None], [None, None]  # the host's cache keeps those of the image

    def init(self, all_prompts: Any, all_seeds: Any, all_subseeds: Any) -> None:
        """Encode the crops, then set a mask for each of them; raises `BadCrop` for a model that cannot re-diffuse."""
        check_model()
        padded = pad_crops(self.init_images, self.face_masks, latent_side(self.sd_model))
        self.init_images: Any = padded[0]
        self.face_masks = padded[1]
        self.height, self.width = self.face_masks.shape[1:]  # some hosts round them
        super().init(all_prompts, all_seeds, all_subseeds)
        drop_crops(self.sd_model)
        self.color_corrections = None  # pasting matches the colours
        self.nmask: Any = make_latent_masks(self.face_masks, self.init_latent)
        self.mask: Any = 1 - self.nmask

    def img2img_image_conditioning(
        self,
        source_image: Any,
        latent_image: Any,
        image_mask: Any = None,  # noqa: ARG002 there is one for each crop
        round_image_mask: bool = True,
    ) -> Any:
        """Return the conditioning for inpainting checkpoints, with the mask of each crop."""
        masks = torch.from_numpy(np.float32(self.face_masks > MIN_ALPHA))[:, None]
        return super().img2img_image_conditioning(source_image, latent_image, masks, round_image_mask)

    def sample(self, *args: Any, **kwargs: Any) -> Any:
        """Sample, and note which crops are spoilt, because some hosts replace NaN without an error."""
        samples = self._sample(*args, **kwargs)
        self.finite = torch.isfinite(samples).flatten(1).all(1).tolist()
        return samples

    def _sample(self, *args: Any, **kwargs: Any) -> Any:
        """Sample; each crop gets its own noise for the kept part, where hosts share one generator."""
        if not renoises_kept_part(self):
            return super().sample(*args, **kwargs)
        keep, draw = self.mask, self.nmask
        self.mask = self.nmask = None
        seeds = [(seed + KEPT_NOISE_SEED_OFFSET) % 65536 for seed in kwargs["seeds"]]
        generators = [torch.Generator(shared.device).manual_seed(seed) for seed in seeds]

        def noise_kept(params: Any) -> None:
            shape, latents = self.init_latent.shape[1:], self.init_latent
            noises = [torch.randn(shape, generator=source, device=source.device) for source in generators]
            noise = torch.stack(noises).to(latents)
            params.x = params.x * draw + add_noise(params.denoiser, latents, noise, params.sigma) * keep

        def lay_over(params: Any) -> None:
            params.x = params.x * draw + self.init_latent * keep

        with sampling_callbacks(cfg_denoiser=noise_kept, cfg_after_cfg=lay_over):
            samples = super().sample(*args, **kwargs)
        return samples * draw + self.init_latent * keep

    def collect_patches(self) -> list[Patch | None]:
        """Return the results, (h, w, 3) each, 0 to 255. Empty after an interruption.

        A result is None if its latents or its pixels have NaN, or if it is black all over, as where the host has
        replaced NaN in its pixels.
        """
        crops = [picture[:, : self.crop_height, : self.crop_width] for picture in self.catching.pictures]
        values = [np.asarray(crop.numpy().transpose(1, 2, 0), np.float32) for crop in crops]
        return [
            value * np.float32(255) if finite and np.isfinite(value).all() and value.any() else None
            for value, finite in zip(values, self.finite, strict=False)  # no value after an interruption
        ]
