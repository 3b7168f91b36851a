"""All comparisons with peers, one after the other: `make bench`.

    python -m benchmarks [--quick] [--only nets whole ...]

Each part is a process of its own, so that none is measured in the memory or after the warm-up of another. What they
find is gathered into build/bench.json and drawn into build/bench.png.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .photos import ROOT
from .plots import draw
from .report import say, table, write
from .rows import FAIL, NOT_HERE, PASS

PARTS = ("memory", "enlarging", "paste", "nets", "whole")
"""Modules, the quickest to tell first."""
RATIOS = ("work", "peer_cpu_s", "ours_cpu_s", "ratio", "bar", "verdict", "deviation", "engine")
AMOUNTS = ("work", "amount", "unit", "bar", "verdict", "peer_psnr_db")


def main() -> int:
    """Measure, gather, draw; return 1 where a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes: one repeat, few faces, one thread")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="of the parts; others as last measured")
    options = parser.parse_args()
    started = time.monotonic()
    folder, build = ROOT / "build" / "bench", ROOT / "build"
    for name in options.only:
        _measure(name, folder / f"{name}.json", quick=options.quick)
    found = {name: _read(folder / f"{name}.json") for name in PARTS if (folder / f"{name}.json").is_file()}
    rows = [row for part in found.values() for row in part["rows"]]
    minutes = round((time.monotonic() - started) / 60, 1)
    write(rows, build / "bench.json", quick=options.quick, measured=list(options.only), minutes=minutes)
    draw(rows, build / "bench.png")
    say("\n" + table([row for row in rows if "ratio" in row], RATIOS))
    say("\n" + table([row for row in rows if "amount" in row], AMOUNTS))
    for row in rows:
        if row.get("note"):
            say(f"{row['work']}: {row['note']}")
    counted = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in (PASS, FAIL, NOT_HERE)}
    told = ", ".join(f"{verdict} {count}" for verdict, count in counted.items())
    machine = _read(build / "bench.json")["machine"]
    say(f"\n{machine['processor']} ({machine['instructions']}); {minutes} minutes; {told}")
    say(f"written to {build / 'bench.json'} and {build / 'bench.png'}")
    return 1 if counted[FAIL] else 0


def _measure(name: str, path: Path, *, quick: bool) -> None:
    say(f"\n== {name}")
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.{name}", "--out", str(path)]
    subprocess.run(command + ["--quick"] * quick, check=True, cwd=ROOT)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
