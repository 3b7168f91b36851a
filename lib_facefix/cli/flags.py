"""Flags made from the settings, and settings made from flags."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from typing import Any

from ..errors import BadSetting
from ..planning.planner import read_override
from ..settings.face_settings import FaceSettings
from ..settings.options import Option, options
from ..settings.runtime import Runtime
from ..settings.treatment import Overrides

TITLES = {
    "fix": "how a face is fixed",
    "mask": "mask",
    "sampling": "re-diffusing, where Stable Diffusion is at hand",
    "find": "finding faces",
    "choose": "which faces",
    "upscale": "making the picture larger",
}


def add_settings(parser: argparse.ArgumentParser, groups: Collection[str] = tuple(TITLES)) -> None:
    """Give `parser` one flag for each setting of the groups, under their titles."""
    sections = {name: parser.add_argument_group(TITLES[name]) for name in groups}
    for field, known in options(FaceSettings):
        if known.group in sections:
            _add(sections[known.group], field, known)
    if "choose" not in sections:
        return
    sections["choose"].add_argument(
        "--face",
        action="append",
        default=[],
        metavar="N:NAME=VALUE",
        help='a setting of face N alone, as in "3:fidelity=0.9" or "2:method=leave"; may be given often',
    )


def add_runtime(parser: argparse.ArgumentParser) -> Any:
    """Give `parser` one flag for each choice of what runs the models; return their group."""
    section = parser.add_argument_group("what runs the models")
    for field, known in options(Runtime):
        _add(section, field, known)
    return section


def add_salvage(parser: argparse.ArgumentParser) -> None:
    """Add the flag that takes what there is of a file that is cut off."""
    parser.add_argument("--salvage", action="store_true", help="use the readable part of JPEGs that are cut off")


def read_runtime(arguments: argparse.Namespace) -> Runtime:
    """Return what the flags choose to run the models; raises `BadSetting`."""
    return Runtime(**_given_flags(arguments, Runtime))


def read_settings(arguments: argparse.Namespace) -> FaceSettings:
    """Return the settings that the flags give; raises `BadSetting`."""
    return FaceSettings.from_json(_given_flags(arguments, FaceSettings))


def read_overrides(arguments: argparse.Namespace) -> Overrides:
    """Return the settings of single faces; raises `BadSetting`."""
    overrides: dict[int, dict[str, Any]] = {}
    for text in arguments.face:
        number, changes = read_override(text)
        overrides.setdefault(number, {}).update(changes)
    for number, changes in overrides.items():
        try:
            read_settings(arguments).of_one_face().but(changes)
        except BadSetting as error:
            raise BadSetting(f"--face {number}: {error}") from error
    return overrides


def given_settings(arguments: argparse.Namespace) -> Sequence[str]:
    """Return the flags of settings that were given."""
    return [_flag(name) for name in _given_flags(arguments, FaceSettings)] + (["--face"] if arguments.face else [])


def given_runtime(arguments: argparse.Namespace) -> Sequence[str]:
    """Return the flags of what runs the models that were given."""
    return [_flag(name) for name in _given_flags(arguments, Runtime)]


def _add(section: Any, field: Any, known: Option) -> None:
    how = _how(field, known)
    section.add_argument(_flag(field.name), dest=field.name, default=None, help=_help(known, field.default), **how)


def _given_flags(arguments: argparse.Namespace, settings: type) -> dict[str, Any]:
    """Return the values of the flags that were given, by the names of the settings."""
    values = {field.name: getattr(arguments, field.name, None) for field, _ in options(settings)}
    return {name: value for name, value in values.items() if value is not None}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _how(field: Any, known: Option) -> dict[str, Any]:
    """Return how argparse is to read the flag; ranges are checked by the settings themselves."""
    kind = type(field.default)
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if known.choices:
        return {"metavar": "NAME", "type": str}
    return {"type": kind, "metavar": {int: "N", float: "X", str: "TEXT"}[kind]}


def _help(known: Option, default: object) -> str:
    """Return the label, the help, what may be given, and the default."""
    parts = [known.label + (f" ({known.unit})" if known.unit else "")]
    if known.choices:
        parts.append(" | ".join(known.choices()))
    elif known.high is not None:
        parts.append(f"{known.low:g} .. {known.high:g}")
    shown = ("on" if default else "off") if isinstance(default, bool) else default
    return ("; ".join(parts) + f"; default {'none' if shown == '' else shown}. {known.help}").replace("%", "%%")
