"""What finding faces costs and finds: against ADetailer's own functions on the same model, and over our photos.

    python -m benchmarks.detecting yolo MODEL.pt       needs ultralytics, adetailer; the model's .onnx beside it
                                   [CONFIDENCE]
    python -m benchmarks.detecting mediapipe           needs mediapipe up to 0.10.21, adetailer
    python -m benchmarks.detecting found [PHOTOS]      what is found, of small and of turned faces too

The peer loads its model for every picture; ours stays loaded. Times are medians per picture after the first, of
all taken in turns.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.analysis.detector_factory import make_detector
from lib_facefix.imaging.boxes import bounding, same_face
from lib_facefix.models.store import ModelStore
from lib_facefix.settings.runtime import PRECISIONS, Runtime

PHOTOS = Path("tests/data")
SIDE = 640
ROUNDS = 7
SMALL = (16, 20, 24)
"""Pixels of a face."""
SURE = 0.3
"""ADetailer's own minimum of confidence."""


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def photos(folder: Path) -> dict[str, Any]:
    """Return the photos of a folder by name, their longer side `SIDE` pixels."""
    found = {}
    for path in sorted((*folder.glob("*.jpg"), *folder.glob("*.png"))):
        with Pil.open(path) as picture:
            small = picture.convert("RGB")
            small.thumbnail((SIDE, SIDE))
            found[path.stem] = np.array(small)
    return found


def against(peer: Callable[[Any], object], names: list[str], sure: float) -> None:
    """Print what a picture costs the peer and each of our detectors, called in turns: as one waits, and on the CPU."""
    looks: dict[str, Callable[[Any], object]] = {"ADetailer": peer}
    for name, precision in itertools.product(names, PRECISIONS):
        detector = make_detector(ModelStore(Runtime(precision=precision)), name, "off")
        looks[f"{name}, {precision}"] = partial(detector.detect, min_score=sure)
    pictures = list(photos(PHOTOS).values())[:3]
    for look in looks.values():
        look(pictures[0])
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in looks}
    for picture in pictures * ROUNDS:
        for name, look in looks.items():
            times[name].append(seconds(partial(look, picture)))
    medians = {name: [statistics.median(kind) for kind in zip(*seen, strict=True)] for name, seen in times.items()}
    for name, (wall, processor) in medians.items():
        less = [theirs / ours for theirs, ours in zip(medians["ADetailer"], (wall, processor), strict=True)]
        say(f"{name}: {wall * 1000:.1f} ms, {less[0]:.2f} times less; CPU {processor * 1000:.1f} ms, {less[1]:.2f}")


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return the wall seconds and the CPU seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def found(folder: Path) -> None:
    """Print how many faces are found in the photos as they are, made small, and turned."""
    engine, pictures = FaceFix(), photos(folder)
    for name in ("blazeface", "centerface", "blazeface + centerface"):
        settings = FaceSettings(detector=name)
        say(f"{name}: {sum(len(engine.detect(picture, settings)) for picture in pictures.values())} faces")
    for size in SMALL:
        say(f"faces of {size} px: {_small(engine, pictures, size)}")
    say(f"turned by 0, 30 .. 330 degrees: {_turned(engine, pictures)}")


def _small(engine: FaceFix, pictures: dict[str, Any], size: int) -> str:
    """Return how many of what CenterFace finds at double the size each detector finds."""
    wanted, counts = 0, dict.fromkeys(("blazeface", "centerface", "blazeface + centerface"), 0)
    for picture in pictures.values():
        sizes = [face.box.size for face in engine.detect(picture)]
        for scale in [2 * size / max(sizes)] if sizes else ():
            double = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            half = cv2.resize(picture, None, fx=scale / 2, fy=scale / 2, interpolation=cv2.INTER_AREA)
            sought = [
                bounding(face.box.corners / 2) for face in engine.detect(double, FaceSettings(detector="centerface"))
            ]
            wanted += len(sought)
            for name in counts:
                seen = engine.detect(half, FaceSettings(detector=name))
                counts[name] += sum(any(same_face(box, face.box) for face in seen) for box in sought)
    return ", ".join(f"{name} {count}/{wanted}" for name, count in counts.items())


def _turned(engine: FaceFix, pictures: dict[str, Any]) -> str:
    """Return how many faces are found in pictures turned by any angle, of how many."""
    counts, wanted = dict.fromkeys(("blazeface", "blazeface + centerface"), 0), 0
    for picture in pictures.values():
        height, width = picture.shape[:2]
        boxes = [face.box for face in engine.detect(picture)]
        around = int(np.ceil(np.hypot(height, width)))
        for degrees in range(0, 360, 30):
            matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
            matrix[:, 2] += (around - width) / 2, (around - height) / 2
            turned = cv2.warpAffine(picture, matrix, (around, around), borderValue=(128, 128, 128))
            centres = [matrix[:, :2] @ box.centre + matrix[:, 2] for box in boxes]
            wanted += len(boxes)
            for name in counts:
                seen = [face.box for face in engine.detect(turned, FaceSettings(detector=name, angles="all"))]
                near = [[np.hypot(*(centre - other.centre)) for other in seen] for centre in centres]
                counts[name] += sum(min(row, default=9e9) < box.size / 2 for row, box in zip(near, boxes, strict=True))
    return ", ".join(f"{name} {count}/{wanted}" for name, count in counts.items())


def main() -> None:
    """Run from the command line."""
    what, *rest = sys.argv[1:] or ["found"]
    if what == "yolo":
        from adetailer.ultralytics import ultralytics_predict

        model = Path(rest[0])
        sure = float(rest[1]) if len(rest) > 1 else SURE

        def predict(picture: Any) -> object:
            return ultralytics_predict(model, Pil.fromarray(picture), sure, device="cpu")

        against(predict, [str(model)], sure)
    elif what == "mediapipe":
        from adetailer.mediapipe import mediapipe_predict

        names = ["mediapipe_face_full", "blazeface"]
        against(lambda picture: mediapipe_predict("mediapipe_face_full", Pil.fromarray(picture), SURE), names, SURE)
    else:
        found(Path(rest[0]) if rest else PHOTOS)


if __name__ == "__main__":
    main()
