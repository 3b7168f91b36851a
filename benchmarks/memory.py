"""The memory it takes to fix a picture of 8192 x 8192 pixels, against the number of its faces.

    python -m benchmarks.memory

Every figure is the largest resident memory of a process of its own, from its start to the finished picture, models,
picture, result and all. The picture has 64 faces, of which so many are restored.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.settings.runtime import Runtime

from .photos import FOUR_FACES, ROOT, square
from .report import publish, say
from .rows import Row, amount_row

SIDE, ACROSS = 8192, 4
MOST, STEADY = 3.0, 1.05
"""GB in all; and with the most faces, times that with one."""
NETS = {"animevideo exact": (1, 10, 50), "GFPGAN fast": (1, 50), "GFPGAN exact": (1, 50)}
QUICK = {"animevideo exact": (1, 10), "GFPGAN fast": (1, 2)}


def rows_of(net: str, counts: tuple[int, ...]) -> list[Row]:
    """Return the rows of one net, and by how much its memory grows."""
    peaks = {}
    rows: list[Row] = []
    for count in counts:
        peaks[count] = peak(net, count)
        say(f"memory: {net}, {count} faces: {peaks[count]:.2f} GB")
        work = f"memory, {SIDE} px, {count} faces, {net}"
        rows.append(amount_row(work, peaks[count], "GB", most=MOST, group="memory", faces=count, net=net))
    first, *_, last = counts
    grown = f"memory, {SIDE} px, {last} faces against {first}, {net}"
    return [*rows, amount_row(grown, peaks[last] / peaks[first], "x", most=STEADY, group="memory growth")]


def first_use(net: str) -> Row:
    """Return the row of the first use of all, which also makes the net ready for its engine."""
    say(f"memory: {net}, first use ...")
    with TemporaryDirectory() as empty:
        amount = peak(net, 1, FACEFIX_CACHE=empty)
    return amount_row(f"memory, {SIDE} px, first use of {net}", amount, "GB", most=MOST, group="first use")


def peak(net: str, faces: int, **environment: str) -> float:
    """Return the largest resident memory of a fresh process that restores so many faces, GB."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.memory", "--inside", net, str(faces)]
    environ = {**os.environ, "FACEFIX_CACHE": str(ROOT / "build" / "bench-cache"), **environment}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=environ)
    return float(done.stdout.splitlines()[-1])


def inside(net: str, faces: int) -> float:
    """Restore so many faces in this process; return its largest resident memory so far, GB."""
    name, precision = net.split()
    if name == "GFPGAN":
        from . import weights

        name = str(weights.gfpgan())
    picture = square(FOUR_FACES, SIDE, ACROSS)
    settings = FaceSettings(method="restore", restorer=name, at_most=faces)
    [result] = FaceFix(Runtime(precision=precision, device="cpu")).fix([picture], settings)
    done = sum(outcome.verdict == "fixed" for outcome in result.outcomes)
    if done != faces:
        raise RuntimeError(f"{done} instead of {faces} faces were restored")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--inside", nargs=2, metavar=("NET", "FACES"), help="only measure this process, print GB")
    parser.add_argument("--quick", action="store_true", help="few faces")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "memory.json")
    options = parser.parse_args()
    if options.inside:
        say(str(inside(options.inside[0], int(options.inside[1]))))
        return
    nets = QUICK if options.quick else NETS
    peak("GFPGAN fast", 1)  # unmeasured: it may have to write weights and to make the net ready
    rows = [row for net, counts in nets.items() for row in rows_of(net, counts)]
    if not options.quick:
        rows.append(first_use("GFPGAN fast"))
    publish(rows, options.out)


if __name__ == "__main__":
    main()
