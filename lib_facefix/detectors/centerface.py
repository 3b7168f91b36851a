"""Faces from CenterFace (StarClouds, MIT), with five points; reliable for small faces."""

from pathlib import Path

import numpy as np

from ..imaging.boxes import nms_faces
from ..imaging.letterbox import input_size, letterbox
from ..inference import CvNetwork, check_outputs
from ..types import Face, Image
from ..weights import asset
from .marks import make_face

MIN_SIDE, MAX_SIDE = 640, 1280
"""Limits of the input's longer side, in pixels: smaller images are enlarged, larger ones reduced."""
CELL = 4
"""Input pixels between neighbouring predictions."""


class CenterFace:
    """A `Detector` without tiles, since the network takes images of any shape."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = CvNetwork(weights or asset("centerface.onnx"))  # on ONNX Runtime its input has a fixed size

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        return self.look(image, min_score, min(max(*image.shape[:2], MIN_SIDE), MAX_SIDE))

    def look(self, image: Image, min_score: float, side: int) -> tuple[Face, ...]:
        """Return the faces as `detect` does, with the longer side of the image scaled to `side` pixels."""
        height, width = image.shape[:2]
        fitted = letterbox(image, input_size(width, height, side))
        scores, sizes, offsets, places = check_outputs(self._net(fitted.blob(0, 1)))
        rows, columns = np.nonzero(scores[0, 0] >= max(min_score, np.finfo(float).tiny))
        sides = np.exp(sizes[0, :, rows, columns].astype(np.float64))[:, ::-1] * CELL  # (N, 2): width, height
        cells = np.stack([columns, rows], 1) + 0.5
        starts = (cells + offsets[0, :, rows, columns][:, ::-1]) * CELL - sides / 2
        marks = places[0][:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1] * sides[:, None] + starts[:, None]
        corners = np.stack([starts, starts + sides], 1)
        found = zip(
            fitted.to_source(corners), fitted.to_source(marks), scores[0, 0, rows, columns].tolist(), strict=True
        )
        return nms_faces([make_face(box, score, five) for box, five, score in found])
