"""Flags for the folders of models, and for downloads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadSetting

if TYPE_CHECKING:
    from ..weights import ModelPaths


def add_path_flags(parser: argparse.ArgumentParser, default: object = argparse.SUPPRESS) -> None:
    """Add the flags --models and --webui to a parser.

    default: actions of `models` have none, so that they keep the value of the same flag before the action.
    """
    several = "(repeatable, or several separated as in PATH)"
    more: dict[str, Any] = {"action": "append", "default": default, "metavar": "DIR"}
    parser.add_argument("--models", help=f"folder of weights; downloads go to the first {several}", **more)
    parser.add_argument("--webui", help=f"folder of a WebUI or ComfyUI whose models are used, too {several}", **more)


def read_model_paths(arguments: argparse.Namespace, yolo: Sequence[str] = ()) -> ModelPaths:
    """Return the model paths that the flags give. Raises `BadSetting`. yolo: folders of YOLO models."""
    from ..weights import locate_models  # here, as it imports numpy

    return locate_models(
        _split_folders(arguments.models), read_host_folders(arguments.webui), yolo=_split_folders(yolo)
    )


def read_host_folders(given: Sequence[str]) -> list[Path]:
    """Return the folders that --webui names. Raises `BadSetting` for a missing one, which is probably misspelt."""
    for path in (folders := _split_folders(given)):
        if not path.is_dir():
            raise BadSetting(f"the folder {path} does not exist; give the folder of a WebUI or ComfyUI to --webui")
    return folders


def _split_folders(given: Sequence[str]) -> list[Path]:
    from ..weights import split_paths

    return [path for text in given for path in split_paths(text)]


def add_fetch_flags(parser: Any) -> None:
    """Add the flags --yes, --offline, and --mirror to a parser or to a group of one."""
    parser.add_argument("-y", "--yes", action="store_true", help="accept licences and downloads without asking")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--mirror", default="", metavar="URL", help="download from this address (files are verified)")
