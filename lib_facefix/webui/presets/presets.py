"""Presets: the settings of all passes under a name, and their text format. Needs no toolkit and no host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...errors import BadSetting
from ..passes.infotext import DEFAULTS, VERSION
from ..passes.settings import PassSettings, changed_values, parse_units, read_pass, write_units

NO_PRESET = "Defaults"
"""Label of the choice without a preset, which is not allowed as a name."""

Preset = tuple[dict[str, Any], ...]
"""Values of each pass that differ from the defaults, by setting."""


def presets_file(data_folder: Path) -> Path:
    """Return the path of the file of presets in a host's data folder."""
    return data_folder / "facefix-presets.json"


def make_preset(text: str) -> Preset:
    """Return the preset for the passes in the page's text; raises `BadSetting`, naming the pass."""
    return tuple(changed_values(read_pass(unit, number)) for number, unit in enumerate(parse_units(text), start=1))


def read_preset(kept: Preset) -> tuple[PassSettings, ...]:
    """Return the passes of a preset; raises `BadSetting`, naming the pass."""
    return tuple(read_pass(unit, number) for number, unit in enumerate(kept, start=1))


def show_preset(kept: Preset) -> str:
    """Return the page's text for a preset; raises `BadSetting`, naming the pass."""
    return write_units([changed_values(settings) for settings in read_preset(kept)])


@dataclass(frozen=True, slots=True)
class Presets:
    """All presets by name, and the name of the one that the page starts with (blank: the defaults)."""

    named: Mapping[str, Preset] = field(default_factory=dict)
    start: str = ""

    def get(self, name: str) -> Preset:
        """Return a preset; blank: the defaults. Raises `BadSetting` for an unknown name."""
        if name and name not in self.named:
            raise BadSetting(f"there is no preset {name!r}; choose another one, or save a preset under this name")
        return self.named[name] if name else ({},)

    def with_preset(self, name: str, kept: Preset) -> Presets:
        """Return a copy with one preset added or replaced; raises `BadSetting` for a blank name."""
        if not name or name.casefold() == NO_PRESET.casefold():
            raise BadSetting(f"a preset needs a name other than {NO_PRESET!r}; type one into the box Preset")
        return replace(self, named={**self.named, name: kept})

    def without(self, name: str) -> Presets:
        """Return a copy without one preset; raises `BadSetting` for an unknown name."""
        self.only(name)
        left = {known: kept for known, kept in self.named.items() if known != name}
        return Presets(left, self.start if self.start != name else "")

    def only(self, name: str) -> Presets:
        """Return a copy with only one preset; raises `BadSetting` for a blank or unknown name."""
        if not name:
            raise BadSetting("choose a preset first")
        return Presets({name: self.get(name)})

    def starting_with(self, name: str) -> Presets:
        """Return a copy that starts with a preset, or blank; raises `BadSetting` for an unknown name."""
        self.get(name)
        return replace(self, start=name)

    def merge(self, others: Presets) -> tuple[Presets, tuple[str, ...]]:
        """Return a copy with the others added, and their names: a different preset "x" becomes "x (2)"."""
        joined, names = self, []
        for name, kept in others.named.items():
            free = joined._free(name.strip(), kept)
            joined = joined.with_preset(free, kept)
            names.append(free)
        return joined, tuple(names)

    def _free(self, name: str, kept: Preset) -> str:
        """Return the name, with a number if a different preset already has it."""
        numbered, number = name, 1
        while self.named.get(numbered, kept) != kept:
            number += 1
            numbered = f"{name} ({number})"
        return numbered

    def to_text(self) -> str:
        """Return the presets as JSON."""
        presets = {name: list(kept) for name, kept in self.named.items()}
        return json.dumps({"v": VERSION, "start": self.start, "presets": presets}, indent=1, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Presets:
        """Read a text of `to_text` from this version or an older one; raises `BadSetting` for anything else.

        Settings are not checked, because one invalid preset must not make the others unusable.
        """
        try:
            data = json.loads(text)
            text.encode("utf-8"), json.dumps(data, ensure_ascii=False).encode("utf-8")  # "\ud800" cannot be written
        except (ValueError, RecursionError) as error:
            raise BadSetting(f"not valid JSON ({error})") from error
        if not isinstance(data, dict) or not isinstance(data.get("presets"), dict):
            raise BadSetting("no presets of FaceFix found")
        version = data.get("v")
        if type(version) is not int or version not in DEFAULTS:
            raise BadSetting(
                f"version {version} is not supported; this FaceFix supports up to {VERSION}. Update FaceFix"
            )
        named = {name: _update_preset(name, kept, DEFAULTS[version]) for name, kept in data["presets"].items()}
        return cls(named, next((name for name in named if name == data.get("start")), ""))


def _update_preset(name: str, kept: Any, defaults: Mapping[str, Any]) -> Preset:
    """Return a preset of an older version, relative to the current defaults."""
    if not isinstance(kept, list) or not all(isinstance(values, dict) for values in kept):
        raise BadSetting(f"the preset {name!r} is not a list of passes")
    return tuple({**defaults, **values} for values in kept)
