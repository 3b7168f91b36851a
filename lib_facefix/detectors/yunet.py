"""Faces from YuNet, with OpenCV's own class for it. The weights (MIT) are from OpenCV's model zoo."""

from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from ..errors import BadModel, briefly
from ..imaging.boxes import nms_faces
from ..types import Face, Image
from .marks import make_face

MAX_SIDE = 1280
"""Longest side of the input, in pixels: the network was made for faces of 10 to 300 px."""
NMS_IOU, NMS_BOXES = 0.3, 5000
"""IoU above which OpenCV merges two boxes, and the number of boxes it compares."""


class YuNet:
    """A `Detector` with five points."""

    def __init__(self, weights: Path) -> None:
        try:
            self._net = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), 0.5, NMS_IOU, NMS_BOXES)
        except cv2.error as error:
            raise BadModel(f"OpenCV {cv2.__version__} cannot read the YuNet {weights}: {briefly(error)}") from error
        self._lock = Lock()

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        height, width = image.shape[:2]
        share = min(1.0, MAX_SIDE / max(width, height))
        size = max(1, round(width * share)), max(1, round(height * share))
        small = image if share == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        rows = self._look(np.ascontiguousarray(small[..., ::-1]), min_score)  # BGR
        scale = np.array([width / size[0], height / size[1]])
        faces = []
        for row in rows:
            corner, extent, *five = row[:14].reshape(7, 2) * scale  # its right eye is the viewer's left
            faces.append(make_face(np.stack([corner, corner + extent]), float(row[14]), np.stack(five)))
        return nms_faces(faces)

    def _look(self, bgr: Image, min_score: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return (N, 15): left, top, width, height, five points, score."""
        with self._lock:
            try:
                self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
                self._net.setScoreThreshold(min_score)
                _, rows = self._net.detect(bgr)
            except cv2.error as error:
                raise BadModel(f"YuNet failed in OpenCV {cv2.__version__}: {briefly(error)}") from error
        return np.empty((0, 15)) if rows is None else np.asarray(rows, np.float64)
