"""Face parsers: nets that tell skin from hair, lips from teeth. PyTorch's .pth by facexlib, or any .onnx like them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel, MissingPackage
from ..inference import Blob, load
from ..types import Image

SIDE = 512
"""Side of the square input of all parsers, in pixels."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a parser takes and gives."""

    classes: tuple[str, ...]
    """Class names in the order of the network's outputs; both eyes, both brows and both lips share a name."""
    mean: tuple[float, float, float]
    """Mean of red, green and blue, 0..1, which is subtracted."""
    deviation: tuple[float, float, float]
    """Standard deviation of red, green and blue, by which the difference is divided."""


LAYOUTS = {
    "ParseNet": Layout(
        (
            "background", "skin", "nose", "glasses", "eyes", "eyes", "brows", "brows", "ears", "ears", "mouth",
            "lips", "lips", "hair", "hat", "earrings", "necklace", "neck", "cloth",
        ),
        (0.5, 0.5, 0.5),
        (0.5, 0.5, 0.5),
    ),
    "BiSeNet": Layout(
        (
            "background", "skin", "brows", "brows", "eyes", "eyes", "glasses", "ears", "ears", "earrings", "nose",
            "mouth", "lips", "lips", "neck", "necklace", "cloth", "hair", "hat",
        ),
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    ),
}  # fmt: skip
"""The two common orders of CelebAMask-HQ's classes, by architecture."""
VISIBLE = ("skin", "brows", "eyes", "ears", "nose", "mouth", "lips", "neck")
"""Classes of a head that do not cover a face."""


class FaceParser:
    """Names every pixel of an aligned face. Any thread may call."""

    side = SIDE

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """path: .pth or .safetensors of ParseNet or BiSeNet, which take PyTorch, or an .onnx of one of them.

        An .onnx does not say which it is: it is a ParseNet if its name says so, else a BiSeNet. device: PyTorch's.
        Raises `BadModel` or `MissingPackage`.
        """
        architecture, self._run = _from_onnx(path) if path.suffix.lower() == ".onnx" else _from_torch(path, device)
        self._layout = LAYOUTS[architecture]
        self._path = path

    def select_classes(self, image: Image, classes: tuple[str, ...]) -> NDArray[np.bool_]:
        """Return where an aligned face, (512, 512, 3), is of one of these classes; raises `BadModel`."""
        numbers = [number for number, name in enumerate(self._layout.classes) if name in classes]
        return np.isin(self._numbers(image), numbers)

    def find_hidden(self, image: Image) -> NDArray[np.bool_]:
        """Return where an aligned face is covered or ends: hair, glasses, hats. It often takes a hand for skin."""
        return ~self.select_classes(image, VISIBLE)

    def _numbers(self, image: Image) -> NDArray[np.intp]:
        mean, deviation = np.array(self._layout.mean, np.float32), np.array(self._layout.deviation, np.float32)
        blob = (image / np.float32(255) - mean) / deviation
        scores = self._run(np.ascontiguousarray(blob.transpose(2, 0, 1)[None], np.float32))
        if scores.shape != (1, len(self._layout.classes), SIDE, SIDE):
            raise BadModel(
                f"{self._path} is no face parser: it answered with {scores.shape} instead of (1, 19, 512, 512); "
                "choose another file"
            )
        return np.asarray(scores[0].argmax(0), np.intp)


def _from_onnx(path: Path) -> tuple[str, Callable[[Blob], Blob]]:
    net = load(path)
    return "ParseNet" if "parsenet" in path.name.lower() else "BiSeNet", lambda blob: _largest(net(blob))


def _largest(answers: list[Blob]) -> Blob:
    """Return the scores of the classes: BiSeNet gives those of two coarser branches, too, perhaps smaller, behind."""
    return max(answers, key=lambda answer: answer.size)


def _from_torch(path: Path, device: str) -> tuple[str, Callable[[Blob], Blob]]:
    try:
        from ..nets.face_parsers import load_parser
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingPackage(f"the face parser {path.name}", "torch") from error
    return load_parser(path, device)
