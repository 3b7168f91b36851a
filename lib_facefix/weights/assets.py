"""The weights that come with the package."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadModel

ASSETS = Path(__file__).resolve().parent.parent / "assets"


def asset(name: str) -> Path:
    """Return where the bundled file lies; raises `BadModel` if the installation lacks it."""
    path = ASSETS / name
    if not path.is_file():
        raise BadModel(f"the built-in model {name} is missing from {ASSETS}; install FaceFix again")
    return path
