"""The syntax of face prompts, and face numbers as people write them.

    smiling, [PROMPT] [SEP] [face:2] old man, <lora:wrinkles:0.6> [SEP] [smallest] [SKIP]

`[SEP]` separates parts. A part may begin with a binding: `[face:1,3-4]`, `[left]`, `[right]`, `[top]`, `[bottom]`,
`[centre]`, `[largest]`, `[smallest]`, or `[others]` for every face without another binding. A face uses the first part
bound to it. The other faces use the unbound parts one after another, in processing order; further faces use the last
one. A blank part, or no part, means the image's own prompt. `[PROMPT]` inserts that prompt, and `[SKIP]` skips the
face. All other text is passed to Stable Diffusion unchanged. Without `[PROMPT]`, a setting says whether the text
replaces that prompt, and whether the LoRAs in it are kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from ..errors import BadSetting, quote_value

if TYPE_CHECKING:
    from ..types import Face

MAX_NUMBERS_TEXT = 2000
"""Longest list of face numbers, in characters."""
SEPARATOR, OWN_PROMPT, SKIP = "[SEP]", "[PROMPT]", "[SKIP]"
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
"""Measure in pixels of each binding, which selects the face with the smallest value."""
SPELLINGS = {"center": "centre"}

_NETWORK = re.compile(r"<(\w+):([^:>]+)[^>]*>")
"""Matches the tag of a LoRA or another extra network, such as <lora:name:0.8>: its kind and name."""
_BY_WORD = re.compile(rf"\[({'|'.join((*CRITERIA, *SPELLINGS, OTHERS))})\]")
_BY_NUMBER = re.compile(r"\[face:(?!\s*\d*\.\d+\s*\])([^\[\]:]*)\]")
"""Matches [face:2], but not [face:0.5] or [face:cat:9]: those are the WebUI's prompt editing."""


@dataclass(frozen=True, slots=True)
class GenerationParams:
    """Parameters that an image was generated with, with styles and wildcards resolved. Blank or 0: the default."""

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
    """One part of a face prompt."""

    text: str
    """The prompt without binding and surrounding spaces."""
    binding: str = ""
    """The binding: a key of `CRITERIA`, `OTHERS`, or blank."""
    numbers: frozenset[int] = frozenset()
    """Numbers of the faces in a binding such as [face:1,3-4]."""

    @property
    def bound(self) -> bool:
        """True if the part has a binding."""
        return bool(self.binding or self.numbers)

    def matching_numbers(self, faces: Mapping[int, Face], size: tuple[int, int]) -> set[int]:
        """Return the numbers of the faces that the binding selects; none for `[others]` or without a binding."""
        if self.binding in CRITERIA and faces:
            measure = CRITERIA[self.binding]
            return {min(faces, key=lambda number: (measure(faces[number], size), number))}
        return {number for number in faces if number in self.numbers}


@dataclass(frozen=True, slots=True)
class FacePrompt:
    """A parsed prompt or negative prompt for the faces of an image."""

    parts: tuple[Part, ...]

    def parts_for(self, faces: Sequence[tuple[int, Face]], size: tuple[int, int]) -> dict[int, str | None]:
        """Return the text of each face by number, for `resolve`, or None to skip the face.

        faces: all faces with their numbers, in processing order. size: width and height of the image, in pixels.
        """
        texts = self._bind_texts(dict(faces), size)
        own = [part.text for part in self.parts if not part.bound] or [""]
        unbound = chain(own, repeat(own[-1]))
        found = {number: texts[number] if number in texts else next(unbound) for number, _ in faces}
        return {number: None if SKIP in text else text for number, text in found.items()}

    def _bind_texts(self, faces: Mapping[int, Face], size: tuple[int, int]) -> dict[int, str]:
        """Return the texts of all faces selected by a binding."""
        named = [(part, part.matching_numbers(faces, size)) for part in self.parts]
        others = faces.keys() - set().union(*(numbers for _, numbers in named))
        texts: dict[int, str] = {}
        for part, numbers in named:
            for number in others if part.binding == OTHERS else numbers:
                texts.setdefault(number, part.text)
        return texts


def read_prompt(text: str) -> FacePrompt:
    """Parse a face prompt; raises `BadSetting` for invalid face numbers."""
    return FacePrompt(tuple(map(_read_part, text.split(SEPARATOR))))


def read_negative_prompt(text: str) -> FacePrompt:
    """Parse a negative face prompt; raises `BadSetting` for invalid face numbers and for `[SKIP]`."""
    if SKIP in text:
        raise BadSetting(f"{SKIP} skips a face. Write it in the face prompt, not in the negative prompt")
    return read_prompt(text)


def resolve(text: str, own: str, mode: str = "replace", *, keep_loras: bool = False) -> str:
    """Return the prompt of a face; `own`, the image's prompt, if `text` is blank.

    mode: one of PROMPT_MODES, for a text without `[PROMPT]`. keep_loras: whether a text that replaces `own` gets the
    tags of its LoRAs. A LoRA that both name has the weight in `text`.
    """
    if not text.strip():
        return own
    named = {found.groups() for found in _NETWORK.finditer(text)}
    own = _NETWORK.sub(lambda found: "" if found.groups() in named else found[0], own)
    if OWN_PROMPT in text:
        return text.replace(OWN_PROMPT, own)
    if mode == "append":
        return ", ".join(filter(None, (own.rstrip(" ,"), text)))
    if mode == "prepend":
        return ", ".join(filter(None, (text.rstrip(" ,"), own.strip())))
    return " ".join([text, *(found[0] for found in _NETWORK.finditer(own) if keep_loras)])


def _read_part(text: str) -> Part:
    text = text.strip()
    if found := _BY_WORD.match(text):
        return Part(text[found.end() :].strip(), SPELLINGS.get(found[1], found[1]))
    if found := _BY_NUMBER.match(text):
        return Part(text[found.end() :].strip(), numbers=_read_faces(found[0], found[1]))
    return Part(text)


def _read_faces(binding: str, text: str) -> frozenset[int]:
    """Return the face numbers in a binding, at least one."""
    try:
        numbers = read_numbers(text)
    except BadSetting as error:
        raise BadSetting(f"{binding} in a face prompt: {error}") from error
    if not numbers:
        raise BadSetting(f'{binding} in a face prompt needs a face number, as in "[face:2]"')
    return numbers


def read_numbers(text: str) -> frozenset[int]:
    """Parse face numbers such as "1,3-4" -> {1, 3, 4}; "" -> none. Raises `BadSetting`."""
    if len(text) > MAX_NUMBERS_TEXT:
        raise BadSetting(f"face numbers must have at most {MAX_NUMBERS_TEXT} characters, not {len(text)}")
    numbers: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = re.fullmatch(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", part)
        if not found:
            raise BadSetting(f'face numbers must look like "1,3-4", not {quote_value(text)}')
        first, last = int(found[1]), int(found[2] or found[1])
        if not 1 <= first <= last:
            raise BadSetting(
                f'face numbers start at 1 and ranges must increase, as in "1,3-4"; not {quote_value(part)}'
            )
        numbers.update(range(first, last + 1))
    return frozenset(numbers)
