"""The entries of FaceFix in an image's infotext, and the values of the controls when it is pasted.

    FaceFix format: 4, FaceFix method: re-diffuse, FaceFix denoising strength: 0.35,
    FaceFix face 1: re-diffused; box 10 12 90 99; seed 5, FaceFix face 2: skipped; box 110 12 150 60; too small (40 px)

Format 4 has an entry for each setting of a pass that differs from its default: the name of the setting, with spaces.
If there are several passes, "FaceFix passes" has their number, and "FaceFix pass 2 method" is a setting of the second
one. What became of each face is described in face_texts.py. "FaceFix failed" says why a run ended early.

Formats 1 to 3 were a single entry "FaceFix" in JSON, see json_infotext.py. They can still be read.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import BadSetting
from ...registry import BUILT_IN
from ...settings.face_prompt import GenerationParams
from ...settings.generation_info import read_fields
from . import json_infotext
from .face_texts import describe_error, describe_faces, describe_overrides, is_result, mark_size
from .runs import Run, list_runs
from .settings import SETTING_TYPES, PassSettings, changed_values, page_args, read_pass

if TYPE_CHECKING:
    from ...planning.plan import Outcome

KEY = "FaceFix"
"""Key of the entry of formats 1 to 3, and the first word of the keys of format 4."""
VERSION = 4
"""Format of written entries. A release that changes a default or adds a setting increases it."""
IN_WORDS = 4
"""First format with an entry for each setting."""
DEFAULTS: Mapping[int, Mapping[str, Any]] = {
    1: {"grain": 0.0, "keep_loras": False, "restorer": BUILT_IN},
    2: {"keep_loras": False, "restorer": BUILT_IN},
    3: {},
    4: {},
}
"""Defaults of older versions that differ from the current ones, so that old entries keep their meaning."""
FORMAT, PASSES, FAILED, SAID = f"{KEY} format", f"{KEY} passes", f"{KEY} failed", f"{KEY} said"
"""Keys of entries that are no settings; the last one is the summary in the extras tab."""
MAX_PASSES = 100
"""Largest number of passes that is read."""

Component = TypeVar("Component")
_LOG = logging.getLogger(__name__)
_IT = "the FaceFix entry of this infotext"
_BY_HAND = "; paste the whole infotext again, or set FaceFix by hand"
_OF_PASS = re.compile(r"(?:pass (\d{1,4}) )?(.+)", re.DOTALL)
_WORDS = {"true": True, "false": False}


def write(
    passes: Sequence[PassSettings],
    outcomes: Sequence[Sequence[Outcome]] | None = None,
    origin: GenerationParams | None = None,
    overrides: Mapping[int, Mapping[str, Any]] | None = None,
    *,
    runs: Sequence[Run] | None = None,
    failure: Exception | None = None,
) -> dict[str, str]:
    """Return the entries for one image, in order.

    outcomes: of the faces, for each finished run; None: not known yet. origin: generation parameters of the image;
    without them, all prompts of faces are recorded. overrides: settings of single faces, by number. runs: those of the
    passes, if some were skipped. failure: why a run failed, and with it all later ones.
    """
    entries = {FORMAT: str(VERSION)}
    if len(passes) != 1:
        entries[PASSES] = str(len(passes))
    for number, settings in enumerate(passes, start=1):
        start = f"{KEY} pass {number} " if len(passes) > 1 else f"{KEY} "
        for name, value in changed_values(settings).items():
            entries[start + name.replace("_", " ")] = _write_value(value)
    for number, changes in (overrides or {}).items():
        entries[f"{KEY} face {number} settings"] = describe_overrides(changes)
    done = zip(list_runs(passes) if runs is None else runs, outcomes or (), strict=False)
    for run, faces in done:
        entries |= {f"{KEY} {name}": text for name, text in describe_faces(run, faces, origin, len(passes) > 1)}
    if failure:
        entries[FAILED] = describe_error(failure)
    return entries


def quote(text: str) -> str:
    """Return the text of an entry as the host must be given it, so that its parser returns the text.

    A host puts a text with a comma, a colon or a line break in quotes, and it reads other texts in quotes, too.
    """
    if set(text) & set(",:\n") or (text == text.strip() and text.isprintable() and text and text[0] != '"'):
        return text
    return json.dumps(text)


def find(text: str) -> dict[str, str]:
    """Return the entries of FaceFix in an infotext, in order."""
    lines = text.replace("\0", "").split("\n")
    found: Iterator[dict[str, str]] = (select(dict(read_fields(line))) for line in reversed(lines))
    return next((entries for entries in found if entries.keys() & {KEY, FORMAT}), {})


def is_own(name: str) -> bool:
    """Return whether an entry of an infotext is one of FaceFix."""
    return name == KEY or name.startswith(f"{KEY} ")


def select(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the entries of FaceFix among those that a host has read."""
    return {name: str(value) for name, value in params.items() if is_own(name)}


def identify(entries: Mapping[str, str]) -> str:
    """Return a text that stands for the entries of one result, without its summary in words."""
    return json.dumps({name: text for name, text in entries.items() if name != SAID})


def read(entries: Mapping[str, str]) -> tuple[PassSettings, ...]:
    """Return the passes of an image's entries; raises `BadSetting` if they are invalid."""
    version, units = _read_words(entries) if FORMAT in entries or KEY not in entries else _read_json(entries[KEY])
    try:
        return tuple(read_pass({**DEFAULTS[version], **unit}, number) for number, unit in enumerate(units, start=1))
    except BadSetting as error:
        raise BadSetting(f"{_IT} has an unsupported setting: {error}") from error


def make_fields(
    components: Sequence[Component],
    tell: Callable[[str], object] = _LOG.warning,
    adapt: Callable[[PassSettings], PassSettings] | None = None,
) -> list[tuple[Component, PastedValue]]:
    """Return each control with the function for its pasted value, for `Script.infotext_fields`.

    components: the tick box, and the text of the passes. tell: called with a message if an entry is invalid. adapt:
    returns a pass as this host shows it. An infotext without a valid entry switches FaceFix off and resets every
    control, because a host leaves other controls alone, and the next image would get the settings of the previous one.
    """
    return [(component, PastedValue(place, tell, adapt)) for place, component in enumerate(components)]


@dataclass(frozen=True)
class PastedValue:
    """Returns the value of one control for an infotext; never raises, because some hosts would drop the whole paste."""

    place: int
    """Place of the control among the script's arguments, from 0."""
    tell: Callable[[str], object]
    adapt: Callable[[PassSettings], PassSettings] | None = None

    def __call__(self, params: Mapping[str, Any]) -> Any:
        """Return the value for the control, never None."""
        values, complaint = _values(tuple(select(params).items()), self.adapt)
        if complaint and self.place == 0:
            self.tell(complaint)
        return values[self.place]


@lru_cache(maxsize=4)  # called for every control
def _values(
    entries: tuple[tuple[str, str], ...], adapt: Callable[[PassSettings], PassSettings] | None
) -> tuple[tuple[Any, ...], str]:
    """Return the values of all controls, and a message about them, or blank."""
    named = dict(entries)
    try:
        passes = read(named) if named.keys() - {SAID} else ()
    except BadSetting as error:
        return tuple(page_args(())), f"FaceFix is switched off: {error}"
    return tuple(page_args(tuple(map(adapt, passes)) if adapt else passes)), ""


def _read_words(entries: Mapping[str, str]) -> tuple[int, list[dict[str, Any]]]:
    """Return the format, and the values of each pass, of entries in words."""
    version = _read_whole(entries.get(FORMAT, ""))
    _check_version(version, IN_WORDS)
    assert version is not None
    count = _read_whole(entries.get(PASSES, "1"))
    if count is None or count > MAX_PASSES:
        raise BadSetting(f"{_IT} has no passes{_BY_HAND}")
    units: list[dict[str, Any]] = [{} for _ in range(count)]
    for key, text in entries.items():
        found = _OF_PASS.fullmatch(key.removeprefix(f"{KEY} "))
        if key in (FORMAT, PASSES, FAILED, SAID, KEY) or found is None or is_result(found[2]):
            continue
        number, name = int(found[1] or 1), found[2].replace(" ", "_")
        if not 1 <= number <= count:
            raise BadSetting(f"{_IT} has a setting of pass {number}, but {count} passes{_BY_HAND}")
        units[number - 1][name] = _read_value(text, SETTING_TYPES.get(name, str))
    return version, units


def _read_json(text: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the version, and the values of each pass, of an entry in JSON."""
    try:
        version, units = json_infotext.read_units(text)
    except ValueError as error:
        raise BadSetting(f"{_IT} is damaged ({error}){_BY_HAND}") from error
    _check_version(version, 1)
    if units is None:
        raise BadSetting(f"{_IT} has no passes{_BY_HAND}")
    return version, units


def _check_version(version: Any, first: int) -> None:
    if type(version) is int and version > VERSION:
        raise BadSetting(
            f"{_IT} has version {version}, but this FaceFix only supports {VERSION}; update FaceFix, or set it by hand"
        )
    if type(version) is not int or version not in DEFAULTS or version < first:
        raise BadSetting(f"{_IT} has no valid version{_BY_HAND}")


def _read_whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text.strip()) else None


def _write_value(value: Any) -> str:
    if isinstance(value, str):
        return mark_size(value)
    return str(value) if isinstance(value, bool) else json.dumps(value)


def _read_value(text: str, kind: type) -> Any:
    """Return the value of a setting of this kind; a text that is none stays a text, which is refused later."""
    if kind is str:
        return text.removeprefix("=")
    if kind is bool:
        return _WORDS.get(text.strip().lower(), text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if type(value) in (int, float) else text
