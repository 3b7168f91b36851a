"""Wildcards in prompts for faces, drawn as the host's own extension for them would draw them.

A blank prompt is the picture's own, whose wildcards are resolved already. One of its own, `__hair__ {smiling|stern}`,
is resolved here where the extension sd-dynamic-prompts is in use, with its library and from its folder; elsewhere it is
left as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modules import extensions, shared

EXTENSION = "sd-dynamic-prompts"
WILDCARD_MARKS = ("__", "{", "${")


def expand_wildcards(text: str, seed: int) -> str:
    """Return the prompt with its wildcards drawn; the same seed draws the same."""
    folder = _folder() if any(mark in text for mark in WILDCARD_MARKS) else None
    if folder is None:
        return text
    try:
        from dynamicprompts.generators import RandomPromptGenerator
        from dynamicprompts.wildcards import WildcardManager
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("dynamicprompts"):
            raise
        return text
    generator: Any = RandomPromptGenerator(WildcardManager(folder), seed=seed)
    return str(next(iter(generator.generate(text, 1)), text))


def _folder() -> Path | None:
    """Return where the extension keeps its wildcards; None where it is not in use."""
    for extension in extensions.active():
        if Path(extension.path).name == EXTENSION:
            chosen = getattr(shared.opts, "wildcard_dir", None)
            return Path(chosen) if chosen else Path(extension.path) / "wildcards"
    return None
