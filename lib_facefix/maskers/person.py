"""Masks of a person without background, from MediaPipe's selfie segmentation (Apache-2.0), on OpenCV."""

from pathlib import Path

import cv2
import numpy as np

from ..imaging.align import transform_points
from ..imaging.masks import keep_touching, polygon
from ..inference import load
from ..types import Crop, Face, Mask
from ..weights import asset

SIDE = 256
"""Side of the network's square input, in pixels."""
SURE = 0.5
"""Score, 0..1, above which a pixel counts as person."""


class PersonMasker:
    """Mask of the whole person in the crop: face, hair, neck and clothes."""

    def __init__(self, weights: Path | None = None) -> None:
        self._net = load(weights or asset("selfie_segmentation.tflite"))

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 on the person and on people who touch them."""
        height, width = crop.image.shape[:2]
        seen = cv2.resize(crop.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / np.float32(255)
        [scores] = self._net(np.ascontiguousarray(seen.transpose(2, 0, 1)[None], np.float32))
        sure = cv2.resize(scores.reshape(SIDE, SIDE), (width, height), interpolation=cv2.INTER_LINEAR) >= SURE
        box = polygon(transform_points(face.box.corners, crop.matrix), (height, width))
        return keep_touching(np.asarray(sure, np.float32), box)
