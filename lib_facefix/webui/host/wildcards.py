"""Resolves wildcards in prompts for faces, as the host's extension sd-dynamic-prompts would.

A blank prompt is that of the image, whose wildcards are already resolved. A prompt like `__hair__ {smiling|stern}` is
resolved if the extension is active, with its library and its folder; otherwise it is unchanged.
"""

from pathlib import Path
from typing import Any

from modules import extensions, shared

EXTENSION = "sd-dynamic-prompts"
WILDCARD_MARKS = ("__", "{", "${")


def expand_wildcards(text: str, seed: int) -> str:
    """Return the prompt with its wildcards resolved; the same seed gives the same result."""
    if not any(mark in text for mark in WILDCARD_MARKS):
        return text
    active = (Path(extension.path) for extension in extensions.active())
    home = next((path for path in active if path.name == EXTENSION), None)
    if home is None:
        return text
    folder = Path(getattr(shared.opts, "wildcard_dir", None) or home / "wildcards")
    try:
        from dynamicprompts.generators import RandomPromptGenerator
        from dynamicprompts.wildcards import WildcardManager
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("dynamicprompts"):
            raise
        return text
    generator: Any = RandomPromptGenerator(WildcardManager(folder), seed=seed)
    return str(next(iter(generator.generate(text, 1)), text))
