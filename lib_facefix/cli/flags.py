"""Makes flags from the settings, and settings from the flags that were given."""

import argparse
from collections.abc import Collection, Sequence
from typing import Any

from ..errors import BadSetting
from ..settings.face_settings import FaceSettings
from ..settings.options import Option, options
from ..settings.runtime import Runtime
from ..settings.treatment import Overrides
from .parser import Parser

TITLES = {
    "fix": "restoration",
    "mask": "mask",
    "sampling": "re-diffusion (needs Stable Diffusion)",
    "find": "face detection",
    "choose": "face selection",
    "upscale": "upscaling",
}
"""Titles of the groups of flags in the help, by the group of the settings."""
ALIASES = {
    "at_most": "--max-faces",
    "min_score": "--confidence",
    "person_means": "--person-mode",
    "person_within": "--person-distance",
    "redraw_below": "--rediffuse-below",
    "upright_above": "--straighten-above",
}
"""Clearer names of flags, by setting. The flag with the name of the setting works, too."""
EVERYDAY = (
    *("method", "restorer", "fidelity", "visibility", "mask", "upscale", "upscaler"),
    *("detector", "min_score", "faces", "at_most", "person"),
)
"""Settings whose flags --help shows. --help-all shows all flags."""


def add_settings(parser: Parser, groups: Collection[str] = tuple(TITLES)) -> None:
    """Add one flag for each setting of the groups to a parser."""
    sections = {name: parser.add_argument_group(TITLES[name]) for name in groups}
    for field, known in options(FaceSettings):
        if known.group in sections:
            flag = _add_flag(sections[known.group], field, known)
            if field.name not in EVERYDAY:
                parser.hide([flag])
    if "choose" not in sections:
        return
    sections["choose"].add_argument(
        "--face",
        action="append",
        default=[],
        metavar="N:NAME=VALUE",
        help='a setting for face N only, such as "3:fidelity=0.9" or "2:method=leave" (repeatable)',
    )


def add_runtime(parser: Parser) -> Any:
    """Add the flags for models and hardware to a parser. Return their group."""
    section = parser.add_argument_group("models and hardware")
    parser.hide([_add_flag(section, field, known) for field, known in options(Runtime)])
    return section


def add_inputs(parser: Parser, more: str = "") -> None:
    """Add the images to a parser. more: further inputs that the command accepts, for the help."""
    text = f"image, folder, or pattern such as 'old/*.jpg'{more}"
    parser.add_argument("inputs", nargs="*", metavar="IMAGE", help=text)


def add_salvage(parser: Parser) -> None:
    """Add the flag that takes what there is of a file that is cut off."""
    text = "use the readable part of JPEGs that are cut off"
    parser.hide([parser.add_argument("--salvage", action="store_true", help=text)])


def add_overwrite(section: Any) -> None:
    """Add the flag that lets outputs replace files of others to a parser, or to a group of one."""
    section.add_argument(
        "--overwrite", action="store_true", help="replace existing outputs, even those that FaceFix did not write"
    )


def read_inputs(arguments: argparse.Namespace) -> list[str]:
    """Return the given images. Raises `BadSetting` if there are none."""
    if not arguments.inputs:
        raise BadSetting("give at least one image, folder, or pattern such as 'old/*.jpg'")
    return list(arguments.inputs)


def read_runtime(arguments: argparse.Namespace) -> Runtime:
    """Return the runtime settings that the flags give. Raises `BadSetting`."""
    return Runtime(**_given_flags(arguments, Runtime))


def read_settings(arguments: argparse.Namespace) -> FaceSettings:
    """Return the settings that the flags give. Raises `BadSetting`."""
    return FaceSettings.from_json(_given_flags(arguments, FaceSettings))


def read_overrides(arguments: argparse.Namespace) -> Overrides:
    """Return the settings that --face gives for single faces. Raises `BadSetting`."""
    from ..planning.planner import read_override  # here, as it imports numpy

    overrides: dict[int, dict[str, Any]] = {}
    for text in arguments.face:
        number, changes = read_override(text)
        overrides.setdefault(number, {}).update(changes)
    for number, changes in overrides.items():
        try:
            read_settings(arguments).face_treatment().but(changes)
        except BadSetting as error:
            raise BadSetting(f"--face {number}: {error}") from error
    return overrides


def read_face_numbers(arguments: argparse.Namespace) -> dict[str, frozenset[int]]:
    """Return the face numbers that --faces and --face name, by their text."""
    from ..settings.face_prompt import read_numbers

    texts = [text.strip() for text in (arguments.faces or "").split(",")]
    texts += [text.partition(":")[0].strip() for text in arguments.face]
    return {text: read_numbers(text) for text in texts if text}


def list_given_settings(arguments: argparse.Namespace) -> Sequence[str]:
    """Return the names of all given flags that are settings."""
    return [_flag_name(name) for name in _given_flags(arguments, FaceSettings)] + (["--face"] if arguments.face else [])


def list_given_runtime(arguments: argparse.Namespace) -> Sequence[str]:
    """Return the names of all given flags for models and hardware."""
    return [_flag_name(name) for name in _given_flags(arguments, Runtime)]


def _add_flag(section: Any, field: Any, known: Option) -> argparse.Action:
    names = [ALIASES[field.name]] if field.name in ALIASES else []
    text = _make_help(known, field.default)
    flag: argparse.Action = section.add_argument(
        *names, _flag_name(field.name), dest=field.name, default=None, help=text, **_argparse_options(field, known)
    )
    return flag


def _given_flags(arguments: argparse.Namespace, settings: type) -> dict[str, Any]:
    """Return the values of all given flags, by setting."""
    values = {field.name: getattr(arguments, field.name, None) for field, _ in options(settings)}
    return {name: value for name, value in values.items() if value is not None}


def _flag_name(name: str) -> str:
    return "--" + name.replace("_", "-")


def _argparse_options(field: Any, known: Option) -> dict[str, Any]:
    """Return the arguments that tell argparse how to read a flag. The settings check their ranges themselves."""
    kind = type(field.default)
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if known.choices:
        return {"metavar": "NAME", "type": str}
    return {"type": kind, "metavar": {int: "N", float: "X", str: "TEXT"}[kind]}


def _make_help(known: Option, default: object) -> str:
    """Return the label and the help, followed by the choices or the range and unit, and the default, in brackets."""
    facts = " | ".join(known.list_choices()) or known.unit
    if not known.choices and known.high is not None:
        facts = f"{known.low:g} to {known.high:g} {known.unit}".rstrip()
    shown = ("on" if default else "off") if isinstance(default, bool) else default
    shown = next((alias for alias, value in known.aliases.items() if value == default), shown)
    data = "; ".join(filter(None, [facts, f"default {'none' if shown == '' else shown}"]))
    return f"{known.label}. {known.help} [{data}]".replace("%", "%%").replace("  ", " ")
