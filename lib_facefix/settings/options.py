"""Declaring a setting once, for every front end that shows or reads it."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import BadSetting, shown

KINDS = {bool: "boolean", int: "integer", float: "number", str: "string"}
"""The types a setting may have, by their JSON schema names."""
MAX_TEXT = 4096
"""Characters of a text that names a file or has a grammar; it is bounded before it is read."""
MAX_WHOLE = 2**53
"""Beyond it no whole number is a size or a seed, and arithmetic on it may overflow."""


@dataclass(frozen=True, slots=True)
class Option:
    """What the front ends must know of one setting besides its name, type and default."""

    label: str
    help: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    unit: str = ""
    choices: Callable[[], tuple[str, ...]] | None = None
    """What there is to choose from; of a text with a grammar of its own, only what a form offers."""
    longest: int = MAX_TEXT
    """Characters that a text may have."""
    suffixes: tuple[str, ...] = ()
    """Of files whose path may be given instead of a choice."""
    host: str = ""
    """Of which list of a host's it is one, or blank: "samplers", "schedulers", "checkpoints", "vaes"."""
    found: str = ""
    """The list of files that are found here and may be chosen as well, or blank: "detectors"."""
    finds: bool = False
    """True if it has a say in which faces are found or in what is known of them: find them again when it changes."""
    only: str = ""
    """The one method that looks at it, beside "auto", which may come to any; blank: all do."""
    reads: Callable[[str], object] | None = None
    """For a text with a grammar of its own: reads it, or raises `BadSetting`."""
    paths: Callable[[str], tuple[str, ...]] | None = None
    """Gives the files that a value names, where it may name any; a server lets nobody read others than its models."""
    group: str = ""
    """The part of the form it stands in."""

    def files(self, value: str) -> tuple[str, ...]:
        """Return the files that an allowed value names."""
        if self.paths:
            return self.paths(value)
        return (value,) if self.suffixes and self.choices and value not in self.choices() else ()

    def check(self, value: Any, kind: type) -> None:
        """Raise `BadSetting` unless `value` is allowed, saying what would be."""
        if not _is_a(value, kind):
            raise BadSetting(f"{self.label} must be {_in_words(kind)}, not {shown(value)}")
        if isinstance(value, str) and (len(value) > self.longest or "\0" in value):
            raise BadSetting(f"{self.label} must have at most {self.longest} characters, none of them NUL")
        if isinstance(value, int) and abs(value) > MAX_WHOLE:
            raise BadSetting(f"{self.label} must {self._range()}, not {shown(value)}")
        too_low = self.low is not None and value < self.low
        too_high = self.high is not None and value > self.high
        if too_low or too_high:
            raise BadSetting(f"{self.label} must {self._range()}, not {value}")
        if self.choices and not self.reads and value not in self.choices() and not self._is_path(value):
            more = f", or the path of a file ({', '.join(self.suffixes)})" if self.suffixes else ""
            raise BadSetting(f"{self.label} must be one of {', '.join(self.choices())}{more}; not {shown(value)}")
        if self.reads:
            self.reads(value)

    def _is_path(self, value: str) -> bool:
        return value.lower().endswith(self.suffixes) if self.suffixes else False

    def _range(self) -> str:
        if self.low is None:
            return f"be at most {MAX_WHOLE}"
        if self.high is None:
            return f"be at least {self.low:g}"
        return f"lie between {self.low:g} and {self.high:g}"


def option(default: Any, label: str, **facts: Any) -> Any:
    """A dataclass field that carries its `Option`."""
    return dataclasses.field(default=default, metadata={"option": Option(label, **facts)})


def options(settings: type) -> Iterator[tuple[dataclasses.Field[Any], Option]]:
    """The fields of a settings class with their options, in the order they are shown."""
    for field in dataclasses.fields(settings):
        yield field, field.metadata["option"]


def check_all(settings: Any) -> None:
    """Raise `BadSetting` at the first value of the settings object that is not allowed."""
    for field, known in options(type(settings)):
        known.check(getattr(settings, field.name), type(field.default))


def check_names(settings: type, names: Iterator[str] | list[str]) -> None:
    """Raise `BadSetting` if a name is none of the class's settings."""
    known = {field.name: None for field, _ in options(settings)}
    for name in names:
        if name not in known:
            raise BadSetting(f"unknown setting {shown(name)}; on offer: {', '.join(known)}")


def schema(settings: type) -> dict[str, Any]:
    """A JSON schema (draft 2020-12) of the settings class."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": settings.__name__,
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _property(field, known) for field, known in options(settings)},
    }


def _property(field: dataclasses.Field[Any], known: Option) -> dict[str, Any]:
    facts = {
        "title": known.label,
        "description": known.help,
        "type": KINDS[type(field.default)],
        "default": field.default,
        "minimum": known.low,
        "maximum": known.high,
        **_choices(known),
        "x-step": known.step,
        "x-unit": known.unit,
        "x-host": known.host,
        "x-group": known.group,
        "x-only": known.only,
        "x-finds": known.finds or None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None and (fact != "" or name == "default")}


def _choices(known: Option) -> dict[str, Any]:
    """Return what a schema says of the values to choose from, where there are any."""
    if not known.choices:
        return {}
    if known.reads:
        return {"examples": list(known.choices())}
    if not known.suffixes:
        return {"enum": list(known.choices())}
    path = {"pattern": "|".join(re.escape(suffix) + "$" for suffix in known.suffixes)}
    return {"anyOf": [{"enum": list(known.choices())}, path]}


def is_number(value: Any) -> bool:
    """Return True for a finite int or float that fits a float; bool is none."""
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:
        return False


def _is_a(value: Any, kind: type) -> bool:
    if kind is float:
        return is_number(value)
    return type(value) is kind


def _in_words(kind: type) -> str:
    return {bool: "true or false", int: "a whole number", float: "a finite number", str: "a text"}[kind]
