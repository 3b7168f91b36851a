"""Results as a table to read and as JSON to keep."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2

from lib_facefix import __version__

Row = Mapping[str, Any]


def publish(rows: Sequence[Row], path: Path, **facts: Any) -> None:
    """Print the rows and write them, with the machine and `facts`, to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **facts, "rows": rows}, indent=2) + "\n", encoding="utf-8")
    say(table(rows))
    say(f"written to {path}")


def machine() -> dict[str, str]:
    """Return what the figures depend on besides the code."""
    return {
        "facefix": __version__,
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "numpy": version("numpy"),
        "processor": processor(),
        "system": platform.platform(),
    }


def processor() -> str:
    """Return the processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def table(rows: Sequence[Row]) -> str:
    """Return the rows in aligned columns under their keys."""
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
