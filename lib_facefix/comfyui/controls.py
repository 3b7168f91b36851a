"""The settings as widgets of nodes: which node shows which setting, and how. Needs no ComfyUI.

Saved workflows store the values of a node by position. The order of the names below therefore never changes, and a new
setting comes last.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import BadSetting, suggest
from ..settings.detector_expression import choose_classes
from ..settings.face_settings import FaceSettings
from ..settings.options import Option, options

FIND = ("detector", "min_score", "angles", "landmarker", "max_detections")
CHOOSE = (
    "faces", "min_size", "max_size", "min_share", "max_share", "at_most", "keep_by", "order", "person_means",
    "person_within", "gender", "min_age", "max_age", "sharp_above", "large_above", "redraw_below",
)  # fmt: skip
FIX = (
    "method", "restorer", "fidelity", "visibility", "grain", "guard", "guard_model", "denoising_strength", "prompt",
    "negative_prompt",
)  # fmt: skip
MASK = (
    "mask", "mask_grow", "mask_feather", "mask_x", "mask_y", "mask_invert", "mask_merge", "parser", "occluder",
    "match_colour",
)  # fmt: skip
SAMPLING = ("padding", "upright_above", "denoise_by_size", "width", "height", "noise_multiplier", "prompt_mode")
UPSCALE = ("upscale", "upscaler")
OF_DETAILER = ("seed", "steps", "cfg_scale", "sampler", "scheduler")
"""Settings that Detail Faces has as widgets of its own, with the names of ComfyUI's KSampler."""
OF_WORKFLOW = ("person", "checkpoint", "vae", "clip_skip", "subseed", "keep_loras")
"""Settings that a workflow expresses with connections: an image, a model with its LoRAs, a VAE, a CLIP, and a seed."""
BY_NAME = ("detector",)
"""Settings that name a local file without its folder, in which FaceFix finds it."""
EXPRESSION = "_expression"
"""Ending of the text input beside the menu of a setting that is an expression."""
SEED_LIMIT = 2**32 - 1
"""Largest seed; larger ones of ComfyUI are reduced modulo 2^32."""

Kind = Literal["BOOLEAN", "INT", "FLOAT", "STRING", "COMBO"]
Files = Mapping[str, Mapping[str, str]]
"""Paths of local model files by setting and by the name in its menu."""


@dataclass(frozen=True, slots=True)
class Control:
    """A widget of a node."""

    name: str
    kind: Kind
    label: str
    help: str
    default: Any
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    multiline: bool = False


def make_controls(names: Sequence[str], files: Files) -> list[Control]:
    """Return the widgets of these settings, in this order."""
    known = {field.name: (field, option) for field, option in options(FaceSettings)}
    return [control for name in names for control in _make_control(*known[name], tuple(files.get(name, ())))]


def _make_control(field: dataclasses.Field[Any], known: Option, files: tuple[str, ...]) -> list[Control]:
    name = field.name
    default: Any = field.default
    help_text = f"{known.help} In {known.unit}." if known.unit else known.help
    if isinstance(default, bool):
        return [Control(name, "BOOLEAN", known.label, help_text, default)]
    if isinstance(default, int):
        high = 1_000_000 if known.high is None else known.high
        return [Control(name, "INT", known.label, help_text, default, known.low, high, known.step or 1)]
    if isinstance(default, float):
        return [Control(name, "FLOAT", known.label, help_text, default, known.low, known.high, known.step)]
    if not known.choices:
        return [Control(name, "STRING", known.label, help_text, default, multiline="prompt" in name)]
    names = {value: alias for alias, value in known.aliases.items()}
    choices = (*known.list_choices(), *(one for one in files if one not in known.choices()))
    menu = Control(name, "COMBO", known.label, help_text, names.get(default, default), choices=choices)
    if not known.reads:
        return [menu]
    label = f"{known.label} expression"
    text = f"Blank: the {known.label.lower()} above. Otherwise: {known.help[:1].lower()}{known.help[1:]}"
    return [menu, Control(f"{name}{EXPRESSION}", "STRING", label, text, "")]


def read_values(values: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """Return settings by name from the values of widgets: expressions replace menus, and paths replace file names."""
    read = {name: value for name, value in values.items() if not name.endswith(EXPRESSION)}
    expressions = {name.removesuffix(EXPRESSION): text for name, text in values.items() if name.endswith(EXPRESSION)}
    read |= {name: text.strip() for name, text in expressions.items() if text.strip()}
    return {name: find_path(name, value, files) for name, value in read.items()}


def read_classes(values: Mapping[str, Any], classes: str) -> dict[str, Any]:
    """Return the values of the widgets with these classes of the detector, as in "face, hand"; blank changes nothing.

    Raises `BadSetting` if the detector is not a single model file.
    """
    names = tuple(filter(None, map(str.strip, classes.split(","))))
    if not names:
        return dict(values)
    expression = str(values.get(f"detector{EXPRESSION}", "")).strip()
    chosen = choose_classes(expression or str(values["detector"]), names)
    return {**values, f"detector{EXPRESSION}": chosen}


def find_path(name: str, value: Any, files: Files) -> Any:
    """Return the path of a local model file that a setting names, or the value itself."""
    by_path = name in files and name not in BY_NAME and isinstance(value, str)
    return files[name].get(value, value) if by_path else value


def check_choice(label: str, value: str, choices: Sequence[str]) -> None:
    """Raise `BadSetting` if a value is not one of ComfyUI's choices."""
    if value not in choices:
        like = suggest(value, choices)
        raise BadSetting(f"{label} must be one of {', '.join(choices)}; not {value!r}.{like}".removesuffix("."))
