"""Old names of samplers, which end in their schedule type: "DPM++ 2M Karras"."""

from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module

from ..config.choices import is_known_choice
from .settings import PassSettings


def rename_samplers(passes: Iterable[PassSettings]) -> tuple[PassSettings, ...]:
    """Return the passes with the names of samplers and schedule types that the host itself uses for old names."""
    return tuple(map(rename_sampler, passes))


def rename_sampler(settings: PassSettings) -> PassSettings:
    """Return a pass with the sampler and the schedule type that an old name stands for; unknown names stay.

    Without a schedule type of its own, the pass gets the one in the name, as the host does it.
    """
    if not settings.sampler or is_known_choice("samplers", settings.sampler):
        return settings
    convert = getattr(import_module("modules.sd_samplers"), "get_sampler_and_scheduler", None)
    if convert is None:  # in older hosts, the schedule is part of the sampler
        return settings
    sampler, scheduler = convert(settings.sampler, settings.scheduler or None)
    known = is_known_choice("samplers", sampler) and settings.sampler.lower().startswith(f"{sampler} ".lower())
    return replace(settings, sampler=sampler, scheduler=scheduler) if known else settings
