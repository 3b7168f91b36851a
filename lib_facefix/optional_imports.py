"""Importing optional packages so that none of them uses the network or installs anything.

Other code in the process may use the same packages, so only harmless settings are changed for all.
"""

import os
import re
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from .errors import BadModel

DEFAULTS = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime reports usage from version 1.29 on
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # insightface may import albumentations
    "DO_NOT_TRACK": "1",
}
"""Environment variables that are set unless the user has set them."""
FORCED = {"ultralytics": {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}}
"""Environment variables by package that override the user's: asking for faces is not asking to install packages."""
DRAWING = ("mediapipe", "insightface", "ultralytics")
"""Packages that import matplotlib, which would create a font cache in the user's home folder."""
REQUESTING = ("insightface", "ultralytics")
"""Packages that import urllib3, which binds a socket while it is imported, to find out whether there is IPv6."""
REPORTERS = ("openvino_telemetry",)
"""Packages that only report usage. Others work without them: OpenVINO replaces the missing package with a stub."""
NETWORK_USE = {
    "what": "imports urllib3 for insightface and ultralytics without its trial of IPv6, which would bind a socket",
    "when": "you select one of their detectors",
    "with": "nobody: no socket is opened",
    "files": ("optional_imports.py",),
}
"""What this code uses the network for, for `facefix doctor`."""


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
    """Keep optional packages, especially `package`, from reporting usage; call it before the import.

    It sets environment variables, and blocks the import of packages that only report, for the rest of this process.
    """
    modules: dict[str, Any] = sys.modules
    for name in REPORTERS:
        modules.setdefault(name, None)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.update(FORCED.get(package, {}))
    if package in DRAWING and "matplotlib" not in sys.modules:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~")) / ".cache")  # noqa: PTH111 Path.home() raises where there is none
        folder = Path(os.environ.get("FACEFIX_CACHE") or caches / "facefix") / "matplotlib"
        os.environ.setdefault("MPLCONFIGDIR", str(folder))
    if package in REQUESTING and "urllib3" not in sys.modules:
        _import_urllib3()


def _import_urllib3() -> None:
    """Import urllib3 without its trial of IPv6. It takes the system's word for it, as the trial has no other use."""
    has_ipv6 = socket.has_ipv6
    socket.has_ipv6 = False
    try:
        setattr(import_module("urllib3.util.connection"), "HAS_IPV6", has_ipv6)  # noqa: B010 mypy knows no such module
    except ImportError:
        return  # the package that needs it will say so
    finally:
        socket.has_ipv6 = has_ipv6


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version for comparison: "0.10.35rc1" is (0, 10, 35)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
