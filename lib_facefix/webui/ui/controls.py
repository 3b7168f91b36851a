"""The controls of a pass as plain data: their kind, their place, and when they have no effect."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import Field, asdict, dataclass
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
UNSET = {
    **dict.fromkeys(("steps", "cfg_scale", "clip_skip", "noise_multiplier", "seed", "subseed"), AS_IMAGE),
    **dict.fromkeys(("width", "height"), "Native size of the model"),
    "mask_feather": "Automatic",
    "max_size": "No limit",
    "max_age": "No limit",
    "at_most": "All faces",
}
"""What the default of a number means, if it stands for another value: such a number gets a tick box."""
FIRST_VALUES = {
    "steps": 20,
    "cfg_scale": 7.0,
    "clip_skip": 1,
    "noise_multiplier": 1.0,
    "seed": 1,
    "subseed": 1,
    "width": 512,
    "height": 512,
    "mask_feather": 0.15,
    "max_size": 512,
    "max_age": 60,
    "at_most": 1,
}
"""Values of these numbers when their box is ticked."""
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
    only: str = ""
    """The only method, besides "auto", that uses the setting. Blank: all methods use it."""
    default: Any = None
    unset: str = ""
    """Meaning of the default of a number with a tick box; blank: it has none."""
    first: float | None = None
    """Value of such a number when its box is ticked."""


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
        only=known.only,
        default=field.default,
        unset=UNSET.get(field.name, ""),
        first=FIRST_VALUES.get(field.name),
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

HEAD = (("method",),)
"""Rows of settings beside the presets."""
TOP = (
    ("denoising_strength", "fidelity"), ("prompt",), ("negative_prompt",), ("restorer", "visibility"), ("skip_img2img",)
)  # fmt: skip
"""Rows of settings that are always visible, below the presets."""
SECTIONS = {
    "Which faces": (("detector",), ("min_score", "faces"), ("min_size", "max_size"), ("at_most", "keep_by")),
    "Mask": (("mask",), ("mask_grow", "mask_feather"), ("match_colour", "inpaint")),
    "Sampling": (
        ("width", "height"), ("steps", "cfg_scale"), ("sampler", "scheduler"), ("checkpoint", "vae"),
        ("padding", "seed"),
    ),
    "Advanced": (("guard", "guard_model"), ("grain", "only_hires")),
}  # fmt: skip
"""Rows of settings in each closed section, by its title."""
GROUPS = {"Which faces": ("find", "choose"), "Mask": ("mask",), "Sampling": ("sampling",), "Advanced": ("fix", "pass")}
"""Groups of settings whose rest is under *More settings* in a section, by its title."""
SHOWN_WITH = {"keep_by": "at_most", "person_means": "person", "person_within": "person", "guard_model": "guard"}
"""Settings that are hidden while another one is blank, unset, or off."""
BESIDE_CLASSES = ("each_class",)
"""Settings below the menu of classes."""
PLACED_BY_PAGE = ("active", *BESIDE_CLASSES)
"""Settings that the page places itself; the first is on the title of a pass."""
FULL_WIDTH = ("person",)
"""Settings with a row of their own, for long texts."""
ONLY_IMG2IMG, ONLY_TXT2IMG = ("inpaint", "skip_img2img"), ("only_hires",)

Rows = tuple[tuple[str, ...], ...]


def rare_rows(title: str) -> Rows:
    """Return the rows under *More settings* of one section, in the order of the settings' declarations."""
    placed = {*PLACED_BY_PAGE, *(name for rows in (HEAD, TOP, *SECTIONS.values()) for row in rows for name in row)}
    groups = [_of_group(group, placed) for group in GROUPS[title]]
    return tuple(row for names in groups for row in _in_twos(names))


def describe_form(host_list: Callable[[str], Sequence[str]], hidden: Collection[str] = ()) -> dict[str, Any]:
    """Return the form of a pass for lib_facefix/webui/page/form.js. hidden: settings without a control."""

    def keep(rows: Rows) -> list[list[str]]:
        kept = ([name for name in row if name not in hidden] for row in rows)
        return [row for row in kept if row]

    fields = {field.name: asdict(make_control(field, known, host_list)) for field, known in OFFERED}
    sections = [
        {"title": title, "rows": keep(rows), "more": keep(rare_rows(title))} for title, rows in SECTIONS.items()
    ]
    layout = {"head": keep(HEAD), "top": keep(TOP), "sections": sections, "besideClasses": keep((BESIDE_CLASSES,))}
    return {"fields": fields, **layout, "shownWith": SHOWN_WITH, "found": list(FOUND), "listed": list(LISTED)}


def _of_group(group: str, placed: Collection[str]) -> Iterator[str]:
    return (field.name for field, known in OFFERED if known.group == group and field.name not in placed)


def _in_twos(names: Iterator[str]) -> Rows:
    rows: list[tuple[str, ...]] = []
    for name in names:
        if rows and len(rows[-1]) == 1 and not {name, *rows[-1]} & {*FULL_WIDTH}:
            rows[-1] = (*rows[-1], name)
        else:
            rows.append((name,))
    return tuple(rows)


FOUND = tuple(field.name for field, known in OFFERED if known.found)
"""Settings whose choices include model files, which the page can look for again."""
LISTED = tuple(field.name for field, known in OFFERED if known.host in ("checkpoints", "vaes"))
"""Settings with lists that the host reads from its folders, and can read again."""

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
