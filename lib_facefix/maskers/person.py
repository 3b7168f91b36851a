"""The person in front of the background, from MediaPipe's selfie segmentation (Apache-2.0), on OpenCV alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..imaging.align import transform_points
from ..imaging.masks import keep_touching, polygon
from ..inference import load
from ..types import Crop, Face, Mask
from ..weights import asset

SIDE = 256
"""Of the net's square input, pixels."""
SURE = 0.5
"""What scores more, 0..1, is a person."""


class PersonMasker:
    """The person whose face it is, as far as the crop shows them: hair, neck and clothes too, but no background."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("selfie_segmentation.tflite"))

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 on the person; others who do not touch them are left out."""
        height, width = crop.image.shape[:2]
        seen = cv2.resize(crop.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / np.float32(255)
        [scores] = self._net(np.ascontiguousarray(seen.transpose(2, 0, 1)[None], np.float32))
        sure = cv2.resize(scores.reshape(SIDE, SIDE), (width, height), interpolation=cv2.INTER_LINEAR) >= SURE
        return keep_touching(
            np.asarray(sure, np.float32), polygon(transform_points(face.box.corners, crop.matrix), (height, width))
        )
