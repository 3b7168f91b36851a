"""YOLO networks from checkpoints (.pt), read by ultralytics' restricted reader, on PyTorch."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from ..errors import BadModel, briefly
from ..inference import Blob
from ..weights import load_yolo
from .yolo import SIDE, Yolo, YoloNet


def from_pt(weights: Path, classes: Sequence[str] = ()) -> Yolo:
    """Return the `Detector` of a checkpoint; raises `MissingPackage`, `BadModel`, and `BadSetting` for a class."""
    model = load_yolo(weights)
    side = getattr(model, "args", {}).get("imgsz", SIDE)
    names = {int(number): str(name) for number, name in dict(model.names).items()}
    points = getattr(model, "kpt_shape", None) or getattr(model.model[-1], "kpt_shape", None)
    net = YoloNet(
        weights.name,
        TorchNetwork(model),
        names,
        (int(points[0]), int(points[1])) if points else None,
        side=side if isinstance(side, int) else SIDE,
    )
    return Yolo(net, classes)


class TorchNetwork:
    """A `Network` on PyTorch."""

    def __init__(self, model: Any) -> None:
        import torch

        self._model, self._lock = model, Lock()  # the head caches the anchors of the last size
        self.engine = f"PyTorch {torch.__version__}"

    def __call__(self, blob: Blob) -> list[Blob]:
        """Return all outputs for one input."""
        import torch

        with self._lock, torch.inference_mode():
            try:
                answer = self._model(torch.from_numpy(np.ascontiguousarray(blob)))
            except RuntimeError as error:
                raise BadModel(f"A model failed in {self.engine}: {briefly(error)}.") from error
        outputs = answer if isinstance(answer, tuple | list) else [answer]
        return [output.numpy() for output in outputs if isinstance(output, torch.Tensor)]
