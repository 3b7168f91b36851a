"""Script arguments, as a WebUI hands them on, to passes and back.

Its UI sends them flat: [enabled, *values of OFFERED for pass 1, *for pass 2, ...]. Over the API they may be
[true, {unit}, {unit}] instead: where there is a dict behind the first, the dicts are the passes and all else is
ignored. A unit has the names of settings for keys; what it leaves out has its default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import BadSetting
from ...settings.options import is_number
from .settings import OFFERED, PassSettings

VALUES_PER_PASS = len(OFFERED)
"""How many values the UI sends for one pass."""
SETTING_TYPES = {field.name: type(field.default) for field, _ in OFFERED}

Unit = dict[str, Any]
"""Values of one pass by the names of settings, not yet checked."""


def read_passes(args: Sequence[Any]) -> tuple[PassSettings, ...]:
    """Return the passes that are to be done, in order; none where FaceFix is off.

    Raises `BadSetting` naming pass and key. Of passes that are off, those that were named are checked as well.
    """
    if not is_on(args):
        return ()
    named = bool(_parse_named(args))
    units = [(n, unit) for n, unit in enumerate(read_units(args), start=1) if named or unit.get("active") is not False]
    passes = [read_pass(unit, number) for number, unit in units]
    return tuple(one for one in passes if one.active)


def is_on(args: Sequence[Any]) -> bool:
    """Return whether FaceFix is on; raises `BadSetting` unless the first argument is true or false."""
    enabled = args[0] if args and args[0] is not None else False
    if type(enabled) is not bool:
        raise BadSetting(f"FaceFix's first argument must be true or false, as in [true, {{...}}]; not {enabled!r}")
    return enabled


def read_units(args: Sequence[Any]) -> list[Unit]:
    """Return what the arguments say of every pass, on or off; at least one."""
    flat = list(args[1:]) or [None] * VALUES_PER_PASS
    return _parse_named(args) or [
        _parse_positional(flat[start : start + VALUES_PER_PASS], start == 0)
        for start in range(0, len(flat), VALUES_PER_PASS)
    ]


def read_pass(unit: Mapping[str, Any], number: int) -> PassSettings:
    """Return the pass of these values; raises `BadSetting` saying in which pass. number: from 1."""
    try:
        return PassSettings.from_json({name: fit_type(value, SETTING_TYPES.get(name)) for name, value in unit.items()})
    except BadSetting as error:
        raise BadSetting(f"pass {number}: {error}") from error


def fit_type(value: Any, kind: type | None) -> Any:
    """Return a whole float as int where that is the kind, and the other way round: gradio and JSON mix them up."""
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if kind is float and type(value) is int and is_number(value):
        return float(value)
    return value


def flatten(passes: Sequence[PassSettings], count: int) -> list[Any]:
    """Return what a UI of `count` passes shows for these, enabled first; passes beyond `count` are left out.

    With no passes it is what the UI starts with: FaceFix off, and the first pass ready.
    """
    spare = [PassSettings(active=not passes and number == 0) for number in range(len(passes), count)]
    shown = [*passes[:count], *spare]
    return [bool(passes), *(getattr(one, field.name) for one in shown for field, _ in OFFERED)]


def to_units(passes: Sequence[PassSettings]) -> list[Any]:
    """Return the arguments that stand for these passes over the API: [True, {unit}, ...]."""
    return [bool(passes), *map(changed_values, passes)]


def changed_values(one: PassSettings) -> Unit:
    """Return by name what differs from the defaults, in the order of OFFERED."""
    values = ((field, getattr(one, field.name)) for field, _ in OFFERED)
    return {field.name: value for field, value in values if value != field.default}


def _parse_named(args: Sequence[Any]) -> list[Unit]:
    return [dict(arg) for arg in args[1:] if isinstance(arg, Mapping)]


def _parse_positional(values: Sequence[Any], first: bool) -> Unit:
    """Return the pass whose values stand in the order of OFFERED; gradio's None for an empty box is the default."""
    given = zip(OFFERED, values, strict=False)  # the last pass may be cut short
    said = {field.name: fit_type(value, SETTING_TYPES[field.name]) for (field, _), value in given if value is not None}
    return {"active": first, **said}
