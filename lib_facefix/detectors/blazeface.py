"""Faces from BlazeFace full range, the built-in detector (MediaPipe, Apache-2.0), on OpenCV alone."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..imaging.boxes import nms_faces, same_face
from ..imaging.letterbox import letterbox
from ..inference import check_outputs, load, sigmoid
from ..types import Box, Face, Image, Points
from ..weights import asset
from .marks import five_of, make_face, move_face
from .windows import windows

SIDE = 192
"""Side of the network's square input, in pixels."""
MID_GREY = 127.5
"""Pixel value that becomes 0 in the network's input, whose range is -1..1."""
CELL = 4
"""Input pixels between neighbouring predictions, of which there are 48 x 48."""
TILE_SCORE = 0.6
"""Lowest accepted score in a tile: an ear or a fist fills a tile more often than a whole image."""
BORDER = 0.5
"""Width of the grey border around a close-up, as a share of the image's sides."""
CLOSE_SHARE = 0.4
"""Smallest face of interest in a close-up, as a share of the shorter side."""
HINT, STRONG_HINT = 0.2, 0.4
"""Scores from which a small face, or a larger one, is suspected in a finest window."""
SMALL_SHARE = 1 / 12
"""Share of its window below which a suspected face is small: 16 pixels of the network's input."""
HALVED = 2048
"""Longer side in pixels above which windows are taken from halves of the image, as reducing all of it takes long."""
MARGIN = 3
"""Pixels from a tile's inner edge within which a box counts as cut off; the neighbouring tile shows the whole face."""


class BlazeFace:
    """A `Detector`: BlazeFace on the whole image and on overlapping tiles, with one NMS over all detections."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("face_detection_full_range.tflite"))
        centres = (np.arange(SIDE // CELL) + 0.5) * CELL
        self._anchors = np.stack(np.meshgrid(centres, centres), -1).reshape(-1, 1, 2)

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        return self.search(image, min_score)[0]

    def search(
        self, image: Image, min_score: float, looks: Sequence[Box] | None = None
    ) -> tuple[tuple[Face, ...], list[Box]]:
        """Return the faces as `detect` does, and the boxes where others are suspected, best first.

        looks: parts of the image to look at, by default all windows of it.
        """
        height, width = image.shape[:2]
        faces, hints = [], []
        looks = windows(width, height) if looks is None else looks
        finest = looks[-1].size
        sizes = _halve(image) if max(height, width) > HALVED else [image]
        for window in looks:
            least = min_score if window == Box(0, 0, width, height) else max(min_score, TILE_SCORE)
            seen = [
                face
                for face in self._look(sizes, window, min(least, HINT))
                if not _cut_off(face.box, window, width, height)
            ]
            faces += [face for face in seen if face.score >= least]
            if window.size == finest:
                hints += [
                    face
                    for face in seen
                    if face.score >= (HINT if face.box.size < SMALL_SHARE * finest else STRONG_HINT)
                ]
        found = nms_faces(faces)
        small = [hint.box for hint in nms_faces(hints)]
        return found, [box for box in small if not any(same_face(box, face.box) for face in found)]

    def look_from_afar(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces of a close-up, which fill the image so much that the network needs grey around them."""
        height, width = image.shape[:2]
        across, down = round(width * BORDER), round(height * BORDER)
        framed = cv2.copyMakeBorder(
            image, down, down, across, across, cv2.BORDER_CONSTANT, value=(MID_GREY, MID_GREY, MID_GREY)
        )
        seen = self._look([np.asarray(framed, np.uint8)], Box(0, 0, framed.shape[1], framed.shape[0]), min_score)
        large = [face for face in nms_faces(seen) if face.box.size >= CLOSE_SHARE * min(width, height)]
        return tuple(move_face(face, -across, -down) for face in large)

    def _look(self, sizes: Sequence[Image], window: Box, min_score: float) -> list[Face]:
        """Run the network once, on one window of the image. sizes: the image, its half, and so on."""
        level = min(len(sizes) - 1, max(0, int(np.log2(window.size / SIDE)) - 1))
        image = sizes[level]
        factors = np.array(sizes[0].shape[1::-1]) / image.shape[1::-1]
        left, top = np.floor(np.array((window.left, window.top)) / factors).astype(int)
        right, bottom = np.ceil(np.array((window.right, window.bottom)) / factors).astype(int)
        part = image[top:bottom, left:right]
        fitted = letterbox(part, (SIDE, SIDE), fill=MID_GREY, centred=True)
        scores, places = sorted(check_outputs(self._net(fitted.blob(MID_GREY, MID_GREY))), key=np.size)
        sure = sigmoid(scores.reshape(-1))
        chosen = np.flatnonzero(sure >= max(min_score, np.finfo(float).tiny))
        # each row: centre, (width, height), six key points; all but the size relative to the anchor
        rows = places.reshape(-1, 8, 2)[chosen].astype(np.float64)
        rows[:, [0, 2, 3, 4, 5, 6, 7]] += self._anchors[chosen]
        half = rows[:, 1] / 2
        corners = np.stack([rows[:, 0] - half, rows[:, 0] + half], 1)
        points = np.concatenate([corners, rows[:, 2:]], 1)
        points = (fitted.to_source(points) + np.array((left, top))) * factors
        return [  # two corners, then eyes, nose, middle of the mouth, ears
            make_face(place[:2], score, five_of(place[2:4], place[4], place[5]))
            for place, score in zip(points, sure[chosen].tolist(), strict=True)
            if _has_extent(place)
        ]


def _halve(image: Image) -> list[Image]:
    """Return the image and, if it is large, its half, the half of that, and so on."""
    sizes = [image]
    while max(sizes[-1].shape[:2]) > HALVED:
        height, width = sizes[-1].shape[:2]
        half = cv2.resize(sizes[-1], (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
        sizes.append(np.asarray(half, np.uint8))
    return sizes


def _has_extent(points: Points) -> bool:
    return bool(np.isfinite(points).all() and (points[1] > points[0]).all())


def _cut_off(box: Box, window: Box, width: int, height: int) -> bool:
    """Return True if the window's edge, inside the image, cuts the face."""
    return (
        (window.left > 0 and box.left < window.left + MARGIN)
        or (window.top > 0 and box.top < window.top + MARGIN)
        or (window.right < width and box.right > window.right - MARGIN)
        or (window.bottom < height and box.bottom > window.bottom - MARGIN)
    )
