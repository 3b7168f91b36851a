"""What FaceFix adds to the start of a WebUI, in processor time.

    FACEFIX_WEBUI_ROOT=... python -m benchmarks.webui_start

A real WebUI, as the tests of `tests/host` start it (see there for more variables), is started several times. Whole
starts differ from each other by more than all that FaceFix does, so an extension of the benchmark notes inside the
WebUI how much processor time each part of FaceFix takes: loading it, making its controls, its callbacks. The first
start is not measured. FaceFix is compiled before, as after the first start of any WebUI: the tests' own WebUIs keep no
compiled files.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

from tests.host.server import WebUI, python

from .photos import ROOT
from .report import publish, say
from .rows import FAIL, amount_row

MOST = 0.15
"""Most CPU seconds of all parts together."""
COMPILED = ("lib_facefix", "scripts", "install.py", "preload.py")
"""Files that a WebUI runs or imports."""
WATCH = ROOT / "benchmarks" / "start_watch"
"""The extension that notes the times. Extensions are loaded in the order of their names."""


def start_once() -> dict[str, float]:
    """Start the WebUI, end it, and return the CPU seconds of each part of FaceFix."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = folder / "times.json"
        seen = {
            "FACEFIX_WATCH_FOLDER": str(folder / "webui" / "extensions" / "facefix"),
            "FACEFIX_WATCH_FILE": str(told),
        }
        with patch.dict(os.environ, seen):
            webui = WebUI(folder / "webui", {"0watch": WATCH, "facefix": ROOT})
        webui.stop()
        times: dict[str, float] = json.loads(told.read_text("utf-8"))
        return times


def measure(repeats: int) -> list[dict[str, float]]:
    """Return the parts of each start, without the first."""
    seen = []
    for turn in range(repeats + 1):
        seen.append(times := start_once())
        parts = ", ".join(f"{name.removeprefix('callbacks_')} {seconds:.3f}" for name, seconds in times.items())
        say(f"start {turn}: {sum(times.values()):.3f} s: {parts}")
    return seen[1:]


def main() -> int:
    """Measure and publish; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webui_start", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "webui_start.json")
    options = parser.parse_args()
    if not os.environ.get("FACEFIX_WEBUI_ROOT"):
        parser.error("set FACEFIX_WEBUI_ROOT to the folder of the WebUI")
    subprocess.run([python(), "-m", "compileall", "-q", *COMPILED], cwd=ROOT, check=True)
    starts = measure(options.repeats)
    row = amount_row("FaceFix in the start of the WebUI", statistics.median(sum(times.values()) for times in starts),
                     "CPU s", most=MOST, group="webui")  # fmt: skip
    publish([row], options.out, repeats=options.repeats)
    return 1 if row["verdict"] == FAIL else 0


if __name__ == "__main__":
    sys.exit(main())
