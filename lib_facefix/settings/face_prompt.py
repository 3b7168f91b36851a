"""What each face is drawn from: the grammar of a prompt for faces.

    smiling, [PROMPT] [SEP] [face:2] old man, <lora:wrinkles:0.6> [SEP] [smallest] [SKIP]

`[SEP]` parts the text. A part may begin with a binding: `[face:1,3-4]`, `[left]`, `[right]`, `[top]`, `[bottom]`,
`[centre]`, `[largest]`, `[smallest]`, or `[others]`: every face that no other binding names. A face takes the first
part bound to it. The faces that no part is bound to take the unbound parts one after another, in the order of fixing;
the last of these serves all further faces. Blank, or no part at all: the picture's own prompt. `[PROMPT]` stands for
that within a part; `[SKIP]` leaves the face alone. All else belongs to the host, and is handed on as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from ..errors import BadSetting
from ..types import Face
from .number_ranges import read_numbers

SEPARATOR, OWN, SKIP = "[SEP]", "[PROMPT]", "[SKIP]"
OTHERS = "others"

CRITERIA: dict[str, Callable[[Face, tuple[int, int]], float]] = {
    "left": lambda face, _: face.box.centre[0],
    "right": lambda face, _: -face.box.centre[0],
    "top": lambda face, _: face.box.centre[1],
    "bottom": lambda face, _: -face.box.centre[1],
    "centre": lambda face, size: math.dist(face.box.centre, (size[0] / 2, size[1] / 2)),
    "largest": lambda face, _: -face.box.size,
    "smallest": lambda face, _: face.box.size,
}
"""By binding: a measure in pixels; the face with the least is meant."""
SPELLINGS = {"center": "centre"}

_BY_WORD = re.compile(rf"\[({'|'.join((*CRITERIA, *SPELLINGS, OTHERS))})\]")
_BY_NUMBER = re.compile(r"\[face:(?!\s*\d*\.\d+\s*\])([^\[\]:]*)\]")
"""Not [face:0.5] nor [face:cat:9]: so hosts write what is drawn from some step on."""


@dataclass(frozen=True, slots=True)
class GenerationParams:
    """What a picture was made from, its styles and wildcards resolved. Blank or 0: as whoever draws has it set."""

    prompt: str = ""
    negative_prompt: str = ""
    seed: int = 0
    subseed: int = 0
    steps: int = 0
    sampler: str = ""
    scheduler: str = ""
    cfg_scale: float = 0.0
    clip_skip: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a prompt for faces."""

    text: str
    """Without its binding and the space around."""
    binding: str = ""
    """A key of `CRITERIA`, `OTHERS`, or blank."""
    numbers: frozenset[int] = frozenset()
    """Of the faces it is bound to by number."""

    @property
    def bound(self) -> bool:
        """Whether it is meant for certain faces."""
        return bool(self.binding or self.numbers)

    def matching_numbers(self, faces: Mapping[int, Face], size: tuple[int, int]) -> set[int]:
        """Return the numbers of those of the faces that it names; none for `[others]` or without a binding."""
        if self.binding in CRITERIA and faces:
            measure = CRITERIA[self.binding]
            return {min(faces, key=lambda number: (measure(faces[number], size), number))}
        return {number for number in faces if number in self.numbers}


@dataclass(frozen=True, slots=True)
class FacePrompt:
    """A prompt (or negative prompt) for the faces of a picture, as `read_prompt` read it."""

    parts: tuple[Part, ...]

    def parts_for(self, faces: Sequence[tuple[int, Face]], size: tuple[int, int]) -> dict[int, str | None]:
        """Return by number the text of each face, for `resolve`; None where the face is to be left alone.

        faces: with their numbers, in the order of fixing; all at once, as `[largest]` means the largest of these.
        size: the picture's width and height, pixels.
        """
        texts = self._bind_texts(dict(faces), size)
        unbound = self._unbound()
        found = {number: texts[number] if number in texts else next(unbound) for number, _ in faces}
        return {number: None if SKIP in text else text for number, text in found.items()}

    def _bind_texts(self, faces: Mapping[int, Face], size: tuple[int, int]) -> dict[int, str]:
        """Return the texts of the faces that bindings name."""
        named = [(part, part.matching_numbers(faces, size)) for part in self.parts]
        others = faces.keys() - set().union(*(numbers for _, numbers in named))
        texts: dict[int, str] = {}
        for part, numbers in named:
            for number in others if part.binding == OTHERS else numbers:
                texts.setdefault(number, part.text)
        return texts

    def _unbound(self) -> Iterator[str]:
        """Return the texts of the unbound parts, then the last of them for ever."""
        texts = [part.text for part in self.parts if not part.bound] or [""]
        return chain(texts, repeat(texts[-1]))


def read_prompt(text: str) -> FacePrompt:
    """Read a prompt for faces; raises `BadSetting` for face numbers that are none."""
    return FacePrompt(tuple(map(_read_part, text.split(SEPARATOR))))


def read_negative_prompt(text: str) -> FacePrompt:
    """Read a negative prompt for faces, where there is no `[SKIP]`; raises `BadSetting`."""
    if SKIP in text:
        raise BadSetting(f"{SKIP} leaves a face alone, and is written in the prompt for faces, not in the negative one")
    return read_prompt(text)


def resolve(text: str, own: str) -> str:
    """Return the prompt of a face: `text` with `own`, the picture's, for `[PROMPT]`; just `own` where it is blank."""
    return text.replace(OWN, own) if text.strip() else own


def _read_part(text: str) -> Part:
    text = text.strip()
    if found := _BY_WORD.match(text):
        return Part(text[found.end() :].strip(), SPELLINGS.get(found[1], found[1]))
    if found := _BY_NUMBER.match(text):
        return Part(text[found.end() :].strip(), numbers=_read_faces(found[0], found[1]))
    return Part(text)


def _read_faces(binding: str, text: str) -> frozenset[int]:
    """Return the numbers within a binding, at least one."""
    try:
        numbers = read_numbers(text)
    except BadSetting as error:
        raise BadSetting(f"in {binding} of a prompt for faces, {error}") from error
    if not numbers:
        raise BadSetting(f'{binding} of a prompt for faces lacks a face\'s number; it is written like "[face:2]"')
    return numbers
