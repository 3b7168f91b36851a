"""What the controls of a pass are, where they stand, and when one has no effect: as data, without any toolkit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import Field, dataclass
from typing import Any

from ...registry import Registry
from ...settings.options import Option
from ..passes.settings import OFFERED

AS_IMAGE = "The picture's own"
"""How a blank choice out of a host's list is shown."""
TEXT_LINES = {"prompt": 2, "negative_prompt": 2}
NOT_FOR_A_PASS = {"method": ("leave",)}
"""Choices that only single faces have: a pass that leaves all alone is one switched off."""
MAX_SLIDER_STEPS = 10_000
"""A slider with more is hard to set; a number is typed instead."""
MAX_RADIO_LENGTH = 10
"""Letters a choice may have to stand in a row of buttons, which takes four at most."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control, before any toolkit has made it."""

    name: str
    kind: str
    """checkbox, radio, dropdown, slider, number, textbox"""
    label: str
    hint: str
    pairs: tuple[tuple[str, str], ...] = ()
    """To choose from: what is shown, what is sent."""
    typed: bool = False
    """Whether something may be typed that is not among the choices."""
    low: float | None = None
    high: float | None = None
    step: float = 1
    whole: bool = False
    """Of numbers: no fractions."""
    lines: int = 1


def make_control(field: Field[Any], known: Option, host_list: Callable[[str], Sequence[str]]) -> Control:
    """Return the control of one setting; `host_list` gives the names in one of the host's lists."""
    whole = type(field.default) is int
    return Control(
        field.name,
        choose_kind(field.default, known),
        known.label,
        " · ".join(part for part in (known.unit, known.help) if part),
        pairs=list_pairs(field.name, known, host_list),
        typed=bool(known.suffixes or known.host or known.reads),
        low=known.low,
        high=known.high,
        step=known.step or (1 if whole else 0.01),
        whole=whole,
        lines=TEXT_LINES.get(field.name, 1),
    )


def choose_kind(default: Any, known: Option) -> str:
    """Return what kind of control a setting is best shown as."""
    if known.choices and not _registry_of(known):
        few = (
            not known.suffixes
            and len(known.choices()) <= 4
            and all(len(choice) <= MAX_RADIO_LENGTH for choice in known.choices())
        )
        return "radio" if few else "dropdown"
    if known.choices or known.host:
        return "dropdown"
    if isinstance(default, bool | str):
        return "checkbox" if isinstance(default, bool) else "textbox"
    if known.low is None or known.high is None:
        return "number"
    return "number" if type(default) is int and known.high - known.low > MAX_SLIDER_STEPS else "slider"


def list_pairs(name: str, known: Option, host_list: Callable[[str], Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Return the choices of a setting as pairs: what is shown, what is sent."""
    if known.host:
        return (AS_IMAGE, ""), *((entry, entry) for entry in host_list(known.host))
    if registry := _registry_of(known):
        found = host_list(known.found) if known.found else ()
        return *((info.label, info.name) for info in registry), *((name, name) for name in found)
    choices = known.choices() if known.choices else ()
    return tuple((choice[0].upper() + choice[1:], choice) for choice in choices if choice not in _left_out(name))


def _registry_of(known: Option) -> Registry[object] | None:
    """Return the registry that the setting's choices are the names of, if they are."""
    owner = getattr(known.choices, "__self__", None)
    return owner if isinstance(owner, Registry) else None


def _left_out(name: str) -> tuple[str, ...]:
    return NOT_FOR_A_PASS.get(name, ())


# Where they stand

TOP_ROWS = (("denoising_strength", "fidelity"), ("prompt",), ("negative_prompt",), ("restorer", "visibility"))
"""What is always in sight, row by row; the method stands above, beside the presets."""
SECTIONS = {"Which faces": ("find", "choose"), "Mask": ("mask",), "Sampling": ("sampling",)}
"""What can be unfolded, by title: the groups of settings in it."""
PLACED_BY_ACCORDION = ("method", "active", "skip_img2img")
"""What the accordion places itself."""
FULL_WIDTH = ("mask", "padding", "detector")
"""Settings that have a row to themselves: for long texts, or so that those after them pair well."""
ONLY_IMG2IMG = ("inpaint", "skip_img2img")

Rows = tuple[tuple[str, ...], ...]


def top_rows() -> Rows:
    """Return what is always in sight: the rows of TOP, then what else the group has."""
    placed = {name for row in TOP_ROWS for name in row}
    return *TOP_ROWS, *_in_twos(name for name in _of_group("fix") if name not in placed)


def section_rows(title: str) -> Rows:
    """Return the rows of one section, in the order in which the settings are declared."""
    return tuple(row for group in SECTIONS[title] for row in _in_twos(_of_group(group)))


def _of_group(group: str) -> Iterator[str]:
    return (field.name for field, known in OFFERED if known.group == group and field.name not in PLACED_BY_ACCORDION)


def _in_twos(names: Iterator[str]) -> Rows:
    rows: list[tuple[str, ...]] = []
    for name in names:
        if rows and len(rows[-1]) == 1 and not {name, *rows[-1]} & {*FULL_WIDTH}:
            rows[-1] = (*rows[-1], name)
        else:
            rows.append((name,))
    return tuple(rows)


# When one has no effect

_ONLY = {field.name: known.only for field, known in OFFERED if known.only}
AFFECTED = tuple(_ONLY)
"""Every setting that some method does not look at."""
_BECAUSE = {
    "restore": "no restorer is used",
    "re-diffuse": "nothing is re-diffused",
    "auto": "only Auto looks at it",
}


def why_idle(name: str, method: str) -> str:
    """Return why a setting has no effect with this method; blank if it has, or if no pass has that method."""
    only = _ONLY.get(name, method)
    return "" if method in ("auto", "leave", only) else f"No effect with {method.capitalize()}: {_BECAUSE[only]}."
