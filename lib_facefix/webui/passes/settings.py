"""The settings of one pass in the WebUI, and the script arguments that carry them.

API clients send [true, {unit}, {unit}], or [{unit}, {unit}]: if there is a dict, the dicts are the passes, and all
other arguments but the first are ignored. A unit has setting names as keys; missing settings have their defaults. The
page sends [enabled, text], and the text is the JSON of a list of units.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import BadSetting, quote_value
from ...settings.face_settings import FaceSettings
from ...settings.options import Option, is_number, option, options

INPAINT = ("all", "inside", "outside")
ELSEWHERE = {
    "upscale": "use the WebUI's own upscaling (Hires. fix, Extras)",
    "upscaler": "use the WebUI's own upscaling (Hires. fix, Extras)",
}
"""Settings of the library that a pass does not have, with the alternative."""


_GUARD = next(known for field, known in options(FaceSettings) if field.name == "guard")


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSettings(FaceSettings):
    """One pass over the faces of an image."""

    guard: str = dataclasses.field(default="report", metadata={"option": _GUARD})
    """As in the library, but a generated image has no person to keep: FaceFix only reports a drift."""
    active: bool = option(True, "Active", group="pass", help="Whether to run this pass.")
    each_class: bool = option(
        False, "One pass for each class", group="find",
        help="Fixes the classes of the detector one after another, each in the result of the one before.",
    )  # fmt: skip
    inpaint: str = option(
        "all", "Inpainted faces", choices=lambda: INPAINT, group="mask",
        help="Faces to fix after inpainting: all, or only those inside or outside the inpainted area.",
    )  # fmt: skip
    skip_img2img: bool = option(
        False, "Fix only, skip img2img", group="pass",
        help="Fix only the faces of the input image, without img2img.",
    )  # fmt: skip
    only_hires: bool = option(
        False, "Only with Hires. fix", group="pass",
        help="Skip this pass in txt2img runs without Hires. fix.",
    )  # fmt: skip

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PassSettings:
        """Return the pass for values by setting; raises `BadSetting` for an unknown name or invalid value."""
        known = [field.name for field, _ in OFFERED]
        for name in values:
            if name in ELSEWHERE:
                raise BadSetting(f"{name!r} is not a setting of a pass; {ELSEWHERE[name]}")
            if name not in known:
                raise BadSetting(f"unknown setting {name!r}; available: {', '.join(known)}")
        return cls(**values)


OFFERED: tuple[tuple[dataclasses.Field[Any], Option], ...] = tuple(
    (field, known) for field, known in options(PassSettings) if field.name not in ELSEWHERE
)
"""Settings of a pass, in the order in which they are shown, sent and recorded."""

MAX_PASSES = 10
"""Largest number of passes that an API client can send, because hosts cut off surplus arguments."""
SETTING_TYPES = {field.name: type(field.default) for field, _ in OFFERED}

Unit = dict[str, Any]
"""Unchecked values of one pass, by setting."""


def read_passes(args: Sequence[Any]) -> tuple[PassSettings, ...]:
    """Return the active passes, in order; none if FaceFix is off.

    Raises `BadSetting` with the pass and the setting. Inactive passes are checked too, if they came as units.
    """
    if not is_on(args):
        return ()
    named = bool(_parse_named(args))
    units = [(n, unit) for n, unit in enumerate(read_units(args), start=1) if named or unit.get("active") is not False]
    passes = [read_pass(unit, number) for number, unit in units]
    return tuple(settings for settings in passes if settings.active)


def is_on(args: Sequence[Any]) -> bool:
    """Return whether FaceFix is on; raises `BadSetting` unless the first argument is true, false, or a unit."""
    enabled = args[0] if args and args[0] is not None else False
    if isinstance(enabled, Mapping):
        return True
    if type(enabled) is not bool:
        raise BadSetting(
            f"FaceFix's first argument must be true or false, as in [true, {{...}}], or a pass; not {enabled!r}"
        )
    return enabled


def read_units(args: Sequence[Any]) -> list[Unit]:
    """Return the values of every pass, active or not; at least one. Raises `BadSetting`.

    The page sends its text once for each place of a unit. The rarest one counts, because a host that reads the infotext
    of an API request, like a client with a text, changes one place only, and fills the others with defaults.
    """
    texts = [*args[1:]]
    return _parse_named(args) or parse_units(min(texts, key=texts.count, default=None))


def parse_units(text: Any) -> list[Unit]:
    """Return the values of every pass from the page's text; one pass if it is blank. Raises `BadSetting`."""
    if text is None or text == "":
        return [{}]
    try:
        units = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        units = None
    if not units or not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        raise BadSetting(f"FaceFix's passes must be objects, as in [true, {{...}}]; not {quote_value(text)}")
    return units


def read_pass(unit: Mapping[str, Any], number: int) -> PassSettings:
    """Return the pass with these values; raises `BadSetting` with its number. number: from 1."""
    try:
        return PassSettings.from_json({name: fit_type(value, SETTING_TYPES.get(name)) for name, value in unit.items()})
    except BadSetting as error:
        raise BadSetting(f"pass {number}: {error}") from error


def fit_type(value: Any, kind: type | None) -> Any:
    """Convert a whole float to int, or an int to float, if that is `kind`: gradio and JSON mix them up."""
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if kind is float and type(value) is int and is_number(value):
        return float(value)
    return value


def page_args(passes: Sequence[PassSettings]) -> list[Any]:
    """Return the arguments of a page that shows these passes; without passes, FaceFix is off, as on a new page."""
    return [bool(passes), write_units([changed_values(settings) for settings in passes])]


def write_units(units: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of `parse_units`."""
    return json.dumps([*units] or [{}], ensure_ascii=False, separators=(",", ":"))


def changed_values(settings: PassSettings) -> Unit:
    """Return the values that differ from the defaults, by setting, in the order of OFFERED."""
    values = ((field, getattr(settings, field.name)) for field, _ in OFFERED)
    return {field.name: value for field, value in values if value != field.default}


def _parse_named(args: Sequence[Any]) -> list[Unit]:
    return [dict(arg) for arg in args if isinstance(arg, Mapping)]
