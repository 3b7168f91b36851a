"""Checks the files on this machine that the settings of a pass name."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...errors import BadSetting

REACHABLE = ("listen", "share", "ngrok", "server_name", "hide_ui_dir_config")
"""Flags of the host that make its pages available to other machines, or forbid users to enter folders."""


def read_allowed_folders() -> tuple[Path, ...]:
    """Return the folders that clients may use, from the host's command line."""
    from modules import shared

    flags = shared.cmd_opts
    named = () if getattr(flags, "hide_ui_dir_config", False) else getattr(flags, "facefix_allowed_folders", None)
    return tuple(map(Path, named or ()))


def check_paths(sources: Iterable[tuple[str, Mapping[str, Any]]], *, is_api: bool) -> None:
    """Raise `BadSetting` for a file outside the model folders and the allowed folders.

    sources: settings by name, each with a prefix for the error. is_api: whether they come from the host's API. Settings
    from the host's page are checked only if other machines can reach the page, or if users must not enter folders.
    """
    from ...server.allowed_paths import find_named_files, find_outside_paths  # here, as it imports most of the library

    naming = [(whose, values) for whose, values in sources if any(find_named_files(values))]
    if not naming:
        return
    from modules import shared

    if not is_api and not any(getattr(shared.cmd_opts, flag, None) for flag in REACHABLE):
        return
    from ..config.engine import get_engine  # here, as it imports the readers of model files

    engine, folders = get_engine(), read_allowed_folders()
    for whose, values in naming:
        for _, sentence in find_outside_paths(values, engine, folders):
            raise BadSetting(f"{whose}{sentence}, or add its folder to --facefix-allowed-folders")
