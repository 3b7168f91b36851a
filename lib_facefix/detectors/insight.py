"""Faces from insightface's own package, if installed, with the same files as `scrfd.py`.

Only this module uses the package.
"""

from pathlib import Path
from threading import Lock

import insightface
import numpy as np

from ..errors import BadModel, briefly
from ..imaging.boxes import nms_faces
from ..types import Face, Image
from ..weights.onnxfile import check_onnx
from .marks import make_face

SIDE = 640
"""Side of the network's square input, in pixels."""


class InsightFace:
    """A `Detector` that uses insightface's package on the processor."""

    def __init__(self, weights: Path) -> None:
        check_onnx(weights)
        try:
            self._model = insightface.model_zoo.get_model(str(weights), providers=["CPUExecutionProvider"])
            self._model.prepare(ctx_id=-1, input_size=(SIDE, SIDE))
        except Exception as error:  # insightface's errors have no common base
            raise BadModel(f"insightface cannot read the detector {weights}: {briefly(error)}") from error
        self._lock = Lock()

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first; image: RGB."""
        with self._lock:
            self._model.det_thresh = min_score
            try:
                rows, marks = self._model.detect(np.ascontiguousarray(image[..., ::-1]))  # BGR
            except Exception as error:  # as above
                raise BadModel(f"insightface {insightface.__version__} failed: {briefly(error)}") from error
        fives = [None] * len(rows) if marks is None else [five.astype(np.float64) for five in marks]
        found = zip(rows.astype(np.float64), fives, strict=True)
        faces = [make_face(row[:4].reshape(2, 2), float(row[4]), five) for row, five in found]
        return nms_faces([face for face in faces if face.box.width > 0 and face.box.height > 0])
