"""Importing optional packages, with telemetry and automatic installation disabled.

Other code in the process may use the same packages, so only harmless variables are set for all of them.
"""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Any

from .errors import BadModel

DEFAULT_VARIABLES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime 1.29 and newer report usage
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # insightface may install albumentations
}
"""Environment variables that are set unless the user has set them."""
FORCED_VARIABLES = {"ultralytics": {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}}
"""Environment variables by package that override the user's, so that detecting faces never installs anything."""


def import_optional(package: str) -> Any:
    """Import and return an optional package with its telemetry disabled; raises `BadModel` if the import fails."""
    disable_telemetry(package)
    try:
        return import_module(package)
    except (ImportError, OSError) as error:
        raise BadModel(f"cannot import {package} ({error}). Reinstall it, or choose another backend") from error


def disable_telemetry(package: str = "") -> None:
    """Set the variables that disable telemetry. Call it before importing an optional package."""
    for name, value in DEFAULT_VARIABLES.items():
        os.environ.setdefault(name, value)
    os.environ.update(FORCED_VARIABLES.get(package, {}))


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version for comparisons: "0.10.35rc1" is (0, 10, 35)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
