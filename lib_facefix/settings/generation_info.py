"""What a picture was made from, as it says itself: the infotext that WebUIs write into their pictures.

    a girl, smiling
    Negative prompt: blurry
    Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 5, Size: 64x64, Lora hashes: "a: 1f, b: 2"

A prompt of any number of lines; a negative one, perhaps; one line of fields, where what holds a comma, a colon or a
line break stands in quotes, as JSON has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import BadSetting, shown
from .face_prompt import GenerationParams
from .options import Option, options
from .sampling import Sampling

NEGATIVE = "Negative prompt:"
FEWEST = 3
"""Fields that the last line must have to be no part of a prompt; hosts judge likewise."""
OLD_SCHEDULERS = ("Karras", "Exponential", "Polyexponential")
"""Ended the sampler's name until hosts had a field of their own for them."""

_FIELD = re.compile(r'([^:,"]+):[ \t]*("(?:\\.|[^\\"])*"(?=[ \t]*(?:,|$))|[^,]*)')
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,20})?")
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Infotext:
    """An infotext, taken apart; blank where a text is none."""

    prompt: str = ""
    negative_prompt: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    """All others by the names that hosts give them: "Steps", "CFG scale", "Model hash"; without quotes."""

    @property
    def origin(self) -> GenerationParams:
        """What redrawing a part of the picture needs; a number beyond what may be set becomes the nearest that may."""
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
        """Width and height it was first drawn at, pixels; None where it does not say."""
        found = _SIZE.fullmatch(self.fields.get("Size", ""))
        return (int(found[1]), int(found[2])) if found else None

    @property
    def model(self) -> str:
        """The checkpoint's name, without folder and suffix; blank where it does not say."""
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
    """Return what an infotext says, a blank one for a text that has no line of fields."""
    *lines, last = text.strip().split("\n")
    found = dict(_fields(last))
    if len(found) < FEWEST:
        return Infotext()
    lines = [line.strip() for line in lines]
    parted = next((i for i, line in enumerate(lines) if line.startswith(NEGATIVE)), len(lines))
    negative = "\n".join(lines[parted:]).removeprefix(NEGATIVE).strip()
    return Infotext("\n".join(lines[:parted]).strip(), negative, found)


def parse_generation_info(text: str) -> GenerationParams | None:
    """Return what a picture with this infotext was made from; None where it is none, and nothing is known."""
    infotext = read_infotext(text)
    return infotext.origin if infotext.fields else None


def read_origin(values: Mapping[str, Any]) -> GenerationParams:
    """Return the origin that someone tells of by the names of its fields; raises `BadSetting` saying what is wrong."""
    names = [one.name for one in fields(GenerationParams)]
    if unknown := [name for name in values if name not in names]:
        raise BadSetting(f"unknown part of an origin {shown(unknown[0])}; on offer: {', '.join(names)}")
    for one in fields(GenerationParams):
        if one.name in values:
            _known_options()[one.name].check(values[one.name], type(one.default))
    return GenerationParams(**values)


def _known_options() -> dict[str, Option]:
    """Return what may be set of each part of an origin: a face may be given just that."""
    return {one.name: known for one, known in options(Sampling)}


def _fields(line: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each field of a line; what is none is passed over."""
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
