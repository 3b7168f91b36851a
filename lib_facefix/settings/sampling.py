"""How a face is re-diffused: the settings of a sampling run, each declared once.

Blank, 0 or -1 mean "the picture's own": what the picture itself was made with.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial

from .options import option

OWN = "the picture's own"
MAX_PROMPT = 20_000
"""Characters of a prompt for all faces of a picture."""
_option = partial(option, only="re-diffuse")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What redraws a face, and how strongly."""

    denoising_strength: float = _option(
        0.4, "Denoising strength", low=0.0, high=1.0, step=0.01, group="fix",
        help="How much a face is redrawn when it is re-diffused.",
    )  # fmt: skip
    prompt: str = _option(
        "", "Prompt for faces", longest=MAX_PROMPT, group="fix",
        help="Blank: the picture's own. [PROMPT] stands for it, [SEP] parts the faces, [face:2] or [largest] binds "
        "a part to a face, [SKIP] leaves one alone.",
    )  # fmt: skip
    negative_prompt: str = _option(
        "", "Negative prompt for faces", longest=MAX_PROMPT, group="fix",
        help="Blank: the picture's own; [PROMPT], [SEP] and bindings as in the prompt.",
    )  # fmt: skip
    denoise_by_size: float = _option(
        0.0, "Less for large faces", low=0.0, high=1.0, step=0.05, group="sampling",
        help="Share of the denoising strength that a face of 512 px and more loses; one of 64 px and less keeps all.",
    )  # fmt: skip
    upright_above: float = _option(
        25.0, "Redraw upright when tilted more than", low=0.0, high=180.0, step=1.0, unit="degrees",
        group="sampling",
        help="A head tilted further is turned upright before it is re-diffused.",
    )  # fmt: skip
    padding: float = _option(
        0.5, "Room around the face", low=0.0, high=2.0, step=0.05, unit="of the face's size", group="sampling",
        help="How much of the picture the model sees on each side of the face.",
    )  # fmt: skip
    width: int = _option(
        0, "Width", low=0, high=4096, step=8, unit="px", group="sampling",
        help="Size at which the face is redrawn; 0: what the model draws best.",
    )  # fmt: skip
    height: int = _option(
        0, "Height", low=0, high=4096, step=8, unit="px", group="sampling",
        help="Size at which the face is redrawn; 0: what the model draws best.",
    )  # fmt: skip
    steps: int = _option(0, "Steps", low=0, high=150, group="sampling", help=f"0: {OWN}.")
    cfg_scale: float = _option(0.0, "CFG scale", low=0.0, high=30.0, step=0.5, group="sampling", help=f"0: {OWN}.")
    sampler: str = _option("", "Sampler", host="samplers", group="sampling", help=f"Blank: {OWN}.")
    scheduler: str = _option("", "Schedule type", host="schedulers", group="sampling", help=f"Blank: {OWN}.")
    checkpoint: str = _option("", "Checkpoint", host="checkpoints", group="sampling", help=f"Blank: {OWN}.")
    vae: str = _option("", "VAE", host="vaes", group="sampling", help=f"Blank: {OWN}.")
    clip_skip: int = _option(0, "Clip skip", low=0, high=12, group="sampling", help=f"0: {OWN}.")
    noise_multiplier: float = _option(
        -1.0, "Noise multiplier", low=-1.0, high=1.5, step=0.01, group="sampling",
        help=f"Of the noise that img2img starts from; below 0: {OWN}.",
    )  # fmt: skip
    seed: int = _option(
        -1, "Seed", low=-1, high=2**32 - 1, group="sampling",
        help=f"Each face adds its number less one; -1: {OWN}.",
    )  # fmt: skip
    subseed: int = _option(-1, "Variation seed", low=-1, high=2**32 - 1, group="sampling", help=f"-1: {OWN}.")

    def of_a_run(self) -> Sampling:
        """Return what the faces of one sampling run have in common: all but prompts, seeds and how each is framed."""
        each = {"prompt", "negative_prompt", "seed", "subseed", "denoise_by_size", "upright_above", "padding"}
        shared = (field.name for field in fields(Sampling) if field.name not in each | {"width", "height"})
        return Sampling(**{name: getattr(self, name) for name in shared})
