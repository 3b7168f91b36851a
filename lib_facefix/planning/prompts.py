"""What each face is redrawn with: prompt, seeds and strength, worked out from the settings and the picture's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..settings.face_prompt import FacePrompt, GenerationParams, read_negative_prompt, read_prompt, resolve
from ..settings.sampling import Sampling
from .grouping import as_the_first, group_jobs, merge_jobs
from .plan import FaceJob

SMALL, LARGE = 64, 512
"""Sizes of a face in pixels between which `denoise_by_size` takes more and more away."""
STEP = 0.05
"""What is taken away is rounded to it, so that faces of like size share a sampling run."""
SEEDS = 2**32
"""Seeds count round from here to 0."""
INHERITED = ("steps", "sampler", "scheduler", "cfg_scale", "clip_skip")
"""Settings whose blank or 0 is the picture's own, where it is known."""


def drawn_up(
    jobs: Sequence[FaceJob], everyone: Sampling, size: tuple[int, int], origin: GenerationParams | None
) -> list[FaceJob]:
    """Return the jobs, in the order of fixing, with all that re-diffusing them needs.

    everyone: the settings of all faces; size: the picture's width and height. origin: what the picture was made from;
    without one, nothing is worked out for faces that are not to be re-diffused. A face whose prompt says [SKIP] is
    left alone. Raises `BadSetting`.
    """
    prompts = _texts(jobs, everyone, "prompt", read_prompt, size)
    negatives = _texts(jobs, everyone, "negative_prompt", read_negative_prompt, size)
    return _merge_settings(
        [_drawn_up(job, prompts[job.number], negatives[job.number] or "", origin) for job in jobs], jobs
    )


def _merge_settings(drawn: Sequence[FaceJob], asked: Sequence[FaceJob]) -> list[FaceJob]:
    """Return what is drawn up, of merged faces by the first one's settings, its strength by the size of all of them.

    asked: the same jobs before anything was worked out.
    """
    for first, *others in group_jobs(drawn):
        if others:
            [of] = (job.treatment for job in asked if job.number == first.number)
            size = merge_jobs([first, *others]).face.box.size
            treatment = first.treatment.but({"denoising_strength": strength(of, size)})
            return as_the_first(drawn, replace(first, treatment=treatment))
    return list(drawn)


def _texts(
    jobs: Sequence[FaceJob],
    everyone: Sampling,
    name: str,
    read: Callable[[str], FacePrompt],
    size: tuple[int, int],
) -> dict[int, str | None]:
    """Return by number the text of each face, None where it is to be left; of one that is, as if it were alone."""
    asked = [job for job in jobs if job.decision != "leave"]
    texts = read(getattr(everyone, name)).parts_for([(job.number, job.face) for job in asked], size)
    for job in jobs:
        own = getattr(job.treatment, name)
        if job.decision == "leave" or own != getattr(everyone, name):
            texts |= read(own).parts_for([(job.number, job.face)], size)
    return texts


def strength(sampling: Sampling, pixels: float) -> float:
    """Return the denoising strength of a face of this size, 0..1; what is taken away grows with its logarithm."""
    if not sampling.denoise_by_size:
        return sampling.denoising_strength
    large = math.log(max(pixels, 1.0) / SMALL) / math.log(LARGE / SMALL)
    taken = sampling.denoising_strength * sampling.denoise_by_size * min(max(large, 0.0), 1.0)
    return round(max(sampling.denoising_strength - round(taken / STEP) * STEP, 0.0), 4)


def _drawn_up(job: FaceJob, prompt: str | None, negative: str, origin: GenerationParams | None) -> FaceJob:
    if prompt is None and job.decision != "leave":
        job = replace(job, decision="leave", reason="its prompt says [SKIP]")
    if job.decision != "re-diffuse" and origin is None:
        return job
    treatment, origin = job.treatment, origin or GenerationParams()
    made = {
        "prompt": resolve(prompt or "", origin.prompt),
        "negative_prompt": resolve(negative, origin.negative_prompt),
        "seed": ((origin.seed if treatment.seed < 0 else treatment.seed) + job.number - 1) % SEEDS,
        "subseed": (origin.subseed if treatment.subseed < 0 else treatment.subseed) % SEEDS,
        "denoising_strength": strength(treatment, job.face.box.size),
        "denoise_by_size": 0.0,
        **{name: getattr(treatment, name) or getattr(origin, name) for name in INHERITED},
    }
    return replace(job, treatment=treatment.but(made))
