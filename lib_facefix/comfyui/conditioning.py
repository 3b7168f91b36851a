"""The conditioning of each face, merged into one for all faces of a sampling run. Needs no ComfyUI.

A conditioning is ComfyUI's list of pairs: a tensor (B, tokens, width), and a dictionary of further values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ..errors import BadSetting
from ..settings.face_prompt import OWN_PROMPT

Conditioning = list[Any]
CHUNK = 77
"""Number of tokens in a chunk of CLIP."""
MAX_CHUNKS = 3
"""Longest prompt, in chunks, that may share a run with prompts of another length, as the shorter one is repeated."""
NO_TEXT = (
    "{kind} prompt {text!r} needs CLIP. Connect the CLIP of your checkpoint to Detail Faces, or remove the face prompts"
)
NO_CONDITIONING = "Detail Faces needs the {kind} prompt: connect a CONDITIONING, or a CLIP for the text of the node"
NO_OWN_PROMPT = (
    "{cause} needs the image's prompt as text, and the connected CONDITIONING has none. Write the image's prompt into "
    "Detail Faces"
)
REPLACE = "replace"
"""Prompt mode in which a face prompt does not contain the image's prompt."""
LORA_TAG = re.compile(r"<(?:lora|lyco):[^>]*>", re.IGNORECASE)
LORA_IN_TEXT = (
    "ComfyUI does not load {tag} of a prompt. Remove it, and connect the MODEL and CLIP of Load LoRA to Detail Faces"
)


@dataclass(frozen=True, slots=True, eq=False)
class Prompts:
    """One kind of prompt: what a face's text means."""

    kind: str
    """"positive" or "negative", for messages."""
    own: str
    """The text of the node, which faces without a prompt of their own have."""
    given: Conditioning | None
    """The connected conditioning, which replaces `own`."""
    encode: Callable[[str], Conditioning] | None
    """Encodes a text with the connected CLIP; None without one."""
    cache: dict[str, Conditioning] = field(default_factory=dict)
    """Encoded texts."""

    def read(self, text: str) -> Conditioning:
        """Return the conditioning of a face's text; raises `BadSetting` if it would need a CLIP."""
        if text == self.own and self.given is not None:
            return self.given
        if text not in self.cache:
            if tag := LORA_TAG.search(text):
                raise BadSetting(LORA_IN_TEXT.format(tag=tag[0]))
            if self.encode is None:
                sentence = NO_TEXT.format(kind=f"the {self.kind}", text=text) if text else NO_CONDITIONING
                raise BadSetting(sentence.format(kind=self.kind))
            self.cache[text] = self._with_values(self.encode(text))
        return self.cache[text]

    def check_own(self, text: str, mode: str) -> None:
        """Raise `BadSetting` if a face prompt repeats the image's prompt, which is known only as a conditioning.

        mode: see the setting `prompt_mode`.
        """
        if self.given is None or self.own.strip():
            return
        if OWN_PROMPT in text:
            raise BadSetting(NO_OWN_PROMPT.format(cause=f"{OWN_PROMPT} in a face prompt"))
        if text.strip() and mode != REPLACE:
            raise BadSetting(NO_OWN_PROMPT.format(cause=f"Prompt mode {mode}"))

    def _with_values(self, encoded: Conditioning) -> Conditioning:
        """Return an encoded text with the plain values of the connected conditioning, such as the guidance of Flux."""
        if not self.given:
            return encoded
        plain = {name: value for name, value in self.given[0][1].items() if _is_plain(value)}
        return [[tensor, {**plain, **values}] for tensor, values in encoded]


def describe(conditioning: Conditioning) -> Hashable:
    """Return a key; conditionings with the same key can be merged into one for all faces of a run."""
    if len(conditioning) != 1:
        return id(conditioning)
    [[tensor, values]] = conditioning
    if not all(_is_plain(value) or _is_batched(value) for value in values.values()) or tensor.ndim != 3:
        return id(conditioning)
    tokens = tensor.shape[1]
    length = 0 if tokens % CHUNK == 0 and tokens <= CHUNK * MAX_CHUNKS else tokens
    kinds = ((name, tuple(value.shape) if _is_batched(value) else value) for name, value in values.items())
    return length, tensor.shape[2], tuple(sorted(kinds, key=lambda kind: kind[0]))


def merge(conditionings: Sequence[Conditioning]) -> Conditioning:
    """Return one conditioning for all faces of a run, of which all have the same `describe`.

    Shorter prompts are repeated to a common number of tokens, which does not change what attention returns.
    """
    first = conditionings[0]
    if all(one is first for one in conditionings):
        return first
    tensors = [one[0][0] for one in conditionings]
    tokens = math.lcm(*(tensor.shape[1] for tensor in tensors))
    merged = torch.cat([tensor.repeat(1, tokens // tensor.shape[1], 1) for tensor in tensors])
    values = {
        name: torch.cat([one[0][1][name] for one in conditionings]) if _is_batched(value) else value
        for name, value in first[0][1].items()
    }
    return [[merged, values]]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _is_batched(value: Any) -> bool:
    """Return whether a value is a tensor for one image, which a batch can hold once for each face."""
    return isinstance(value, torch.Tensor) and value.ndim > 0 and value.shape[0] == 1
