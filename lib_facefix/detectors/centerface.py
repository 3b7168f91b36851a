"""Faces from CenterFace (StarClouds, MIT): five points, and sure of small faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..imaging.boxes import nms_faces
from ..imaging.letterbox import input_size, letterbox
from ..inference import CvNetwork, finite
from ..types import Face, Image
from ..weights import asset
from .marks import make_face

LEAST, MOST = 640, 1280
"""Pixels of the longer side that the net looks at: smaller pictures are enlarged, larger ones reduced."""
CELL = 4
"""Pixels of the input for each of its predictions."""


class CenterFace:
    """A `Detector`: the net takes pictures of any shape, so that there are no tiles."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = CvNetwork(weights or asset("centerface.onnx"))  # for ONNX Runtime its input is of one size

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        return self.look(image, min_score, min(max(*image.shape[:2], LEAST), MOST))

    def look(self, image: Image, min_score: float, side: int) -> tuple[Face, ...]:
        """Return the faces seen when the longer side of the picture is made `side` pixels long; see `detect`."""
        height, width = image.shape[:2]
        fitted = letterbox(image, input_size(width, height, side))
        scores, sizes, offsets, places = finite(self._net(fitted.blob(0, 1)))
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
