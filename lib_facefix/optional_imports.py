"""What optional packages are told before they are imported, so that none reaches for the network or installs anything.

The one place for it. Others in the process may use the same packages: only what harms nobody is set for all.
"""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from .errors import BadModel

ASKED = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime from 1.29 on would report usage
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # insightface may bring albumentations
    "DO_NOT_TRACK": "1",
}
"""Set unless the user has set them."""
FORCED = {"ultralytics": {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}}
"""By package, whatever the user has set: who asks for faces has not asked to install anything."""
DRAWING = ("mediapipe", "insightface", "ultralytics")
"""Packages that import matplotlib, which would make folders in the user's home for its list of fonts."""
REPORTERS = ("openvino_telemetry",)
"""Packages that only report usage. Their users work without them: OpenVINO has a stub for where it is missing."""


def import_optional(package: str) -> Any:
    """Return an optional package, imported with its telemetry disabled; raises `BadModel` where that fails."""
    disable_telemetry(package)
    try:
        return import_module(package)
    except (ImportError, OSError) as error:
        raise BadModel(f"{package} cannot be started ({error}); install it again, or choose another engine") from error


def disable_telemetry(package: str = "") -> None:
    """Keep optional packages, this one above all, from reporting usage; call it before the import.

    Variables are set, and packages that only report cannot be imported any more in this process.
    """
    modules: dict[str, Any] = sys.modules
    for name in REPORTERS:
        modules.setdefault(name, None)
    for name, value in ASKED.items():
        os.environ.setdefault(name, value)
    os.environ.update(FORCED.get(package, {}))
    if package in DRAWING and "matplotlib" not in sys.modules:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~")) / ".cache")  # noqa: PTH111 Path.home() raises where there is none
        folder = Path(os.environ.get("FACEFIX_CACHE") or caches / "facefix") / "matplotlib"
        os.environ.setdefault("MPLCONFIGDIR", str(folder))


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version, to compare it by: "0.10.35rc1" is (0, 10, 35)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
