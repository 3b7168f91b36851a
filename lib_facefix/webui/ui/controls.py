"""The controls of a pass as plain data: their kind, their place, and when they have no effect."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import Field, dataclass
from typing import Any

from ...registry import Registry
from ...settings.options import Option
from ..passes.settings import OFFERED

AS_IMAGE = "Same as image"
"""Label of the blank choice of a host's list."""
MISSING, NOT_INSTALLED = "missing restorers", " (not installed)"
"""Name of the list of restorers that are not installed, and what is added to their labels."""
TEXT_LINES = {"prompt": 2, "negative_prompt": 2}
NOT_FOR_A_PASS = {"method": ("leave",)}
"""Choices for single faces only; to skip all faces, switch the pass off."""
MAX_SLIDER_STEPS = 10_000
"""Largest number of steps of a slider; above it, the control is a number box."""
MAX_RADIO_LENGTH = 10
"""Longest choice of radio buttons, in characters; longer ones get a dropdown."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control, before any toolkit has made it."""

    name: str
    kind: str
    """One of checkbox, radio, dropdown, slider, number, textbox."""
    label: str
    hint: str
    pairs: tuple[tuple[str, str], ...] = ()
    """Choices as pairs: the shown text and the sent value."""
    typed: bool = False
    """Whether a value outside the choices can be typed."""
    low: float | None = None
    high: float | None = None
    step: float = 1
    whole: bool = False
    """Whether a number has no fraction."""
    lines: int = 1


def make_control(field: Field[Any], known: Option, host_list: Callable[[str], Sequence[str]]) -> Control:
    """Return the control of one setting. host_list: returns the names in one of the host's lists."""
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
    """Return the best kind of control for a setting: a value of `Control.kind`."""
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
    """Return the choices of a setting as pairs: the shown text and the sent value."""
    if known.host:
        return (AS_IMAGE, ""), *((entry, entry) for entry in host_list(known.host))
    found = host_list(known.found) if known.found else ()
    if registry := _registry_of(known):
        named = [(info.label, info.name) for info in registry]
    else:
        choices = known.choices() if known.choices else ()
        left_out = NOT_FOR_A_PASS.get(name, ())
        labels = ((known.labels(one) if known.labels else one, one) for one in choices if one not in left_out)
        named = [(label[0].upper() + label[1:], choice) for label, choice in labels]
    missing = host_list(MISSING) if known.found == "restorers" else ()
    marked = ((f"{label}{NOT_INSTALLED if one in missing else ''}", one) for label, one in named)
    return *marked, *((file, file) for file in found)


def _registry_of(known: Option) -> Registry[object] | None:
    """Return the registry whose names are the setting's choices; None if it has other choices."""
    owner = getattr(known.choices, "__self__", None)
    return owner if isinstance(owner, Registry) else None


# Layout

TOP_ROWS = (("denoising_strength", "fidelity"), ("prompt",), ("negative_prompt",), ("restorer", "visibility"))
"""Rows of settings that are always visible, below the method and the presets."""
SECTIONS = {"Which faces": ("find", "choose"), "Mask": ("mask",), "Sampling": ("sampling",)}
"""Groups of settings in each closed section, by its title."""
PLACED_BY_ACCORDION = ("method", "active", "skip_img2img", "only_hires")
"""Settings that the accordion places itself."""
BESIDE_CLASSES = ("each_class",)
"""Settings beside the menu of classes, below the detector."""
FULL_WIDTH = ("mask", "padding", "detector")
"""Settings with a row of their own, for long texts or for better pairs after them."""
ONLY_IMG2IMG, ONLY_TXT2IMG = ("inpaint", "skip_img2img"), ("only_hires",)

Rows = tuple[tuple[str, ...], ...]


def top_rows() -> Rows:
    """Return the rows that are always visible: `TOP_ROWS`, then the rest of the group."""
    placed = {name for row in TOP_ROWS for name in row}
    return *TOP_ROWS, *_in_twos(name for name in _of_group("fix") if name not in placed)


def section_rows(title: str) -> Rows:
    """Return the rows of one section, in the order of the settings' declarations."""
    return tuple(row for group in SECTIONS[title] for row in _in_twos(_of_group(group)))


def _of_group(group: str) -> Iterator[str]:
    placed = (*PLACED_BY_ACCORDION, *BESIDE_CLASSES)
    return (field.name for field, known in OFFERED if known.group == group and field.name not in placed)


def _in_twos(names: Iterator[str]) -> Rows:
    rows: list[tuple[str, ...]] = []
    for name in names:
        if rows and len(rows[-1]) == 1 and not {name, *rows[-1]} & {*FULL_WIDTH}:
            rows[-1] = (*rows[-1], name)
        else:
            rows.append((name,))
    return tuple(rows)


# Settings without effect

_ONLY = {field.name: known.only for field, known in OFFERED if known.only}
AFFECTED = tuple(_ONLY)
"""Settings that some method ignores."""
_BECAUSE = {
    "restore": "no restorer is used",
    "re-diffuse": "nothing is re-diffused",
    "auto": "only Auto uses it",
}


def why_idle(name: str, method: str) -> str:
    """Return why a setting has no effect with this method; blank if it has, or for the method `leave`."""
    only = _ONLY.get(name, method)
    return "" if method in ("auto", "leave", only) else f"No effect with {method.capitalize()}: {_BECAUSE[only]}."
