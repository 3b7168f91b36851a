"""Flags made from the settings, and settings made from flags."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from typing import Any

from ..errors import BadSetting
from ..options import Option, options
from ..planning import Overrides, read_override
from ..settings import FaceSettings

TITLES = {"fix": "how a face is fixed", "mask": "mask", "find": "finding faces", "choose": "which faces"}


def add_settings(parser: argparse.ArgumentParser, groups: Collection[str] = tuple(TITLES)) -> None:
    """Give `parser` one flag for each setting of the groups, under their titles."""
    sections = {name: parser.add_argument_group(TITLES[name]) for name in groups}
    for field, known in options(FaceSettings):
        if known.group in sections:
            add = sections[known.group].add_argument
            add(
                _flag(field.name), dest=field.name, default=None, help=_help(known, field.default), **_how(field, known)
            )
    if "choose" not in sections:
        return
    sections["choose"].add_argument(
        "--face",
        action="append",
        default=[],
        metavar="N:NAME=VALUE",
        help='a setting of face N alone, as in "3:fidelity=0.9" or "2:method=leave"; may be given often',
    )


def read_settings(arguments: argparse.Namespace) -> FaceSettings:
    """Return the settings that the flags give; raises `BadSetting`."""
    given = {field.name: getattr(arguments, field.name, None) for field, _ in options(FaceSettings)}
    return FaceSettings.from_json({name: value for name, value in given.items() if value is not None})


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
    names = [field.name for field, _ in options(FaceSettings) if getattr(arguments, field.name) is not None]
    return [_flag(name) for name in names] + (["--face"] if arguments.face else [])


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
