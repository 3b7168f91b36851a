"""Finding model files. Nothing here unpickles, downloads or runs a model."""

from __future__ import annotations

from pathlib import Path

from .errors import BadModel

ASSETS = Path(__file__).with_name("assets")


def asset(name: str) -> Path:
    """Return where the bundled file lies; raises `BadModel` if the installation lacks it."""
    path = ASSETS / name
    if not path.is_file():
        raise BadModel(f"the built-in model {name} is missing from {ASSETS}; install FaceFix again")
    return path
