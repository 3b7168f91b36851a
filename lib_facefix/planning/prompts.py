"""Prompt, seeds and denoising strength of each face, from the settings and the image's generation parameters."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..settings.face_prompt import FacePrompt, GenerationParams, read_negative_prompt, read_prompt, resolve
from ..settings.sampling import Sampling
from .grouping import group_jobs, merge_jobs, share_sampling
from .plan import FaceJob

SMALL_FACE, LARGE_FACE = 64, 512
"""Face sizes, in pixels, at which `denoise_by_size` starts to reduce the denoising strength and has its full effect."""
STRENGTH_STEP = 0.05
"""Rounding of that reduction, so that faces of similar size share a sampling run."""
SEEDS = 2**32
"""Number of seeds; the next one is 0 again."""
INHERITED = ("steps", "sampler", "scheduler", "cfg_scale", "clip_skip")
"""Settings that use the image's value if they are blank or 0."""


def resolve_prompts(
    jobs: Sequence[FaceJob], everyone: Sampling, size: tuple[int, int], origin: GenerationParams | None
) -> list[FaceJob]:
    """Return the jobs, in processing order, with the final settings for re-diffusing.

    everyone: the settings of all faces. size: width and height of the image, in pixels. origin: the image's generation
    parameters; without them, only jobs to re-diffuse change. A face with [SKIP] in its prompt is skipped. Raises
    `BadSetting`.
    """
    prompts = _face_texts(jobs, everyone, "prompt", read_prompt, size)
    negatives = _face_texts(jobs, everyone, "negative_prompt", read_negative_prompt, size)
    return _merge_settings(
        [_resolve_sampling(job, prompts[job.number], negatives[job.number] or "", origin) for job in jobs], jobs
    )


def _merge_settings(drawn: Sequence[FaceJob], asked: Sequence[FaceJob]) -> list[FaceJob]:
    """Return the jobs, with the settings of the first merged face in all merged jobs.

    Their denoising strength depends on the size of all merged faces. asked: the jobs before `_resolve_sampling`.
    """
    for first, *others in group_jobs(drawn):
        if others:
            [of] = (job.treatment for job in asked if job.number == first.number)
            size = merge_jobs([first, *others]).face.box.size
            treatment = first.treatment.but({"denoising_strength": reduced_strength(of, size)})
            return share_sampling(drawn, replace(first, treatment=treatment))
    return list(drawn)


def _face_texts(
    jobs: Sequence[FaceJob], everyone: Sampling, name: str, read: Callable[[str], FacePrompt], size: tuple[int, int]
) -> dict[int, str | None]:
    """Return the text of each face by number, or None to skip it. Skipped faces are treated separately."""
    asked = [job for job in jobs if job.decision != "leave"]
    texts = read(getattr(everyone, name)).parts_for([(job.number, job.face) for job in asked], size)
    for job in jobs:
        own = getattr(job.treatment, name)
        if job.decision == "leave" or own != getattr(everyone, name):
            texts |= read(own).parts_for([(job.number, job.face)], size)
    return texts


def reduced_strength(sampling: Sampling, pixels: float) -> float:
    """Return the denoising strength, 0..1, of a face of `pixels`; the reduction is logarithmic in the size."""
    if not sampling.denoise_by_size:
        return sampling.denoising_strength
    large = math.log(max(pixels, 1.0) / SMALL_FACE) / math.log(LARGE_FACE / SMALL_FACE)
    taken = sampling.denoising_strength * sampling.denoise_by_size * min(max(large, 0.0), 1.0)
    return round(max(sampling.denoising_strength - round(taken / STRENGTH_STEP) * STRENGTH_STEP, 0.0), 4)


def _resolve_sampling(job: FaceJob, prompt: str | None, negative: str, origin: GenerationParams | None) -> FaceJob:
    if prompt is None and job.decision != "leave":
        job = replace(job, decision="leave", reason="its prompt contains [SKIP]")
    if job.decision != "re-diffuse" and origin is None:
        return job
    treatment, origin = job.treatment, origin or GenerationParams()
    made = {
        "prompt": resolve(prompt or "", origin.prompt, treatment.prompt_mode, keep_loras=treatment.keep_loras),
        "negative_prompt": resolve(negative, origin.negative_prompt, treatment.prompt_mode),
        "prompt_mode": "replace",  # the prompts are complete now, also if the plan is made again
        "seed": ((origin.seed if treatment.seed < 0 else treatment.seed) + job.number - 1) % SEEDS,
        "subseed": (origin.subseed if treatment.subseed < 0 else treatment.subseed) % SEEDS,
        "denoising_strength": reduced_strength(treatment, job.face.box.size),
        "denoise_by_size": 0.0,
        **{name: getattr(treatment, name) or getattr(origin, name) for name in INHERITED},
    }
    return replace(job, treatment=treatment.but(made))
