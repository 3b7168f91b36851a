"""Generation parameters of an image, read from the infotext that WebUIs write into their images.

    a girl, smiling
    Negative prompt: blurry
    Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 5, Size: 64x64, Lora hashes: "a: 1f, b: 2"

An infotext has a prompt of any number of lines, an optional negative prompt, and one line of fields. A value with a
comma, a colon or a line break is quoted as in JSON.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import BadSetting, quote_value
from .face_prompt import GenerationParams
from .options import Option, options
from .sampling import Sampling

NEGATIVE = "Negative prompt:"
MIN_FIELDS = 3
"""Minimum number of fields in the last line; with fewer it is part of the prompt, as in WebUIs."""
OLD_SCHEDULERS = ("Karras", "Exponential", "Polyexponential")
"""Schedulers that older WebUIs wrote at the end of the sampler's name."""

_FIELD = re.compile(r'([^:,"]+):[ \t]*("(?:\\.|[^\\"])*"(?=[ \t]*(?:,|$))|[^,]*)')
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,20})?")
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Infotext:
    """A parsed infotext; all fields are blank if the text is not an infotext."""

    prompt: str = ""
    negative_prompt: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Values without quotes, by the WebUI's names: "Steps", "CFG scale", "Model hash"."""

    @property
    def origin(self) -> GenerationParams:
        """Parameters for re-diffusing part of the image, with numbers clipped to the allowed range."""
        sampler, scheduler = self._sampler()
        return GenerationParams(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            seed=int(self._number("Seed")),
            subseed=int(self._number("Variation seed")),
            steps=int(self._within("steps", "Steps")),
            sampler=sampler,
            scheduler=scheduler,
            cfg_scale=self._within("cfg_scale", "CFG scale"),
            clip_skip=int(self._within("clip_skip", "Clip skip", 1)) if self.fields else 0,  # 1 is never written
        )

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the first generation, in pixels; None if the infotext has no size."""
        found = _SIZE.fullmatch(self.fields.get("Size", ""))
        return (int(found[1]), int(found[2])) if found else None

    @property
    def model(self) -> str:
        """Name of the checkpoint without folder and suffix; blank if the infotext has none."""
        return self.fields.get("Model", "")

    def _sampler(self) -> tuple[str, str]:
        sampler, scheduler = self.fields.get("Sampler", ""), self.fields.get("Schedule type", "")
        name, _, last = sampler.rpartition(" ")
        return (name, last) if name and not scheduler and last in OLD_SCHEDULERS else (sampler, scheduler)

    def _number(self, name: str, default: float = 0) -> float:
        found = _NUMBER.fullmatch(self.fields.get(name, ""))
        return float(found[0]) if found else default

    def _within(self, setting: str, name: str, default: float = 0) -> float:
        known, number = _known_options()[setting], self._number(name, default)
        assert known.low is not None
        assert known.high is not None
        return float(min(max(number, known.low), known.high))


def read_infotext(text: str) -> Infotext:
    """Parse an infotext; returns a blank one for a text without a line of fields. NUL characters are dropped."""
    *lines, last = text.replace("\0", "").strip().split("\n")
    found = dict(read_fields(last))
    if len(found) < MIN_FIELDS:
        return Infotext()
    lines = [line.strip() for line in lines]
    parted = next((i for i, line in enumerate(lines) if line.startswith(NEGATIVE)), len(lines))
    negative = "\n".join(lines[parted:]).removeprefix(NEGATIVE).strip()
    return Infotext("\n".join(lines[:parted]).strip(), negative, found)


def parse_generation_info(text: str) -> GenerationParams | None:
    """Return the generation parameters in an infotext, or None if the text is not an infotext."""
    infotext = read_infotext(text)
    return infotext.origin if infotext.fields else None


def read_origin(values: Mapping[str, Any]) -> GenerationParams:
    """Return the generation parameters with these values; raises `BadSetting` for an unknown or invalid one."""
    kinds = {field.name: type(field.default) for field in fields(GenerationParams)}
    for name in values:
        if name not in kinds:
            raise BadSetting(f"unknown generation parameter {quote_value(name)}. Available: {', '.join(kinds)}")
    for name, kind in kinds.items():
        if name in values:
            _known_options()[name].check(values[name], kind)
    return GenerationParams(**values)


def _known_options() -> dict[str, Option]:
    """Return the options of all sampling settings, which also limit generation parameters."""
    return {field.name: known for field, known in options(Sampling)}


def read_fields(line: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the value, without quotes, of each field in a line; other text is ignored."""
    at = 0
    while at < len(line):
        found = _FIELD.match(line, at)
        if found and found[1].strip():
            yield found[1].strip(), _unquote(found[2].strip())
        comma = line.find(",", found.end() if found else at)
        at = len(line) if comma < 0 else comma + 1


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
