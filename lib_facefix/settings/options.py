"""Options: settings that are declared once, for every front end that shows or reads them."""

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BadSetting, quote_value, suggest

KINDS = {bool: "boolean", int: "integer", float: "number", str: "string"}
"""Allowed types of a setting, and their names in JSON schema."""
KIND_WORDS = {bool: "true or false", int: "a whole number", float: "a finite number", str: "text"}
"""Allowed types of a setting, and their names in error messages."""
MAX_TEXT = 4096
"""Default length limit of a text, in characters. The length is checked before the text is parsed."""
MAX_WHOLE = 2**53
"""Largest whole number, positive or negative. Arithmetic on larger ones may overflow."""


@dataclass(frozen=True, slots=True)
class Option:
    """Metadata of one setting. Its name, type and default are those of the dataclass field."""

    label: str
    help: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    unit: str = ""
    choices: Callable[[], tuple[str, ...]] | None = None
    """Returns the allowed values, or common examples if the setting is an expression (see `reads`)."""
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Names that people read and may write in place of a choice."""
    longest: int = MAX_TEXT
    """Largest length of a text, in characters."""
    suffixes: tuple[str, ...] = ()
    """Suffixes of files whose path is also an allowed value."""
    host: str = ""
    """The WebUI list with the choices: "samplers", "schedulers", "checkpoints", "vaes", or blank."""
    found: str = ""
    """The list of local files that are also choices: "detectors", "restorers", or blank."""
    finds: bool = False
    """True if a change of this setting requires detecting the faces again."""
    only: str = ""
    """The only method, besides "auto", that uses this setting. Blank: all methods use it."""
    reads: Callable[[str], object] | None = None
    """Parses a setting that is an expression, and raises `BadSetting` for an invalid one."""
    paths: Callable[[str], tuple[str, ...]] | None = None
    """Returns the file paths in a value. A server allows only files in its model folders."""
    labels: Callable[[str], str] | None = None
    """Returns the name of a choice for people, if the choices have such names."""
    group: str = ""
    """The section of the form that shows this setting."""

    def list_choices(self) -> list[str]:
        """Return the choices as people read them."""
        names = {value: alias for alias, value in self.aliases.items()}
        return [names.get(choice, choice) for choice in self.choices()] if self.choices else []

    def files(self, value: str) -> tuple[str, ...]:
        """Return the files that an allowed value names."""
        if self.paths:
            return self.paths(value)
        return (value,) if self.suffixes and self.choices and value not in self.choices() else ()

    def check(self, value: Any, kind: type) -> None:
        """Raise `BadSetting` with the allowed values if `value` is not one of them."""
        if not (is_number(value) if kind is float else type(value) is kind):
            raise BadSetting(f"{self.label} must be {KIND_WORDS[kind]}, not {quote_value(value)}")
        if isinstance(value, str) and len(value) > self.longest:
            raise BadSetting(f"{self.label} must have at most {self.longest} characters, not {len(value)}")
        if isinstance(value, str) and "\0" in value:
            raise BadSetting(f"{self.label} must not contain a NUL character")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            limits = f"at least {self.low:g}" if self.high is None else f"between {self.low:g} and {self.high:g}"
            raise BadSetting(f"{self.label} must be {limits}, not {quote_value(value)}")
        if isinstance(value, int) and abs(value) > MAX_WHOLE:
            limits = f"between -{MAX_WHOLE} and {MAX_WHOLE}"
            raise BadSetting(f"{self.label} must be {limits}, not {quote_value(value)}")
        if self.reads:
            self.reads(value)
        elif self.choices and value not in self.choices():
            names = self.list_choices()
            like = f"not {quote_value(value)}.{suggest(value, names)}".removesuffix(".")
            if not self.suffixes:
                raise BadSetting(f"{self.label} must be one of {', '.join(names)}; {like}")
            if not value.lower().endswith(self.suffixes):
                allowed = f"{', '.join(names)}, or the path of a file ({', '.join(self.suffixes)})"
                raise BadSetting(f"{self.label} must be one of {allowed}; {like}")


def option(default: Any, label: str, **facts: Any) -> Any:
    """Return a dataclass field with its `Option`."""
    return dataclasses.field(default=default, metadata={"option": Option(label, **facts)})


def options(settings: type) -> Iterator[tuple[dataclasses.Field[Any], Option]]:
    """Yield the fields of a settings class with their options, in display order."""
    for field in dataclasses.fields(settings):
        yield field, field.metadata["option"]


def check_all(settings: Any) -> None:
    """Raise `BadSetting` at the first invalid value of a settings object."""
    for field, known in options(type(settings)):
        known.check(getattr(settings, field.name), type(field.default))


def check_names(settings: type, names: Iterator[str] | list[str]) -> None:
    """Raise `BadSetting` at the first name that is not a setting of the class."""
    known = {field.name: None for field, _ in options(settings)}
    for name in names:
        if name not in known:
            like = suggest(name, known) if isinstance(name, str) else ""
            raise BadSetting(f"unknown setting {quote_value(name)}.{like} Available: {', '.join(known)}")


def replace_aliases(settings: Any) -> None:
    """Replace aliases among the values of a frozen settings object that is being made."""
    for field, known in options(type(settings)):
        value = getattr(settings, field.name)
        if known.aliases and isinstance(value, str) and value in known.aliases:
            object.__setattr__(settings, field.name, known.aliases[value])


def schema(settings: type) -> dict[str, Any]:
    """Return a JSON schema (draft 2020-12) of the settings class."""
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
    """Return the schema's keywords for the choices of an option, if it has choices."""
    if not known.choices:
        return {}
    if known.reads:
        return {"examples": list(known.choices())}
    if not known.suffixes:
        return {"enum": list(known.choices())}
    path = {"pattern": "|".join(re.escape(suffix) + "$" for suffix in known.suffixes)}
    return {"anyOf": [{"enum": list(known.choices())}, path]}


def is_number(value: Any) -> bool:
    """Return True for a finite int or float in the range of a float, but not for a bool."""
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:
        return False
