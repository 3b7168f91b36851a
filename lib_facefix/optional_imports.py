"""Importing optional packages so that none of them uses the network or installs anything.

Other code in the process may use the same packages, so only harmless settings are changed for all.
"""

import os
import re
from importlib import import_module
from typing import Any

from .errors import BadModel

DEFAULTS = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime reports usage from version 1.29 on
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # insightface may import albumentations
}
"""Environment variables that are set unless the user has set them."""
FORCED = {"ultralytics": {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}}
"""Environment variables by package that override the user's: asking for faces is not asking to install packages."""


def import_optional(package: str) -> Any:
    """Import and return an optional package with its telemetry disabled; raises `BadModel` if the import fails."""
    disable_telemetry(package)
    try:
        return import_module(package)
    except (ImportError, OSError) as error:
        raise BadModel(
            f"{package} cannot be imported ({error}). Install it again, or choose another engine."
        ) from error


def disable_telemetry(package: str = "") -> None:
    """Set the environment variables that disable telemetry, some only for `package`; call it before the import."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.update(FORCED.get(package, {}))


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version for comparison: "0.10.35rc1" is (0, 10, 35)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
