"""Settings of all passes kept under a name: what a preset is, and presets as text. Knows no toolkit and no host."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...errors import BadSetting
from ..passes.arguments import changed_values, flatten, read_pass, read_units
from ..passes.infotext import DEFAULTS, VERSION
from ..passes.settings import PassSettings

NO_PRESET = "Defaults"
"""How "no preset" is shown; no preset may be called so."""

Preset = tuple[dict[str, Any], ...]
"""Pass by pass, what differs from the defaults."""


def presets_file(data_folder: Path) -> Path:
    """Return where the presets lie in a host's data folder."""
    return data_folder / "facefix-presets.json"


def make_preset(values: Sequence[Any]) -> Preset:
    """Return what to keep of the values of OFFERED, pass after pass; raises `BadSetting`, naming the pass."""
    units = read_units([True, *values])
    return tuple(changed_values(read_pass(unit, number)) for number, unit in enumerate(units, start=1))


def read_preset(kept: Preset) -> tuple[PassSettings, ...]:
    """Return the passes that were kept; raises `BadSetting`, naming the pass."""
    return tuple(read_pass(unit, number) for number, unit in enumerate(kept, start=1))


def flatten_preset(kept: Preset, count: int) -> list[Any]:
    """Return the values of OFFERED for `count` passes, what is not kept switched off; raises `BadSetting`."""
    return flatten(read_preset(kept), count)[1:]


@dataclass(frozen=True, slots=True)
class Presets:
    """All presets by name, and the one that the WebUI starts with (blank: the defaults)."""

    named: Mapping[str, Preset] = field(default_factory=dict)
    start: str = ""

    def get(self, name: str) -> Preset:
        """Return a preset, of blank the defaults; raises `BadSetting` for an unknown one."""
        if name and name not in self.named:
            raise BadSetting(f"there is no preset {name!r}; choose one, or save one under this name")
        return self.named[name] if name else ({},)

    def with_preset(self, name: str, kept: Preset) -> Presets:
        """Return these and one more, or another of that name; raises `BadSetting` for no name."""
        if not name or name.casefold() == NO_PRESET.casefold():
            raise BadSetting(f"a preset needs a name, other than {NO_PRESET!r}: type one where you choose presets")
        return replace(self, named={**self.named, name: kept})

    def without(self, name: str) -> Presets:
        """Return these but one; raises `BadSetting` for an unknown one."""
        self.only(name)
        left = {known: kept for known, kept in self.named.items() if known != name}
        return Presets(left, self.start if self.start != name else "")

    def only(self, name: str) -> Presets:
        """Return a single one; raises `BadSetting` for blank or an unknown one."""
        if not name:
            raise BadSetting("choose a preset first")
        return Presets({name: self.get(name)})

    def starting_with(self, name: str) -> Presets:
        """Return these with another one, or blank, to start with; raises `BadSetting` for an unknown one."""
        self.get(name)
        return replace(self, start=name)

    def merge(self, others: Presets) -> tuple[Presets, tuple[str, ...]]:
        """Return these and all others, and the others' names: nothing is replaced, another "x" becomes "x (2)"."""
        joined, names = self, []
        for name, kept in others.named.items():
            free = joined._free(name.strip(), kept)
            joined = joined.with_preset(free, kept)
            names.append(free)
        return joined, tuple(names)

    def _free(self, name: str, kept: Preset) -> str:
        """Return the name, or with a number so that no other preset has it."""
        numbered, number = name, 1
        while self.named.get(numbered, kept) != kept:
            number += 1
            numbered = f"{name} ({number})"
        return numbered

    def to_text(self) -> str:
        """Return them as JSON."""
        presets = {name: list(kept) for name, kept in self.named.items()}
        return json.dumps({"v": VERSION, "start": self.start, "presets": presets}, indent=1, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Presets:
        """Read what `to_text` wrote, now or in an older version; raises `BadSetting` for anything else.

        The settings themselves are not checked: one that is wrong must not cost the other presets.
        """
        try:
            told = json.loads(text)
            text.encode("utf-8"), json.dumps(told, ensure_ascii=False).encode("utf-8")  # "\ud800" cannot be written
        except (ValueError, RecursionError) as error:
            raise BadSetting(f"this is no JSON ({error})") from error
        if not isinstance(told, dict) or not isinstance(told.get("presets"), dict):
            raise BadSetting("this holds no presets of FaceFix")
        version = told.get("v")
        if type(version) is not int or version not in DEFAULTS:
            raise BadSetting(f"this is of version {version}, FaceFix knows {VERSION}: update it")
        named = {name: _update_preset(name, kept, DEFAULTS[version]) for name, kept in told["presets"].items()}
        return cls(named, next((name for name in named if name == told.get("start")), ""))


def _update_preset(name: str, kept: Any, defaults: Mapping[str, Any]) -> Preset:
    """Return a preset as what differs from today's defaults."""
    if not isinstance(kept, list) or not all(isinstance(values, dict) for values in kept):
        raise BadSetting(f"the preset {name!r} is no list of passes")
    return tuple({**defaults, **values} for values in kept)
