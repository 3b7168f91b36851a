"""Blind pairs: a degraded and a restored face, sides by chance, for a person to choose the better one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from lib_facefix.types import Image
from training.judging.held_out import HeldOutFace
from training.judging.restorers import DEFAULT, Restorer

PAIRS = 40
"""Number of pairs, on all sheets together."""
ON_SHEET, COLUMNS = 8, 2
"""Pairs on one sheet, and side by side."""
SIDE, GAP = 400, 12
"""Side of one face and space around each pair, in pixels."""
WINDOW = (slice(56, 512), slice(28, 484))
"""Rows and columns of the crop that are shown."""
LEFT, RIGHT = "left", "right"


@dataclass(frozen=True)
class Pair:
    """Which side of a pair is restored: the key of the sheets."""

    number: int
    person: str
    kind: str
    restored: str
    """"left" or "right"."""


def draw_pairs(cases: Sequence[tuple[str, str]], seed: int, number: int = PAIRS) -> list[Pair]:
    """Draw pairs from (person, kind): every person once before anybody comes twice, kinds evenly, sides by chance."""
    random = np.random.default_rng(seed)
    shuffled = [cases[index] for index in random.permutation(len(cases))]
    drawn: list[tuple[str, str]] = []
    while len(drawn) < min(number, len(cases)):
        rest = [case for case in shuffled if case not in drawn]
        people, kinds = ([case[part] for case in drawn] for part in (0, 1))
        drawn.append(min(rest, key=lambda case: (people.count(case[0]), kinds.count(case[1]))))
    sides = random.integers(0, 2, len(drawn))
    return [
        Pair(count, person, kind, RIGHT if side else LEFT)
        for count, ((person, kind), side) in enumerate(zip(drawn, sides, strict=True), 1)
    ]


def draw_tile(number: int, left: Image, right: Image) -> Image:
    """Return both faces side by side, with the number of the pair above. left, right: (512, 512, 3)."""
    faces = [cv2.resize(crop[WINDOW], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for crop in (left, right)]
    tile = np.full((SIDE + 4 * GAP, 2 * SIDE + 2 * GAP, 3), 255, np.uint8)
    tile[3 * GAP : 3 * GAP + SIDE, GAP : GAP + 2 * SIDE] = np.concatenate(faces, axis=1)
    cv2.putText(tile, str(number), (GAP, 2 * GAP), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2, cv2.LINE_AA)
    return tile


def save_blind_pairs(faces: Iterable[HeldOutFace], restorer: Restorer, seed: int, folder: Path) -> None:
    """Write blind-1.png and so on, and blind-key.json, which must not be read before the choice is made.

    The default fidelity is shown beside the input.
    """
    known = {face.person.name: face for face in faces}
    cases = [(name, kind) for name, face in known.items() for kind in face.degraded if kind != "clean"]
    pairs = draw_pairs(cases, seed)
    tiles = []
    for pair in pairs:
        crop = known[pair.person].degraded[pair.kind]
        restored = restorer.restore(crop)[DEFAULT]
        left, right = (restored, crop) if pair.restored == LEFT else (crop, restored)
        tiles.append(draw_tile(pair.number, left, right))
    for sheet, begin in enumerate(range(0, len(tiles), ON_SHEET), 1):
        part = tiles[begin : begin + ON_SHEET]
        part += [np.full_like(part[0], 255)] * (-len(part) % COLUMNS)
        rows = [np.concatenate(part[row : row + COLUMNS], axis=1) for row in range(0, len(part), COLUMNS)]
        path = folder / f"blind-{sheet}.png"
        if not cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1]):
            raise OSError(f"{path} cannot be written")
    key = json.dumps([asdict(pair) for pair in pairs], indent=1)
    (folder / "blind-key.json").write_text(key, encoding="utf-8")
