"""Re-diffuses faces with the MODEL and VAE of a workflow: all faces of a batch in one sampling run."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from comfy import latent_formats, model_management, sample, samplers

from ..errors import BadCrop, BadSetting
from . import conditioning
from .controls import check_choice
from .samplers import draw_noise, make_sampler

if TYPE_CHECKING:
    from ..planning.plan import FaceJob
    from ..planning.redraw import Redraw
    from ..settings.sampling import Sampling
    from ..types import Mask, Patch
    from .host import HostProgress

SMALL_SIDE, LARGE_SIDE = 512, 1024
"""Native sides, in pixels, of Stable Diffusion 1 and 2, and of all later models."""
NOT_CONNECTED = "{name} of a face cannot be {value!r} in ComfyUI: Detail Faces uses the {input} that is connected"
NO_PICTURE = "the model returned no image, or one of NaN. Try another VAE or precision"


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Both kinds of prompts of the faces."""

    positive: conditioning.Prompts
    negative: conditioning.Prompts


class ComfyDiffuser:
    """A `Diffuser` that samples with ComfyUI's own samplers, with a latent mask, noise and prompt for each face."""

    def __init__(self, model: Any, vae: Any, texts: Texts, progress: HostProgress) -> None:
        """model: a MODEL. vae: a VAE. progress: shows the steps, with a preview."""
        self._model, self._vae, self._texts, self._progress = model, vae, texts, progress
        self.runs: list[int] = []
        """Number of faces in each sampling run so far."""

    @property
    def engine(self) -> str:
        """Name of the model's architecture, for reports."""
        return f"ComfyUI, {type(self._model.model).__name__}"

    @property
    def native(self) -> int:
        """Side of the model's native size, in pixels."""
        return native_side(self._model)

    def shares(self, job: FaceJob) -> Hashable:
        """Return what the conditionings of a run have in common; others cannot be merged."""
        positive = self._texts.positive.read(job.treatment.prompt)
        negative = self._texts.negative.read(job.treatment.negative_prompt)
        return conditioning.describe(positive), conditioning.describe(negative)

    def redraw(self, items: Sequence[Redraw], sampling: Sampling) -> Sequence[Patch | None]:
        """Return the crops, re-diffused inside their masks in one sampling run; see `protocols.Diffuser`."""
        check_sampling(sampling)
        self._progress.should_stop()
        self.runs.append(len(items))
        with translated_errors():
            latents = torch.cat([self._encode(item) for item in items])
            masks = torch.stack([self._latent_mask(item.mask, latents) for item in items])
            samples = self._sample(items, latents, masks, sampling)
            return [self._decode(samples[place : place + 1]) for place in range(len(items))]

    def _sample(
        self, items: Sequence[Redraw], latents: torch.Tensor, masks: torch.Tensor, sampling: Sampling
    ) -> torch.Tensor:
        """Return the sampled latents. masks: (B, 1, h, w), or with a frame as `latents` have it, 0 to 1."""
        seeds = [item.seed for item in items]
        scale = 1.0 if sampling.noise_multiplier < 0 else sampling.noise_multiplier
        noise = draw_noise(latents.shape[1:], seeds) * scale
        device = self._model.load_device
        levels = samplers.KSampler(
            self._model, sampling.steps, device, sampling.sampler, sampling.scheduler, sampling.denoising_strength
        ).sigmas
        if not len(levels):  # a denoising strength of 0
            return latents
        positive = conditioning.merge([self._texts.positive.read(item.prompt) for item in items])
        negative = conditioning.merge([self._texts.negative.read(item.negative_prompt) for item in items])
        drawn: torch.Tensor = sample.sample_custom(
            self._model, noise, sampling.cfg_scale, make_sampler(sampling.sampler, noise, seeds, levels), levels,
            positive, negative, latents, noise_mask=masks, seed=seeds[0],
            callback=self._progress.start_run(self._model, items), disable_pbar=True,
        )  # fmt: skip
        return drawn

    def _encode(self, item: Redraw) -> torch.Tensor:
        """Return the latent of one crop, (1, channels, h, w). One by one, so that a batch changes no digit."""
        pixels = torch.from_numpy(np.float32(item.image) / np.float32(255))[None]
        latent: torch.Tensor = self._vae.encode(pixels)
        height, width = item.image.shape[:2]
        if height % latent.shape[-2] or width % latent.shape[-1]:
            raise BadCrop(
                f"this VAE cannot encode a crop of {width}x{height} px exactly. Set Width and Height to a multiple of "
                "64 in Sampling Settings"
            )
        return latent

    def _decode(self, latent: torch.Tensor) -> Patch | None:
        """Return the image of one latent, (h, w, 3), 0 to 255; None if it has NaN."""
        pixels = self._vae.decode(latent).detach().float().cpu().numpy()
        patch = np.asarray(pixels.reshape(pixels.shape[-3:])[..., :3] * np.float32(255), np.float32)
        return patch if np.isfinite(patch).all() else None

    def _latent_mask(self, mask: Mask, latents: torch.Tensor) -> torch.Tensor:
        """Return the largest value of a mask (h, w) in each latent pixel, with an axis for the channels."""
        rows, columns = latents.shape[-2:]
        height, width = mask.shape
        boxes = mask.reshape(rows, height // rows, columns, width // columns)
        soft = torch.from_numpy(np.ascontiguousarray(boxes.max((1, 3))))
        return soft.reshape(1, *[1] * (latents.ndim - 4), rows, columns)


def native_side(model: Any) -> int:
    """Return the side of a MODEL's native size, in pixels."""
    small = isinstance(model.get_model_object("latent_format"), latent_formats.SD15)
    return SMALL_SIDE if small else LARGE_SIDE


def check_sampling(sampling: Sampling) -> None:
    """Raise `BadSetting` for a sampler that ComfyUI does not have, and for settings that the workflow decides."""
    check_choice("Sampling method", sampling.sampler, samplers.KSampler.SAMPLERS)
    check_choice("Schedule type", sampling.scheduler, samplers.KSampler.SCHEDULERS)
    for name, value, kind in (
        ("Checkpoint", sampling.checkpoint, "MODEL"),
        ("VAE", sampling.vae, "VAE"),
        ("Clip skip", sampling.clip_skip, "CLIP"),
    ):
        if value:
            raise BadSetting(NOT_CONNECTED.format(name=name, value=value, input=kind))


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate the errors of a sampling run; raises MemoryError and `BadCrop`."""
    try:
        yield
    except (RuntimeError, AssertionError, ValueError) as error:
        if isinstance(error, model_management.OOM_EXCEPTION) or "out of memory" in str(error).lower():
            model_management.soft_empty_cache()
            raise MemoryError(f"not enough graphics memory for this face ({type(error).__name__})") from error
        if isinstance(error, BadSetting):
            raise
        raise BadCrop(f"the model could not re-diffuse this face: {type(error).__name__}: {error}") from error
