"""What FaceFix adds to the start of a WebUI, in processor time.

    FACEFIX_WEBUI_ROOT=... python -m benchmarks.webui_start

A real WebUI, as the tests of `tests/host` start it (see there for more variables), is started with and without FaceFix
in turns, after one unmeasured turn. What counts is the processor time up to the line that ends its start. FaceFix is
compiled before, as after the first start of any WebUI: the tests' own WebUIs keep no compiled files. Linux only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.host.server import WebUI, python

from .photos import ROOT
from .report import publish, say
from .rows import FAIL, amount_row
from .webui import processor_seconds

MOST = 0.15
"""Largest difference, in CPU seconds."""
COMPILED = ("lib_facefix", "scripts", "install.py", "preload.py")
"""Files that a WebUI runs or imports."""
EXTENSIONS: dict[str, dict[str, Path]] = {"without": {}, "with": {"facefix": ROOT}}
"""Extensions of each start."""


def start_once(extensions: dict[str, Path]) -> float:
    """Start the WebUI, end it, and return the CPU seconds of its start."""
    with tempfile.TemporaryDirectory() as folder:
        webui = WebUI(Path(folder) / "webui", extensions)
        try:
            return processor_seconds(webui.process.pid)
        finally:
            webui.stop()


def measure(repeats: int) -> dict[str, list[float]]:
    """Return the CPU seconds of each start."""
    seen: dict[str, list[float]] = {name: [] for name in EXTENSIONS}
    for turn in range(repeats + 1):
        for name, extensions in EXTENSIONS.items():
            seconds = start_once(extensions)
            say(f"turn {turn}, {name} FaceFix: {seconds:.2f}")
            if turn:
                seen[name].append(seconds)
    return seen


def main() -> int:
    """Measure and publish; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webui_start", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "webui_start.json")
    options = parser.parse_args()
    if not os.environ.get("FACEFIX_WEBUI_ROOT"):
        parser.error("set FACEFIX_WEBUI_ROOT to the folder of the WebUI")
    subprocess.run([python(), "-m", "compileall", "-q", *COMPILED], cwd=ROOT, check=True)
    medians = {name: statistics.median(times) for name, times in measure(options.repeats).items()}
    added = medians["with"] - medians["without"]
    row = amount_row("start of the WebUI, beyond a start without FaceFix", added, "CPU s", most=MOST, group="webui")
    publish([row], options.out, repeats=options.repeats, plain_cpu_s=round(medians["without"], 2))
    return 1 if row["verdict"] == FAIL else 0


if __name__ == "__main__":
    sys.exit(main())
