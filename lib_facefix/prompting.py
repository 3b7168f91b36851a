"""What each face is redrawn with: prompt, seeds and strength, worked out from the settings and the picture's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .jobs import FaceJob
from .prompts import Origin, read_negative_prompt, read_prompt, resolve
from .sampling import Sampling

SMALL, LARGE = 64, 512
"""Sizes of a face in pixels between which `denoise_by_size` takes more and more away."""
STEP = 0.05
"""What a lessened strength is rounded to, so that faces of like size share a sampling run."""
SEEDS = 2**32
"""Seeds count round from here to 0."""


def drawn_up(
    jobs: Sequence[FaceJob], everyone: Sampling, own: frozenset[int], size: tuple[int, int], origin: Origin | None
) -> list[FaceJob]:
    """Return the jobs, in the order of fixing, with all that re-diffusing them needs.

    everyone: the settings of all faces; own: the numbers of the faces with settings of their own; size: the picture's
    width and height. Without an origin the prompts stay as they are. A face whose prompt says [SKIP] is left alone.
    """
    asked = [(job.number, job.face) for job in jobs if job.decision != "leave"]
    prompts = read_prompt(everyone.prompt).parts_for(asked, size)
    negatives = read_negative_prompt(everyone.negative_prompt).parts_for(asked, size)
    for number, face in ((number, face) for number, face in asked if number in own):
        treatment = next(job.treatment for job in jobs if job.number == number)
        if treatment.prompt != everyone.prompt:
            prompts |= read_prompt(treatment.prompt).parts_for([(number, face)], size)
        if treatment.negative_prompt != everyone.negative_prompt:
            negatives |= read_negative_prompt(treatment.negative_prompt).parts_for([(number, face)], size)
    return [_drawn_up(job, prompts.get(job.number, ""), negatives.get(job.number) or "", origin) for job in jobs]


def strength(sampling: Sampling, pixels: float) -> float:
    """Return the denoising strength of a face of this size, 0..1; what is taken away grows with its logarithm."""
    if not sampling.denoise_by_size:
        return sampling.denoising_strength
    large = math.log(max(pixels, 1.0) / SMALL) / math.log(LARGE / SMALL)
    lessened = sampling.denoising_strength * (1 - sampling.denoise_by_size * min(max(large, 0.0), 1.0))
    return round(round(lessened / STEP) * STEP, 2)


def _drawn_up(job: FaceJob, prompt: str | None, negative: str, origin: Origin | None) -> FaceJob:
    if job.decision == "leave":
        return job
    if prompt is None:
        return replace(job, decision="leave", reason="its prompt says [SKIP]")
    if job.decision != "re-diffuse" or origin is None:
        return job
    treatment = job.treatment
    made = {
        "prompt": resolve(prompt, origin.prompt),
        "negative_prompt": resolve(negative, origin.negative_prompt),
        "seed": ((origin.seed if treatment.seed < 0 else treatment.seed) + job.number - 1) % SEEDS,
        "subseed": (origin.subseed if treatment.subseed < 0 else treatment.subseed) % SEEDS,
        "denoising_strength": strength(treatment, job.face.box.size),
        "denoise_by_size": 0.0,
    }
    return replace(job, treatment=treatment.but(made))
