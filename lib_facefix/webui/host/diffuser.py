"""Re-diffuses faces with the Stable Diffusion that generated the image."""

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any

from modules import extra_networks, processing
from PIL import Image as Pil

from ...errors import BadCrop, Stopped
from ...planning.plan import FaceJob
from ...planning.redraw import Redraw
from ...settings.sampling import Sampling
from ...types import Patch
from . import compat
from .img2img import FaceImg2Img
from .latents import has_frames
from .progress import HostProgress

NOT_INHERITED: dict[str, Any] = {
    **dict.fromkeys(("sampler_index", "styles", "extra_generation_params", "overlay_images", "firstpass_image"), None),
    **dict.fromkeys(("mask", "latent_mask", "init_latent"), None),
    **dict.fromkeys(("restore_faces", "tiling", "inpaint_full_res"), False),
    **dict.fromkeys(("do_not_save_samples", "do_not_save_grid", "do_not_reload_embeddings"), True),
    **dict.fromkeys(("override_settings_restore_afterwards", "seed_enable_extras"), True),
    **dict.fromkeys(("resize_mode", "mask_blur", "mask_blur_x", "mask_blur_y"), 0),
    **dict.fromkeys(("inpaint_full_res_padding", "inpainting_mask_invert"), 0),
    **dict.fromkeys(("seed_resize_from_h", "seed_resize_from_w"), -1),
    **dict.fromkeys(("n_iter", "inpainting_fill"), 1),
}
"""Parameters of img2img that faces do not inherit from the image's own run, with their values."""


class HostDiffuser:
    """A `Diffuser` that inherits the parameters of the image's own run."""

    def __init__(self, p: Any, watch: HostProgress, keep: Callable[[Redraw, Patch], None] | None = None) -> None:
        """p: the image's own processing. keep: called with each crop and its re-diffused version."""
        self._p, self._watch, self._keep = p, watch, keep
        self._lengths = cache(compat.prompt_lengths)  # most faces have the prompts of the image

    @property
    def engine(self) -> str:
        """Name of the checkpoint."""
        return f"WebUI, {compat.model_name()}"

    @property
    def native(self) -> int:
        """Native size of the loaded model, in pixels."""
        return compat.native_size()

    def shares(self, job: FaceJob) -> Hashable:
        """Return the lengths of both prompts, in tokens, and the extra networks: the host reads these once a batch.

        With a model whose latents have frames, each job gets a key of its own, because the host takes the images of a
        batch for frames of one video.
        """
        treatment = job.treatment
        steps = treatment.steps or self._p.steps
        [prompt], networks = extra_networks.parse_prompts([treatment.prompt])
        tags = tuple(sorted((name, repr([network.items for network in used])) for name, used in networks.items()))
        alone = job if has_frames(self._p.sd_model) else None
        return self._lengths(prompt, steps), self._lengths(treatment.negative_prompt, steps), tags, alone

    def redraw(self, items: Sequence[Redraw], sampling: Sampling) -> list[Patch | None]:
        """Return the crops, re-diffused inside their masks in one sampling run; see `protocols.Diffuser`."""
        if self._watch.should_stop():
            raise Stopped("stopped before these faces were re-diffused")
        overrides = compat.option_overrides(sampling.checkpoint, sampling.vae, sampling.clip_skip)
        run = FaceImg2Img([item.mask for item in items], **self._img2img_arguments(items, sampling, overrides))
        run.is_api = getattr(self._p, "is_api", False)
        with (
            compat.restored_host_state(self._p, overrides),
            self._watch.sampling_run(items),
            compat.translated_errors(),
        ):
            try:
                processing.process_images(run)
            finally:
                run.close()
        if self._watch.was_interrupted():
            raise Stopped("stopped while these faces were re-diffused")
        drawn = run.collect_patches()
        if not any(patch is not None for patch in drawn):
            raise BadCrop(compat.NO_PICTURE)
        if self._keep:
            for item, patch in zip(items, drawn, strict=False):
                if patch is not None:
                    self._keep(item, patch)
        return drawn

    def _img2img_arguments(
        self, items: Sequence[Redraw], sampling: Sampling, overrides: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the parameters of img2img: those of the image, then the fixed ones, then those of the faces."""
        height, width = items[0].image.shape[:2]
        own = compat.inherited_settings(self._p)
        chosen = {
            "steps": sampling.steps,
            "cfg_scale": sampling.cfg_scale,
            "sampler_name": sampling.sampler,
            "scheduler": sampling.scheduler,
        }
        if sampling.noise_multiplier >= 0:
            own["initial_noise_multiplier"] = sampling.noise_multiplier
        return {
            **own,
            **{name: value for name, value in NOT_INHERITED.items() if name in own},
            **{name: value for name, value in chosen.items() if value},
            "init_images": [Pil.fromarray(item.image) for item in items],
            "prompt": [item.prompt for item in items],
            "negative_prompt": [item.negative_prompt for item in items],
            "seed": [item.seed for item in items],
            "subseed": [item.subseed for item in items],
            "batch_size": len(items),
            "width": width,
            "height": height,
            "denoising_strength": sampling.denoising_strength,
            "override_settings": dict(overrides),
        }
