"""Faces from the mediapipe package: its `solutions` API up to 0.10.21, its Tasks API from 0.10.30 on."""

import atexit
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

import mediapipe
import numpy as np

from ..errors import BadModel, briefly
from ..imaging.boxes import nms_faces
from ..optional_imports import version_numbers
from ..types import Box, Face, Image
from ..weights import asset
from .marks import five_of, tilt_of

CALLS_HOME = (0, 10, 35)
"""First version that contacts its maker while it runs, with no known way to stop it."""
MAX_DETECTORS = 3
"""Number of detectors kept open: MediaPipe needs a new one for each minimum confidence."""


class _MediaPipe:
    """A `Detector` with one of the package's two face networks."""

    solution: int
    """Number of this network in MediaPipe's `solutions` API."""
    weights: str
    """Bundled file of the same network for the Tasks API, which requires metadata in the file."""

    def __init__(self) -> None:
        self._version = str(getattr(mediapipe, "__version__", "of unknown version"))
        if version_numbers(self._version) >= CALLS_HOME:
            raise BadModel(
                f"mediapipe {self._version} contacts its maker while it runs, so FaceFix does not use it. Install a "
                "version that does not: `pip install 'mediapipe>=0.10.33,<0.10.35'`. Or choose the detector blazeface, "
                "which is the same network."
            )
        solutions = hasattr(mediapipe, "solutions")
        self._find = self._by_solutions if solutions else self._by_tasks
        self._opened = lru_cache(MAX_DETECTORS)(self._open_solution if solutions else self._open_task)
        self._lock = Lock()

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        with self._lock:
            try:
                return nms_faces(list(self._find(np.ascontiguousarray(image), min_score)))
            except BadModel:
                raise
            except Exception as error:  # mediapipe's errors have no common base
                raise BadModel(f"mediapipe {self._version} failed: {briefly(error)}") from error

    def _open_solution(self, min_score: float) -> Any:
        place = mediapipe.solutions.face_detection
        return place.FaceDetection(model_selection=self.solution, min_detection_confidence=min_score)

    def _by_solutions(self, image: Image, min_score: float) -> Iterator[Face]:
        height, width = image.shape[:2]
        for found in self._opened(min_score).process(image).detections or ():
            spot = found.location_data
            box, points = spot.relative_bounding_box, [(point.x, point.y) for point in spot.relative_keypoints]
            left, top, right, bottom = box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height
            corners = Box(left * width, top * height, right * width, bottom * height)
            yield _face(corners, np.array(points) * (width, height), found.score[0])

    def _open_task(self, min_score: float) -> Any:
        vision, base = mediapipe.tasks.vision, mediapipe.tasks.BaseOptions(model_asset_path=str(asset(self.weights)))
        options = vision.FaceDetectorOptions(base_options=base, min_detection_confidence=min_score)
        task = vision.FaceDetector.create_from_options(options)
        atexit.register(setattr, task, "close", int)  # closing fails with a message at the end of a program
        return task

    def _by_tasks(self, image: Image, min_score: float) -> Iterator[Face]:
        height, width = image.shape[:2]
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
        for found in self._opened(min_score).detect(picture).detections:
            box, points = found.bounding_box, [(point.x, point.y) for point in found.keypoints]
            corners = Box(box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height)
            yield _face(corners, np.array(points) * (width, height), found.categories[0].score)


class FullRange(_MediaPipe):
    """The network for faces up to five metres away."""

    solution, weights = 1, "face_detection_full_range_sparse.tflite"


class ShortRange(_MediaPipe):
    """The network for large faces, up to two metres away."""

    solution, weights = 0, "face_detection_short_range.tflite"


def _face(box: Box, points: np.ndarray[tuple[int, int], np.dtype[np.float64]], score: float) -> Face:
    """Return a face from its box and six points: eyes, nose, middle of the mouth, ears."""
    five = five_of(points[:2], points[2], points[3])
    return Face(box, float(score), five, tilt_of(five))
