"""Enlarging a picture twice, its faces restored by a net that changes nothing: what is lost, what is shifted.

    python -m benchmarks.enlarging

Where nothing is restored, the result should be the enlarged picture. The reference is the picture enlarged by Lanczos'
filter, once by Pillow's, as FaceFix does it, and once by OpenCV's, as facexlib does; PSNR is over the middle of the
face's crop, which both paste whole. facexlib (square mask) pastes half a pixel off where it enlarges.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from lib_facefix import Face, FaceFix, FaceJob, FaceSettings
from lib_facefix.engines import Runner
from lib_facefix.fixers.restore import Restorer
from lib_facefix.imaging.align import inverse
from lib_facefix.imaging.frames import Upright
from lib_facefix.imaging.resample import warp
from lib_facefix.inference import Blob
from lib_facefix.nets import Spec
from lib_facefix.types import Image

from . import weights
from .gfpganer import Gfpganer
from .photos import ONE_FACE, ROOT, photo
from .report import publish, say
from .rows import Row, amount_row

SIDE, FACTOR, CROP = 512, 2, 512
EDGE = 64
"""Of the crop, left out: there the masks end, pixels."""
BAR = 39.0


class Unchanged:
    """A runner of a net that gives back what it gets."""

    spec = Spec("none", "face", 1, -1.0, 1.0, CROP, fused=False)

    def each(
        self,
        crops: Sequence[Image],
        blob_of: Callable[[Image], Blob],
        w: float = 0.0,  # noqa: ARG002 such a net has none
    ) -> Iterator[tuple[Blob, str]]:
        """Yield every crop as it is."""
        return ((blob_of(crop), "none") for crop in crops)


class Changeless(FaceFix):
    """FaceFix with that net."""

    def fixer(self, job: FaceJob) -> Restorer:  # noqa: ARG002 the same for all
        """Return the restorer on it."""
        return Restorer(cast(Runner, Unchanged()))


def measured(path: Path) -> list[Row]:
    """Return our decibels and facexlib's on the same photo."""
    image = photo(path, SIDE)
    [result] = Changeless().fix([image], FaceSettings(method="restore", fidelity=0, upscale=str(FACTOR)))
    faces = [outcome.job.face for outcome in result.outcomes]
    peer = Gfpganer(weights.gfpgan(), upscale=FACTOR, use_parse=False)
    theirs = peer.fix(image, faces, restore=lambda crop: crop)
    height, width = (FACTOR * length for length in image.shape[:2])
    references = {
        "Pillow's Lanczos": np.asarray(Pillow.fromarray(image).resize((width, height), Pillow.Resampling.LANCZOS)),
        "OpenCV's Lanczos": np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LANCZOS4)),
    }
    inside = middles(faces, (height, width))
    rows = []
    for name, reference in references.items():
        own, peers = (decibels(picture, reference, inside) for picture in (result.image, theirs))
        work = f"upscale x{FACTOR}, faces unchanged, against {name}"
        more: dict[str, Any] = {"peer_psnr_db": round(peers, 2), "ours_psnr_db": round(own, 2), "group": "enlarging"}
        rows.append(amount_row(work, own, "dB", least=BAR, **more))
    return rows


def middles(faces: Sequence[Face], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels of the enlarged picture show the middle of a face's crop."""
    shown = np.zeros(shape, bool)
    whole = np.zeros((CROP, CROP), np.float32)
    whole[EDGE:-EDGE, EDGE:-EDGE] = 1
    for face in faces:
        back = inverse(Upright(CROP).matrix(face)) * FACTOR
        shown |= warp(whole, back, (shape[1], shape[0])) > 0.5
    return shown


def decibels(picture: Image, reference: Image, where: NDArray[np.bool_]) -> float:
    """Return the peak signal-to-noise ratio of the pixels `where`."""
    apart = (picture.astype(np.float64) - reference)[where]
    return float(10 * np.log10(255**2 / np.mean(apart**2)))


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enlarging", description=__doc__)
    parser.add_argument("--photo", type=Path, default=ONE_FACE)
    parser.add_argument("--quick", action="store_true", help="the same: it takes seconds")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "enlarging.json")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # torchvision warns of its future
    weights.use_own_cache()
    say("enlarging: a picture twice ...")
    publish(measured(options.photo), options.out, photo=options.photo.name)


if __name__ == "__main__":
    main()
