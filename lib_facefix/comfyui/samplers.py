"""Samplers that give each face of a run the noise that it would have alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from comfy import samplers
from comfy.k_diffusion import sampling

NOISE_SAMPLER = "noise_sampler"
"""Parameter of ComfyUI's sampler functions that draw noise at each step."""
BROWNIAN = "_sde"
"""Part of the names of samplers whose noise follows a Brownian path, so that it is the same with any steps."""
RANDOM_MASK = "ddim"
"""Sampler that is Euler with another noise for the kept part. The noise of each face replaces it."""
SEED_OFFSET = 100_000
"""Added to the seed of the noise drawn at each step, so that it differs from the initial noise."""

NoiseSampler = Callable[[Any, Any], torch.Tensor]


def draw_noise(shape: Sequence[int], seeds: Sequence[int]) -> torch.Tensor:
    """Return the initial noise of all faces, (B, *shape), each from a seed of its own. shape: that of one face."""
    return torch.stack([torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def make_sampler(name: str, noise: torch.Tensor, seeds: Sequence[int], sigmas: torch.Tensor) -> Any:
    """Return ComfyUI's sampler of this name, which draws the noise of each face from a generator of its own.

    noise: the initial noise, (B, ...). seeds: one for each face. sigmas: noise levels of the steps.
    """
    made = samplers.ksampler("euler") if name == RANDOM_MASK else samplers.sampler_object(name)
    if NOISE_SAMPLER not in inspect.signature(made.sampler_function).parameters:
        return made
    own = [seed + SEED_OFFSET for seed in seeds]
    make = _follow_paths if BROWNIAN in name else _draw_steps
    extra = {**made.extra_options, NOISE_SAMPLER: make(noise, own, sigmas)}
    return samplers.KSAMPLER(made.sampler_function, extra, made.inpaint_options)


def _follow_paths(noise: torch.Tensor, seeds: list[int], sigmas: torch.Tensor) -> NoiseSampler:
    least, most = sigmas[sigmas > 0].min(), sigmas.max()
    made: NoiseSampler = sampling.BrownianTreeNoiseSampler(noise.to(sigmas), least, most, seed=seeds, cpu=True)
    return made


def _draw_steps(noise: torch.Tensor, seeds: list[int], sigmas: torch.Tensor) -> NoiseSampler:
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    shape = noise.shape[1:]

    def draw(sigma: Any, sigma_next: Any) -> torch.Tensor:  # noqa: ARG001 the samplers' form
        return torch.stack([torch.randn(shape, generator=one) for one in generators]).to(sigmas)

    return draw
