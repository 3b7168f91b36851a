"""Which files of this machine the settings of a pass may name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...errors import BadSetting
from ...server.allowed_paths import named_files, outside_paths
from ..config.engine import get_engine

REACHABLE = ("listen", "share", "ngrok", "server_name", "hide_ui_dir_config")
"""Flags of the host by which others than the person at this machine use its pages, or none may name folders there."""


def allowed_folders() -> tuple[Path, ...]:
    """Return the folders that clients may name, as the host's command line says."""
    from modules import shared

    flags = shared.cmd_opts
    named = () if getattr(flags, "hide_ui_dir_config", False) else getattr(flags, "facefix_allowed_folders", None)
    return tuple(map(Path, named or ()))


def check_paths(sources: Iterable[tuple[str, Mapping[str, Any]]], *, is_api: bool) -> None:
    """Raise `BadSetting` for a file outside the folders of models and those allowed.

    sources: settings by name, each with what an error says before it. is_api: whether they came over the host's API;
    what came from its page is checked only where others than the person at this machine may use that page.
    """
    naming = [(whose, values) for whose, values in sources if any(named_files(values))]
    if not naming:
        return
    from modules import shared

    if not is_api and not any(getattr(shared.cmd_opts, flag, None) for flag in REACHABLE):
        return
    engine, folders = get_engine(), allowed_folders()
    for whose, values in naming:
        for _, sentence in outside_paths(values, engine, folders):
            raise BadSetting(f"{whose}{sentence}, or name its folder in --facefix-allowed-folders")
