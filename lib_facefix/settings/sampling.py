"""The settings of a sampling run: how a face is re-diffused.

Blank, 0 or -1 select the value that the image itself was generated with.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial

from .options import option

OWN = "same as the image"
PROMPT_MODES = ("replace", "append", "prepend")
"""Ways to use a face prompt: instead of the image's own prompt, after it, or before it."""
MAX_PROMPT = 20_000
"""Largest length of a prompt for all faces of an image, in characters."""
_option = partial(option, only="re-diffuse")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Parameters for re-diffusing one face."""

    denoising_strength: float = _option(
        0.4, "Denoising strength", low=0.0, high=1.0, step=0.01, group="fix",
        help="How much re-diffusing changes a face.",
    )  # fmt: skip
    prompt: str = _option(
        "", "Face prompt", longest=MAX_PROMPT, group="fix",
        help=f"Supports [PROMPT], [SEP], [face:2], [largest] and [SKIP]. Blank: {OWN}.",
    )  # fmt: skip
    negative_prompt: str = _option(
        "", "Face negative prompt", longest=MAX_PROMPT, group="fix",
        help=f"Supports [PROMPT], [SEP], [face:2] and [largest]. Blank: {OWN}.",
    )  # fmt: skip
    prompt_mode: str = _option(
        "replace", "Prompt mode", choices=lambda: PROMPT_MODES, group="sampling",
        help="replace: face prompts replace the image's prompts. append, prepend: they are added after or before them. "
        "No effect with [PROMPT].",
    )  # fmt: skip
    keep_loras: bool = _option(
        True, "Keep LoRAs", group="sampling",
        help="Face prompts also use the LoRAs of the image's prompt. A LoRA in a face prompt keeps its own weight.",
    )  # fmt: skip
    denoise_by_size: float = _option(
        0.0, "Reduce denoising by size", low=0.0, high=1.0, step=0.05, group="sampling",
        help="Share of the denoising strength that faces of 512 px and more lose. Faces up to 64 px lose none.",
    )  # fmt: skip
    upright_above: float = _option(
        25.0, "Straighten above", low=0.0, high=180.0, step=1.0, unit="degrees", group="sampling",
        help="Rotates faces that are tilted further upright before re-diffusing them.",
    )  # fmt: skip
    padding: float = _option(
        0.5, "Inpaint padding", low=0.0, high=2.0, step=0.05, unit="face sizes", group="sampling",
        help="How much of the image the model sees on each side of the face.",
    )  # fmt: skip
    width: int = _option(
        0, "Width", low=0, high=4096, step=8, unit="px", group="sampling",
        help="Width at which the face is re-diffused. 0: the model's native size.",
    )  # fmt: skip
    height: int = _option(
        0, "Height", low=0, high=4096, step=8, unit="px", group="sampling",
        help="Height at which the face is re-diffused. 0: the model's native size.",
    )  # fmt: skip
    steps: int = _option(0, "Sampling steps", low=0, high=150, group="sampling", help=f"0: {OWN}.")
    cfg_scale: float = _option(0.0, "CFG scale", low=0.0, high=30.0, step=0.5, group="sampling", help=f"0: {OWN}.")
    sampler: str = _option("", "Sampling method", host="samplers", group="sampling", help=f"Blank: {OWN}.")
    scheduler: str = _option("", "Schedule type", host="schedulers", group="sampling", help=f"Blank: {OWN}.")
    checkpoint: str = _option("", "Checkpoint", host="checkpoints", group="sampling", help=f"Blank: {OWN}.")
    vae: str = _option("", "VAE", host="vaes", group="sampling", help=f"Blank: {OWN}.")
    clip_skip: int = _option(0, "Clip skip", low=0, high=12, group="sampling", help=f"0: {OWN}.")
    noise_multiplier: float = _option(
        -1.0, "Noise multiplier", low=-1.0, high=1.5, step=0.01, group="sampling",
        help=f"Scales the initial noise of img2img. Below 0: {OWN}.",
    )  # fmt: skip
    seed: int = _option(
        -1, "Seed", low=-1, high=2**32 - 1, group="sampling",
        help=f"Seed of face 1; face 2 uses the next one, and so on. -1: {OWN}.",
    )  # fmt: skip
    subseed: int = _option(-1, "Variation seed", low=-1, high=2**32 - 1, group="sampling", help=f"-1: {OWN}.")

    def run_settings(self) -> Sampling:
        """Return the settings that the faces of one sampling run share: all except prompts, seeds and framing."""
        shared = (field.name for field in fields(Sampling) if field.name not in _OF_ONE_FACE)
        return Sampling(**{name: getattr(self, name) for name in shared})


_OF_ONE_FACE = {
    *("prompt", "negative_prompt", "prompt_mode", "keep_loras", "seed", "subseed"),
    *("denoise_by_size", "upright_above", "padding", "width", "height"),
}
"""Settings that are used before sampling, or by one face alone."""
