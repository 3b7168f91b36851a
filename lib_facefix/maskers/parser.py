"""Masks from face parsers, networks that classify pixels: facexlib's .pth on PyTorch, or an .onnx of the same kind."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel, MissingPackage
from ..inference import Blob, load
from ..settings.devices import CPU, Device
from ..types import Crop, Face, Image, Mask
from .aligned import Aligned

SIDE = 512
"""Side of the square input of all parsers, in pixels."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Classes and input normalisation of a parser."""

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
    """Classifies every pixel of an aligned face. Thread-safe."""

    side = SIDE

    def __init__(self, path: Path, device: Device | str = CPU) -> None:
        """path: .pth or .safetensors of ParseNet or BiSeNet (needs PyTorch), or an .onnx of one of them.

        An .onnx counts as ParseNet if its file name contains "parsenet", else as BiSeNet.
        device: a `Device` for an .onnx, otherwise PyTorch's name of one.
        Raises `BadModel`, `MissingPackage`, or `DeviceFailed`.
        """
        architecture, self._run = (_from_onnx if path.suffix.lower() == ".onnx" else _from_torch)(path, device)
        self._layout = LAYOUTS[architecture]
        self._path = path

    def select_classes(self, image: Image, classes: tuple[str, ...]) -> NDArray[np.bool_]:
        """Return True for pixels of an aligned face, (512, 512, 3), in one of these classes; raises `BadModel`."""
        numbers = [number for number, name in enumerate(self._layout.classes) if name in classes]
        return np.isin(self._classify(image), numbers)

    def find_hidden(self, image: Image) -> NDArray[np.bool_]:
        """Return True for pixels of hair, glasses, hats and background; a hand often counts as skin."""
        return ~self.select_classes(image, VISIBLE)

    def _classify(self, image: Image) -> NDArray[np.intp]:
        mean, deviation = np.array(self._layout.mean, np.float32), np.array(self._layout.deviation, np.float32)
        blob = (image / np.float32(255) - mean) / deviation
        scores = self._run(np.ascontiguousarray(blob.transpose(2, 0, 1)[None], np.float32))
        if scores.shape != (1, len(self._layout.classes), SIDE, SIDE):
            raise BadModel(
                f"{self._path} is not a face parser: its output is {scores.shape} instead of (1, 19, 512, 512). Choose "
                "another file."
            )
        return np.asarray(scores[0].argmax(0), np.intp)


class ParsingMasker:
    """Mask of some classes of a face parser."""

    def __init__(self, parser: FaceParser, classes: tuple[str, ...]) -> None:
        self._parser, self._classes = parser, classes

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 on the classes where they touch the face's box; raises a `FaceFixError`."""
        aligned = Aligned.of(crop, face, self._parser.side)
        return aligned.back(self._parser.select_classes(aligned.image, self._classes), crop, face)


def _from_onnx(path: Path, device: Device | str) -> tuple[str, Callable[[Blob], Blob]]:
    net = load(path, device if isinstance(device, Device) else CPU)
    name = "ParseNet" if "parsenet" in path.name.lower() else "BiSeNet"
    # the largest output: BiSeNet may also return the scores of two coarser branches
    return name, lambda blob: max(net(blob), key=lambda output: output.size)


def _from_torch(path: Path, device: Device | str) -> tuple[str, Callable[[Blob], Blob]]:
    try:
        from ..nets.face_parsers import load_parser
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingPackage(f"the face parser {path.name}", "torch") from error
    return load_parser(path, str(device))
