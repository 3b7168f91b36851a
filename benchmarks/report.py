"""Results as a table to read and as JSON to keep."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2

from lib_facefix import __version__

Row = Mapping[str, Any]

PACKAGES = ("torch", "torchvision", "onnxruntime", "openvino", "spandrel", "spandrel_extra_arches", "facexlib")
"""Whose releases the figures depend on, beside those always told."""
SPECIAL_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile", "asimd", "bf16")
"""What a processor has, as Linux names it, that decides which engine is the fastest."""


def publish(rows: Sequence[Row], path: Path, **facts: Any) -> None:
    """Print the rows and write them, with the machine and `facts`, to `path`."""
    write(rows, path, **facts)
    say(table(rows))
    say(f"written to {path}")


def write(rows: Sequence[Row], path: Path, **facts: Any) -> None:
    """Write the rows, with the machine and `facts`, to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **facts, "rows": rows}, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, str]:
    """Return what the figures depend on besides the code."""
    flags = _cpuinfo("flags", "Features").split()
    return {
        "facefix": __version__,
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "numpy": version("numpy"),
        **{name: found for name in PACKAGES if (found := _release(name))},
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "instructions": " ".join(flag for flag in SPECIAL_FLAGS if flag in flags) or "unknown",
        "system": platform.platform(),
    }


def table(rows: Sequence[Row], columns: Sequence[str] = ()) -> str:
    """Return the rows in aligned columns under their keys; `columns`: these alone, by default those of the first."""
    keys = list(columns or rows[0])
    cells = [keys, *([_cell(row.get(key)) for key in keys] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    return "\n".join(line.rstrip() for line in lines)


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _cpuinfo(*names: str) -> str:
    """Return the first line of that name that Linux tells of the processor; elsewhere ""."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(names)), "")


def _release(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
