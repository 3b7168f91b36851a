"""Pasting sixteen faces back into a picture of 4096 x 4096 pixels: ours against facexlib 0.3.0.

    python -m benchmarks.paste

Time: each makes its own soft mask of the square crop and pastes sixteen crops of 512 px. Picture: ours pastes with
the very masks that facexlib made, carried into the crop, so that only the pasting differs. facexlib's upscale factor
is 1, where it does not shift faces, and no face is smaller than its crop, where facexlib would alias.

Prints a table and writes build/bench_paste.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lib_facefix import Crop
from lib_facefix.imaging.align import compose, rotation, translate
from lib_facefix.imaging.blend import paste
from lib_facefix.imaging.frames import cut
from lib_facefix.imaging.masks import soften
from lib_facefix.imaging.resample import warp
from lib_facefix.types import Image, Mask, Matrix

from .peer import Peer
from .photos import ONE_FACE, ROOT, photo
from .report import publish, say
from .rows import ratio_row
from .timing import cpu_seconds

SIDE, CROP, IN_A_ROW = 4096, 512, 4
SMALLEST, LARGEST = 520, 680
"""Side of a crop in the picture, pixels."""
FEATHER = 0.1
"""Of the crop's side: as wide as facexlib's soft edge."""
BAR, WITHIN_BAR = 60, 0.9999


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A large picture, the crops cut out of it, and the patches to be pasted back."""

    picture: Image
    crops: list[Crop]
    patches: list[Image]

    @property
    def matrices(self) -> list[Matrix]:
        """From the picture to each crop."""
        return [crop.matrix for crop in self.crops]


def scene(path: Path) -> Scene:
    """Return one photo repeated into a large picture, and sixteen crops of it, each turned and sized differently."""
    cell = SIDE // IN_A_ROW
    one = photo(path, cell)[:cell, :cell]
    one = np.pad(one, ((0, cell - one.shape[0]), (0, cell - one.shape[1]), (0, 0)), mode="edge")
    picture = np.tile(one, (IN_A_ROW, IN_A_ROW, 1))
    places = range(IN_A_ROW * IN_A_ROW)
    crops = [cut(picture, frame(place, cell), CROP) for place in places]
    return Scene(picture, crops, [sharpened(crop.image) for crop in crops])


def frame(place: int, cell: int) -> Matrix:
    """Return the map from the picture to the crop in the middle of cell `place`."""
    side = SMALLEST + (LARGEST - SMALLEST) * place / (IN_A_ROW * IN_A_ROW - 1)
    row, column = divmod(place, IN_A_ROW)
    to_origin = translate(np.eye(2, 3), (-(column + 0.5) * cell, -(row + 0.5) * cell))
    turned = compose(rotation(30 * np.sin(place), CROP / side), to_origin)
    return translate(turned, (CROP / 2, CROP / 2))


def sharpened(image: Image) -> Image:
    """Return a stand-in for a restored face: the crop with its detail enhanced."""
    return np.asarray(cv2.addWeighted(image, 2.0, cv2.GaussianBlur(image, (0, 0), 3), -1.0, 0), np.uint8)


def ours(scene: Scene, *, change: bool) -> Image:
    """Paste all patches, masks and all, into a copy of the picture."""
    canvas: Image = scene.picture.copy()
    for patch, crop in zip(scene.patches, scene.crops, strict=True):
        mask = soften(np.ones((CROP, CROP), np.float32), 0, FEATHER * CROP)
        paste(canvas, patch, mask, crop.matrix, base=crop.image if change else None)
    return canvas


def ours_under(masks: list[Mask], scene: Scene) -> Image:
    """Paste all patches under masks of the whole picture that someone else made."""
    canvas: Image = scene.picture.copy()
    for patch, crop, mask in zip(scene.patches, scene.crops, masks, strict=True):
        paste(canvas, patch, warp(mask, crop.matrix, (CROP, CROP)), crop.matrix)
    return canvas


def difference(scene: Scene, peer: Peer) -> dict[str, Any]:
    """Return how far our picture is from the peer's under the same masks; "within" is 1 of 255."""
    masks = peer.masks(scene.picture, scene.patches, scene.matrices)
    theirs = peer.paste(scene.picture, scene.patches, scene.matrices)
    apart = np.abs(theirs.astype(np.int16) - ours_under(masks, scene))
    shown = np.max(masks, axis=0) > 0
    return {
        "values_in_the_masks": int(apart[shown].size),
        "share_within": _share(apart[shown] <= 1),
        "share_of_pixels_within": _share((apart[shown] <= 1).all(axis=1)),
        "share_of_the_picture's_pixels_within": _share((apart <= 1).all(axis=2)),
        "largest_difference": int(apart.max()),
        "bar": f"share_within >= {WITHIN_BAR}",
    }


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paste", description=__doc__)
    parser.add_argument("--photo", type=Path, default=ONE_FACE)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of OpenCV, for both")
    parser.add_argument("--quick", action="store_true", help="one repeat")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench_paste.json")
    options = parser.parse_args()
    if options.quick:
        options.repeats = 1
    cv2.setNumThreads(options.threads)
    peer, stage = Peer(), scene(options.photo)
    apart = difference(stage, peer)
    calls: dict[str, Callable[[], object]] = {
        "peer": lambda: peer.paste(stage.picture, stage.patches, stage.matrices),
        "paste, patch replaces": lambda: ours(stage, change=False),
        "paste, change laid on": lambda: ours(stage, change=True),
    }
    seconds = cpu_seconds(calls, options.repeats)
    rows = [
        ratio_row(f"{SIDE} px, {IN_A_ROW**2} faces: {work}", seconds["peer"], taken, BAR, group="paste")
        for work, taken in seconds.items()
        if work != "peer"
    ]
    rows[0] |= {"share_within": apart["share_within"]}
    publish(
        rows, options.out, difference=apart, repeats=options.repeats, threads=options.threads, photo=options.photo.name
    )
    say("the patch replacing, under the same masks: " + ", ".join(f"{key} {value}" for key, value in apart.items()))


def _share(within: NDArray[np.bool_]) -> float:
    return round(float(within.mean()), 6)


if __name__ == "__main__":
    main()
