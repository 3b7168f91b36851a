"""A whole photo: from looking for faces to the finished picture, against facexlib and GFPGAN as GFPGANer runs them.

    python -m benchmarks.whole

Both restore the same faces, those that FaceFix finds; see `gfpganer`. One thread, CPU seconds. For the smaller photo
there is a second row that counts the peer's search at 640 px, as CodeFormer's script and newer tools do, where
GFPGANer searches at the full size.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import torch

from lib_facefix import FaceFix, FaceJob, FaceSettings
from lib_facefix.engines import this_machine
from lib_facefix.settings.runtime import Runtime
from lib_facefix.types import Image

from . import weights
from .gfpganer import Gfpganer
from .photos import FOUR_FACES, ROOT, square
from .report import publish, say
from .rows import Row, ratio_row
from .timing import once

SMALL, LARGE = 2048, 4096
"""Sides of the square photos, pixels; the larger is the smaller one four times."""
LOOKING_AT = 640
BARS: dict[tuple[int, str], float] = {(SMALL, "fast"): 8, (SMALL, "exact"): 4, (LARGE, "fast"): 15}
BAR_AT = 16
"""Faces in the larger photo for which its bar is meant."""
LITE_BAR = 30.0
WAYS = ("exact", "fast")


class Ours:
    """FaceFix in both precisions with GFPGAN, and with its built-in net."""

    def __init__(self, gfpgan: Path) -> None:
        self._gfpgan = gfpgan
        self._by = {name: FaceFix(Runtime(precision=name, device="cpu")) for name in WAYS}
        self._by["lite"] = FaceFix()

    def fix(self, name: str, image: Image, at_most: int = 0) -> list[FaceJob]:
        """Find and fix the faces; raises `RuntimeError` for a face that could not be fixed."""
        [result] = self._by[name].fix([image], self._settings(name, at_most))
        wrong = [outcome.error for outcome in result.outcomes if outcome.verdict == "failed"]
        if wrong:
            raise RuntimeError(f"{len(wrong)} faces failed: {wrong[0]}")
        self.engine = next((outcome.engine for outcome in result.outcomes if outcome.verdict == "fixed"), "")
        return [outcome.job for outcome in result.outcomes]

    def seconds(self, name: str, image: Image, repeats: int, at_most: int = 0) -> float:
        """Return the median CPU seconds."""
        return statistics.median(once(lambda: self.fix(name, image, at_most)) for _ in range(repeats))

    def _settings(self, name: str, at_most: int) -> FaceSettings:
        restorer = "lite" if name == "lite" else str(self._gfpgan)
        return FaceSettings(method="restore", restorer=restorer, at_most=at_most)


def smaller_rows(ours: Ours, peer: Gfpganer, repeats: int) -> list[Row]:
    """Measure the smaller photo, all in turns."""
    image = square(FOUR_FACES, SMALL)
    faces = [job.face for job in ours.fix("lite", image)]
    say(f"whole: {SMALL} px, {len(faces)} faces ...")
    engines: dict[str, str] = {}
    taken: dict[str, list[float]] = {name: [] for name in ("peer", "look", *WAYS, "lite")}
    for name in WAYS:
        ours.fix(name, image)
        engines[name] = ours.engine
    parts = []
    calls: Mapping[str, Callable[[], object]] = {
        "peer": lambda: peer.fix(image, faces),
        "look": lambda: peer.look(image, LOOKING_AT),
        **{name: _fixing(ours, name, image) for name in (*WAYS, "lite")},
    }
    for number in range(repeats):
        for name, call in calls.items():
            taken[name].append(once(call))
            if name == "peer":
                parts.append(dict(peer.seconds))
        say(
            f"whole: {SMALL} px, {number + 1} of {repeats}: {_spoken({name: all_[-1] for name, all_ in taken.items()})}"
        )
    seconds = {name: statistics.median(all_) for name, all_ in taken.items()}
    mean = {part: round(statistics.median(one[part] for one in parts), 3) for part in parts[0]}
    quicker = seconds["peer"] - mean["detect"] + seconds["look"]
    work = f"whole photo, {SMALL} px, {len(faces)} faces"
    rows = [
        _row(f"{work}, GFPGAN {way}", seconds["peer"], seconds[way], way, SMALL, engines, peer_parts=mean)
        for way in WAYS
    ]
    searched = f"peer searching at {LOOKING_AT} px"
    rows += [_row(f"{work}, GFPGAN {way}, {searched}", quicker, seconds[way], way, SMALL, engines) for way in WAYS]
    rows.append(ratio_row(f"{work}, built-in net (peer: GFPGAN)", quicker, seconds["lite"], LITE_BAR, group="whole"))
    return rows


def larger_rows(ours: Ours, peer: Gfpganer, counts: tuple[int, ...], repeats: int) -> list[Row]:
    """Measure the larger photo with fewer and fewer of its faces; the peer searches once, which counts for all."""
    image = square(FOUR_FACES, LARGE, 2)
    rows: list[Row] = []
    found = [job.face for job in ours.fix("lite", image)]
    detect = 0.0
    engines: dict[str, str] = {}
    for way in WAYS:
        ours.fix(way, image, 1)
    for count in sorted(counts, reverse=True):
        say(f"whole: {LARGE} px, {count} of {len(found)} faces ...")
        chosen = [job.face for job in ours.fix("lite", image, count) if job.decision != "leave"]
        before = {way: ours.seconds(way, image, 1, count) for way in WAYS if way == "fast"}
        if not detect:
            whole = statistics.median(once(partial(peer.fix, image, chosen)) for _ in range(repeats))
            parts = dict(peer.seconds)
            detect = parts["detect"]
        else:
            whole = detect + once(partial(peer.fix, image, chosen, looking_at=LOOKING_AT))
            parts = {**peer.seconds, "detect": detect}
            whole -= peer.seconds["detect"]
        gc.collect()
        for way in WAYS:
            after = ours.seconds(way, image, repeats, count)
            seconds = (after + before.get(way, after)) / 2
            engines[way] = ours.engine
            work = f"whole photo, {LARGE} px, {len(chosen)} faces, GFPGAN {way}"
            side = LARGE if len(chosen) == BAR_AT else 0
            rows.append(_row(work, whole, seconds, way, side, engines, peer_parts=parts, faces=len(chosen)))
        say(f"whole: {LARGE} px, {count} faces: peer {_spoken(parts)}")
    return rows


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole", description=__doc__)
    parser.add_argument("--repeats", type=int, default=2, help="of the smaller photo; of the larger one 1")
    parser.add_argument("--counts", type=int, nargs="*", default=[1, 4, 16], help="of faces in the larger photo")
    parser.add_argument("--only-larger", action="store_true", help="leave the smaller photo out")
    parser.add_argument("--quick", action="store_true", help="the smaller photo once")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "whole.json")
    options = parser.parse_args()
    if options.quick:
        options.repeats, options.counts = 1, []
    warnings.simplefilter("ignore")  # torchvision and the exporter warn of PyTorch's future
    weights.use_own_cache()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    gfpgan = weights.gfpgan()
    ours, peer = Ours(gfpgan), Gfpganer(gfpgan)
    rows = [] if options.only_larger else smaller_rows(ours, peer, options.repeats)
    if options.counts:
        rows += larger_rows(ours, peer, tuple(options.counts), 1)
    publish(rows, options.out, repeats=options.repeats)


def _fixing(ours: Ours, name: str, image: Image) -> Callable[[], object]:
    return partial(ours.fix, name, image)


def _row(
    work: str, peer_seconds: float, seconds: float, way: str, side: int, engines: Mapping[str, str], **more: Any
) -> Row:
    """Return the row of one precision, held to the bar where this processor can do it."""
    lacks = way == "fast" and not this_machine("cpu").bf16
    note = "this processor does not multiply bfloat16, so fast is exact" if lacks else ""
    bar = None if lacks else BARS.get((side, way))
    return ratio_row(work, peer_seconds, seconds, bar, group="whole", engine=engines[way], note=note, **more)


def _spoken(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {amount:.2f} s" for name, amount in seconds.items())


if __name__ == "__main__":
    main()
