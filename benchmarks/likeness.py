"""What the distances of `facefix compare` mean, measured on a folder of portraits of different people.

    python -m benchmarks.likeness FOLDER [--json FILE]

Each file shows one person, and no two files the same. Printed are

- strangers: how many pairs of different people come out below each distance,
- damage: the distance between each portrait and a copy that was reduced or blurred, how many of the copies
  `lib_facefix.analysis.likeness` calls too blurred, and how far the blur of its test moves their embeddings.

Only figures over all faces are printed and written; embeddings are not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lib_facefix import Box, Face, FaceFix, FaceSettings
from lib_facefix.analysis.embedding import Embedder, Embedding, cut_chip
from lib_facefix.analysis.likeness import BLUR, MIN_DETAIL
from lib_facefix.pictures import find_pictures, read_picture
from lib_facefix.types import Image

SIDE = 512
"""Longer side to which portraits are reduced first, in pixels."""
SIZES = (16, 24, 32, 48, 64)
"""Sizes of the face in reduced copies, in pixels."""
BLURS = (0.01, 0.02, 0.03, 0.045, 0.06)
"""Sigmas of blurred copies, relative to the size of the face."""
DISTANCES = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)


def read_faces(folder: Path) -> Iterator[tuple[Image, Face]]:
    """Yield each portrait of the folder, RGB (H, W, 3), uint8, with its largest face."""
    engine = FaceFix()
    for file in find_pictures([str(folder)]):
        if file.skipped:
            continue
        image = read_picture(file.path).image
        scale = min(1.0, SIDE / max(image.shape))
        small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        if faces := engine.detect(small, FaceSettings(detector="blazeface")):
            yield small, max(faces, key=lambda face: face.box.size)


def make_copies(image: Image, face: Face) -> Iterator[tuple[str, Image, Face]]:
    """Yield damaged copies of a portrait, each with its name and its face."""
    for size in SIZES:
        scale = size / face.box.size
        small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        box = Box(*(value * scale for value in (face.box.left, face.box.top, face.box.right, face.box.bottom)))
        landmarks = None if face.landmarks is None else face.landmarks * scale
        yield f"{size} px", small, replace(face, box=box, landmarks=landmarks)
    for sigma in BLURS:
        blurred = cv2.GaussianBlur(image, (0, 0), sigma * face.box.size)
        yield f"blurred by {sigma:.1%} of its size", np.asarray(blurred, np.uint8), face


def measure(embedder: Embedder, image: Image, face: Face) -> tuple[Embedding, float] | None:
    """Return the embedding of a face, and how far the blur of the test moves it; None without landmarks."""
    chip = cut_chip(image, face, embedder)
    if chip is None:
        return None
    found = embedder.embed_chip(chip)
    blurred = np.asarray(cv2.GaussianBlur(chip, (0, 0), BLUR), np.uint8)
    return found, float(np.linalg.norm(found - embedder.embed_chip(blurred)))


def describe_strangers(embeddings: NDArray[np.float64]) -> dict[str, float]:
    """Return the share of pairs of different people below each distance. embeddings: (N, 128)."""
    apart = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2)[np.triu_indices(len(embeddings), 1)]
    return {f"below {limit:g}": round(float((apart < limit).mean()), 4) for limit in DISTANCES}


def describe_damage(distances: Sequence[float], details: Sequence[float]) -> dict[str, float]:
    """Return quantiles of the distances to the undamaged portraits, and the share that is called too blurred."""
    middle, most = np.quantile(distances, (0.5, 0.95))
    blurred = float((np.asarray(details) < MIN_DETAIL).mean())
    return {"median": round(float(middle), 2), "95 %": round(float(most), 2), "too blurred": round(blurred, 3)}


def run(folder: Path) -> dict[str, Any]:
    """Return the figures of a folder of portraits."""
    embedder, originals = Embedder(), []
    copies: dict[str, list[tuple[float, float]]] = {}
    for image, face in read_faces(folder):
        original = measure(embedder, image, face)
        if original is None:
            continue
        originals.append(original[0])
        for name, copy, its_face in (("as it is", image, face), *make_copies(image, face)):
            if found := measure(embedder, copy, its_face):
                copies.setdefault(name, []).append((float(np.linalg.norm(found[0] - original[0])), found[1]))
    damage = {name: describe_damage(*zip(*pairs, strict=True)) for name, pairs in copies.items()}
    return {"faces": len(originals), "strangers": describe_strangers(np.array(originals)), "damage": damage}


def main() -> None:
    """Measure a folder, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    figures = run(arguments.folder)
    lines = [f"{figures['faces']} faces"]
    lines += [f"  strangers {limit}: {share:.2%}" for limit, share in figures["strangers"].items()]
    for name, row in figures["damage"].items():
        lines.append(f"  {name:<28} {'  '.join(f'{key} {value:g}' for key, value in row.items())}")
    sys.stdout.write("\n".join(lines) + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
