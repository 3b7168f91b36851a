"""The runs over a batch: one for each pass, or for each class of its detector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...settings.detector_expression import split_classes
from .settings import PassSettings

NO_HIRES = "skipped, because Hires. fix is off"


@dataclass(frozen=True, slots=True)
class Run:
    """One run over the images of a batch."""

    settings: PassSettings
    title: str = ""
    """Pass and class, such as "pass 2, hand"; without the pass if it is the only one."""
    skipped: str = ""
    """Why it is skipped; blank: it is not."""
    number: int = 1
    """Number of its pass, from 1."""
    class_number: int = 0
    """Number of its class, from 1; 0: all classes together."""


def list_runs(passes: Sequence[PassSettings], *, hires: bool = True) -> tuple[Run, ...]:
    """Return the runs of some passes, in order; raises `BadSetting` if the classes of a detector cannot be separated.

    hires: whether passes that are only for Hires. fix are carried out.
    """
    return tuple(
        Run(
            settings,
            ", ".join(filter(None, (f"pass {number}" if len(passes) > 1 else "", name))),
            skipped,
            number,
            place,
        )
        for number, one in enumerate(passes, start=1)
        for place, name, settings in _split_pass(one)
        for skipped in [NO_HIRES if one.only_hires and not hires else ""]
    )


def _split_pass(settings: PassSettings) -> Iterator[tuple[int, str, PassSettings]]:
    """Yield the number and the name of each class, and the settings of its run; 0 and blank: all classes together."""
    classes = split_classes(settings.detector) if settings.each_class else ()
    for place, (name, detector) in enumerate(classes, start=1):
        yield place, name, replace(settings, detector=detector, each_class=False)
    if not classes:
        yield 0, "", settings
