"""The noise multiplier that the host's options set for all img2img runs."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from modules import shared

from ..passes.settings import PassSettings

MAX_NOISE = 1.5
"""Largest noise multiplier of the host's option, and of a pass."""


def inherit_noise(p: Any, passes: Iterable[PassSettings]) -> tuple[PassSettings, ...]:
    """Return the passes with the noise multiplier that faces inherit, unless it is 1.

    It is an option of the host that the infotext of txt2img leaves out, so the passes must record it.
    """
    own = getattr(p, "initial_noise_multiplier", None)
    own = shared.opts.initial_noise_multiplier if own is None else own
    passes = tuple(passes)
    if own == 1 or not 0 <= own <= MAX_NOISE:
        return passes
    return tuple(dataclasses.replace(one, noise_multiplier=own) if one.noise_multiplier < 0 else one for one in passes)
